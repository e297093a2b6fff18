import { dayOf, dayStart, isNewDay } from './instruments.js';

/** @typedef {{ t: number, o: number, h: number, l: number, c: number, v: number }} Bar open, high, low, close and volume; t: µs since 1970 of its start */
/** @typedef {{ p: number, v: number, t: number, i: number }} Trade the fields of a quote that a bar needs; v: the day's volume */

/** µs by interval. @type {Readonly<Record<string, number>>} */
export const widths = Object.freeze({ '10s': 10e6, '1m': 60e6, '5m': 300e6, '15m': 900e6, '1h': 3600e6, '1d': 86_400e6 });

/** Bars from history and then from ticks, computed as the server does. */
export class Bars {
  #width;
  #symbol;
  /** @type {Bar[]} ascending, with distinct starts */
  #bars = [];
  #volume = NaN; // the day's, at #seq
  #time = NaN; // a time of that day, in µs
  #seq = -1;

  /** @param {number} width µs @param {string} [symbol] whose days have these bars */
  constructor(width, symbol = '') {
    this.#width = width;
    this.#symbol = symbol;
  }

  /** @returns {readonly Bar[]} */
  get list() {
    return this.#bars;
  }

  /** The seq up to which all ticks are included; −1 before the first. */
  get seq() {
    return this.#seq;
  }

  /**
   * Replaces the bars with history up to a seq.
   * @param {readonly Bar[]} bars ascending @param {number} seq @param {number} [day] the day's volume at seq
   * @param {boolean} [keep] keeps the bars before its first, if there is no hole between them
   * @returns {boolean} whether older bars were kept
   */
  load(bars, seq, day = NaN, keep = false) {
    const first = bars[0];
    const last = this.#bars.at(-1);
    const older = keep && first && last && last.t >= first.t ? this.#bars.slice(0, this.find(first.t)) : [];
    this.#bars = [...older, ...bars.map((b) => ({ ...b }))];
    this.#volume = day;
    this.#time = this.#bars.at(-1)?.t ?? NaN;
    this.#seq = seq;
    return older.length > 0;
  }

  /** Handles another log, which restarts seqs and volumes. The bars stay visible until its history is loaded. */
  restart() {
    this.#seq = -1;
    this.#volume = this.#time = NaN;
  }

  /** Prepends older bars; those that are not older than the first are ignored. @param {readonly Bar[]} bars ascending */
  prepend(bars) {
    const first = this.#bars[0]?.t ?? Infinity;
    this.#bars = [...bars.filter((b) => b.t < first).map((b) => ({ ...b })), ...this.#bars];
  }

  /** Drops the oldest bars above a number. @param {number} most */
  trim(most) {
    this.#bars.splice(0, this.#bars.length - most);
  }

  /** The index of the first bar that starts at or after a time. @param {number} t µs */
  find(t) {
    let low = 0;
    let high = this.#bars.length;
    while (low < high) {
      const mid = (low + high) >> 1;
      if (/** @type {Bar} */ (this.#bars[mid]).t < t) low = mid + 1;
      else high = mid;
    }
    return low;
  }

  /**
   * Applies a tick. One that is already included is ignored; one older than the newest bar is added to that bar, since the
   * chart only updates its newest bar.
   * @param {Trade} q
   * @returns {boolean} whether the newest bar changed or one was added
   */
  apply(q) {
    if (q.i <= this.#seq) return false;
    this.#seq = q.i;
    const fresh = isNewDay(this.#symbol, q, { t: this.#time, v: this.#volume });
    const traded = Number.isNaN(this.#volume) ? 0 : fresh ? q.v : q.v - this.#volume;
    this.#volume = q.v;
    this.#time = q.t;
    const last = this.#bars.at(-1);
    if (last && !this.#ends(last, q.t)) {
      if (q.p > last.h) last.h = q.p;
      if (q.p < last.l) last.l = q.p;
      last.c = q.p;
      last.v += traded;
    } else {
      this.#bars.push({ t: this.#start(q.t), o: q.p, h: q.p, l: q.p, c: q.p, v: traded });
    }
    return true;
  }

  /** Reports whether a time is after a bar. @param {Bar} bar @param {number} t µs */
  #ends(bar, t) {
    return this.#daily ? dayOf(this.#symbol, t) > dayOf(this.#symbol, bar.t) : t >= bar.t + this.#width;
  }

  /** The start of the bar of a time. @param {number} t µs */
  #start(t) {
    return this.#daily ? dayStart(this.#symbol, t) : Math.floor(t / this.#width) * this.#width;
  }

  get #daily() {
    return this.#width === widths['1d'];
  }
}
