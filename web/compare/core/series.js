import { BUCKETS, bucket } from '../../model/histogram.js';
import { quantile } from './histograms.js';

/** @typedef {import('./types.js').Reason} Reason */
/** @typedef {import('./types.js').SeriesPoint} SeriesPoint */
/** @typedef {import('./types.js').Heat} Heat */
/** @typedef {{ point: SeriesPoint, cells: Uint32Array }} Summary */

const SECOND = 1_000;
const COARSE = 6; // histogram buckets in a cell of the heatmap: 8 cells per decade
const CELLS = Math.ceil(BUCKETS / COARSE);
/** Bounds of the cells, ms. */
const BOUNDS = Float64Array.from({ length: CELLS + 1 }, (_, k) => (k === 0 ? 0 : 0.001 * 10 ** ((k * COARSE - 1) / 48)));

/**
 * Ticks and latencies of a side in each of the newest seconds. Seconds that are left out are included and marked, so that
 * drills are visible.
 */
export class Series {
  #seconds;
  #of;
  #rows;
  #ticks;
  #timed;
  /** @type {(Reason | null)[]} */
  #left;
  /** Cached summaries of past seconds. @type {(Summary | undefined)[]} */
  #summaries = [];

  /** @param {number} [seconds] to keep */
  constructor(seconds = 120) {
    this.#seconds = seconds;
    const slots = seconds + 1; // plus the current one
    this.#of = new Float64Array(slots).fill(-1);
    this.#rows = Array.from({ length: slots }, () => new Uint32Array(BUCKETS));
    this.#ticks = new Uint32Array(slots);
    this.#timed = new Uint32Array(slots);
    this.#left = Array.from({ length: slots }, () => null);
  }

  /** @param {number} latency ms; NaN counts the tick only @param {number} t local ms @param {Reason | null} left */
  add(latency, t, left) {
    const k = this.#slot(t, left);
    this.#ticks[k] = /** @type {number} */ (this.#ticks[k]) + 1;
    if (Number.isNaN(latency)) return;
    this.#timed[k] = /** @type {number} */ (this.#timed[k]) + 1;
    const row = /** @type {Uint32Array} */ (this.#rows[k]);
    const b = bucket(latency);
    row[b] = /** @type {number} */ (row[b]) + 1;
  }

  /** Records that time has passed, with or without ticks. @param {number} t local ms @param {Reason | null} left */
  mark(t, left) {
    this.#slot(t, left);
  }

  clear() {
    this.#of.fill(-1);
    this.#summaries = [];
  }

  /** The complete seconds before `t`, oldest first. @param {number} t local ms @returns {SeriesPoint[]} */
  points(t) {
    return this.#past(t).map((w) => w.point);
  }

  /** Time × latency. @param {number} t local ms @returns {Heat} */
  heat(t) {
    const past = this.#past(t);
    return { t: past.map((w) => w.point.t), bounds: BOUNDS, rows: past.map((w) => w.cells) };
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

  /** Summaries from the first recorded second on. @param {number} t @returns {Summary[]} */
  #past(t) {
    const now = Math.floor(t / SECOND);
    const known = [...this.#of].filter((of) => of >= 0 && of >= now - this.#seconds && of < now);
    if (known.length === 0) return [];
    const first = Math.min(...known);
    return Array.from({ length: now - first }, (_, n) => this.#summary(first + n));
  }

  /** @param {number} second a past one @returns {Summary} */
  #summary(second) {
    const k = second % this.#of.length;
    if (this.#of[k] !== second) return emptySummary(second);
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

/** @param {number} second without data @returns {Summary} */
const emptySummary = (second) => ({
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
