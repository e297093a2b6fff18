import { BUCKETS, bucket } from '../../model/histogram.js';
import { quantile } from './histograms.js';

/** @typedef {import('./types.js').Reason} Reason */
/** @typedef {import('./types.js').SeriesPoint} SeriesPoint */
/** @typedef {import('./types.js').Heat} Heat */
/** @typedef {{ point: SeriesPoint, cells: Uint32Array }} Whole */

const SECOND = 1_000;
const COARSE = 6; // buckets of the scale in a cell of the heatmap: 8 a decade
const CELLS = Math.ceil(BUCKETS / COARSE);
/** Ends of the cells, ms. */
const BOUNDS = Float64Array.from({ length: CELLS + 1 }, (_, k) => (k === 0 ? 0 : 0.001 * 10 ** ((k * COARSE - 1) / 48)));

/**
 * What a side did in each of the newest seconds. Left-out seconds are in it too, and marked: a drill is there to be
 * looked at.
 */
export class Series {
  #seconds;
  #of;
  #rows;
  #ticks;
  #timed;
  /** @type {(Reason | null)[]} */
  #left;
  /** Of seconds that are over, which don't change any more. @type {(Whole | undefined)[]} */
  #summaries = [];

  /** @param {number} [seconds] that are kept */
  constructor(seconds = 120) {
    this.#seconds = seconds;
    const slots = seconds + 1; // one is being filled
    this.#of = new Float64Array(slots).fill(-1);
    this.#rows = Array.from({ length: slots }, () => new Uint32Array(BUCKETS));
    this.#ticks = new Uint32Array(slots);
    this.#timed = new Uint32Array(slots);
    this.#left = Array.from({ length: slots }, () => null);
  }

  /** @param {number} latency ms; NaN counts as a tick alone @param {number} t local ms @param {Reason | null} left */
  add(latency, t, left) {
    const k = this.#slot(t, left);
    this.#ticks[k] = /** @type {number} */ (this.#ticks[k]) + 1;
    if (Number.isNaN(latency)) return;
    this.#timed[k] = /** @type {number} */ (this.#timed[k]) + 1;
    const row = /** @type {Uint32Array} */ (this.#rows[k]);
    const b = bucket(latency);
    row[b] = /** @type {number} */ (row[b]) + 1;
  }

  /** Time passes, ticks or not. @param {number} t local ms @param {Reason | null} left */
  mark(t, left) {
    this.#slot(t, left);
  }

  clear() {
    this.#of.fill(-1);
    this.#summaries = [];
  }

  /** The whole seconds before `t`, oldest first. @param {number} t local ms @returns {SeriesPoint[]} */
  points(t) {
    return this.#whole(t).map((w) => w.point);
  }

  /** Time × latency. @param {number} t local ms @returns {Heat} */
  heat(t) {
    const whole = this.#whole(t);
    return { t: whole.map((w) => w.point.t), bounds: BOUNDS, rows: whole.map((w) => w.cells) };
  }

  /** @param {number} t @param {Reason | null} left @returns {number} */
  #slot(t, left) {
    const second = Math.floor(t / SECOND);
    const k = second % this.#of.length;
    if (this.#of[k] !== second) {
      this.#of[k] = second;
      /** @type {Uint32Array} */ (this.#rows[k]).fill(0);
      this.#ticks[k] = this.#timed[k] = 0;
      this.#left[k] = null;
      this.#summaries[k] = undefined;
    }
    this.#left[k] ??= left;
    return k;
  }

  /** From the first second that is known. @param {number} t @returns {Whole[]} */
  #whole(t) {
    const now = Math.floor(t / SECOND);
    const known = [...this.#of].filter((of) => of >= 0 && of >= now - this.#seconds && of < now);
    if (known.length === 0) return [];
    const first = Math.min(...known);
    return Array.from({ length: now - first }, (_, n) => this.#summary(first + n));
  }

  /** @param {number} second that is over @returns {Whole} */
  #summary(second) {
    const k = second % this.#of.length;
    if (this.#of[k] !== second) return nothing(second);
    let w = this.#summaries[k];
    if (w?.point.t !== second * SECOND) {
      const row = /** @type {Uint32Array} */ (this.#rows[k]);
      const total = /** @type {number} */ (this.#timed[k]);
      const point = {
        t: second * SECOND,
        p50: quantile(row, total, 0.5),
        p99: quantile(row, total, 0.99),
        ticks: /** @type {number} */ (this.#ticks[k]),
        leftOut: /** @type {Reason | null} */ (this.#left[k]),
      };
      w = { point, cells: coarse(row) };
      this.#summaries[k] = w;
    }
    return w;
  }
}

/** @param {number} second of which nothing is known @returns {Whole} */
const nothing = (second) => ({
  point: { t: second * SECOND, p50: NaN, p99: NaN, ticks: 0, leftOut: null },
  cells: new Uint32Array(CELLS),
});

/** @param {Uint32Array} row */
function coarse(row) {
  const cells = new Uint32Array(CELLS);
  row.forEach((n, b) => {
    const c = Math.floor(b / COARSE);
    cells[c] = /** @type {number} */ (cells[c]) + n;
  });
  return cells;
}
