// Bars of open, high, low, close and volume, from history first and ticks then. Pure.

/** @typedef {{ t: number, o: number, h: number, l: number, c: number, v: number }} Bar t: µs since 1970 at which it starts */
/** @typedef {{ p: number, v: number, t: number, i: number }} Trade what a bar needs of a quote: `v` is the volume of the day */

/** µs @type {Readonly<Record<string, number>>} */
export const widths = Object.freeze({ '10s': 10e6, '1m': 60e6, '5m': 300e6, '15m': 900e6, '1h': 3600e6 });

export class Bars {
  #width;
  /** @type {Bar[]} ascending, no two of one start */
  #bars = [];
  #volume = NaN; // of the day, at #seq
  #seq = -1;

  /** @param {number} width µs */
  constructor(width) {
    this.#width = width;
  }

  /** @returns {readonly Bar[]} */
  get list() {
    return this.#bars;
  }

  /** Everything up to this seq of the log is in; −1 before the first. */
  get seq() {
    return this.#seq;
  }

  /** Starts over from history that holds up to a seq. @param {readonly Bar[]} bars ascending @param {number} seq */
  load(bars, seq) {
    this.#bars = bars.map((b) => ({ ...b }));
    this.#volume = NaN;
    this.#seq = seq;
  }

  /**
   * Takes a tick. One that is in already changes nothing but what is known of the day's volume; one that is older than
   * the newest bar is dropped, since a chart can't change the past.
   * @param {Trade} q
   * @returns {boolean} whether the newest bar changed or one was added
   */
  apply(q) {
    const before = this.#volume;
    this.#volume = q.v;
    if (q.i <= this.#seq) return false;
    this.#seq = q.i;
    const traded = Number.isNaN(before) ? 0 : q.v >= before ? q.v - before : q.v; // less than before: a new day
    const start = Math.floor(q.t / this.#width) * this.#width;
    const last = this.#bars.at(-1);
    if (last && start < last.t) return false;
    if (last && start === last.t) {
      if (q.p > last.h) last.h = q.p;
      if (q.p < last.l) last.l = q.p;
      last.c = q.p;
      last.v += traded;
    } else {
      this.#bars.push({ t: start, o: q.p, h: q.p, l: q.p, c: q.p, v: traded });
    }
    return true;
  }
}
