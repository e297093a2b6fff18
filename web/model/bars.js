// Bars of open, high, low, close and volume, from history first and ticks then, counted as the server counts them. Pure.

/** @typedef {{ t: number, o: number, h: number, l: number, c: number, v: number }} Bar t: µs since 1970 at which it starts */
/** @typedef {{ p: number, v: number, t: number, i: number }} Trade what a bar needs of a quote: `v` is the volume of the day */

/** µs @type {Readonly<Record<string, number>>} */
export const widths = Object.freeze({ '10s': 10e6, '1m': 60e6, '5m': 300e6, '15m': 900e6, '1h': 3600e6 });

const DAY = 86_400e6; // µs

export class Bars {
  #width;
  /** @type {Bar[]} ascending, no two of one start */
  #bars = [];
  #volume = NaN; // of the day, at #seq
  #day = NaN; // days since 1970, at #seq
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

  /**
   * Takes history that holds up to a seq in place of what is here.
   * @param {readonly Bar[]} bars ascending @param {number} seq @param {number} [day] the day's volume at seq
   * @param {boolean} [keep] leaves the bars before its first, if the two meet
   * @returns {boolean} whether older bars stay
   */
  load(bars, seq, day = NaN, keep = false) {
    const first = bars[0];
    const last = this.#bars.at(-1);
    const older = keep && first && last && last.t >= first.t ? this.#bars.slice(0, this.find(first.t)) : [];
    this.#bars = [...older, ...bars.map((b) => ({ ...b }))];
    this.#volume = day;
    this.#day = Math.floor((this.#bars.at(-1)?.t ?? NaN) / DAY);
    this.#seq = seq;
    return older.length > 0;
  }

  /** Another log counts its seqs and volumes anew; the bars stay to be seen until its history is here. */
  restart() {
    this.#seq = -1;
    this.#volume = this.#day = NaN;
  }

  /** Puts older bars in front; those that aren't older than the first are left out. @param {readonly Bar[]} bars ascending */
  prepend(bars) {
    const first = this.#bars[0]?.t ?? Infinity;
    this.#bars = [...bars.filter((b) => b.t < first).map((b) => ({ ...b })), ...this.#bars];
  }

  /** Drops the oldest bars beyond so many. @param {number} most */
  trim(most) {
    this.#bars.splice(0, this.#bars.length - most);
  }

  /** The index of the first bar that starts at a moment or after it. @param {number} t µs */
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
   * Takes a tick. One that is in already changes nothing; one that is older than the newest bar counts into that bar,
   * since a chart can't change the past.
   * @param {Trade} q
   * @returns {boolean} whether the newest bar changed or one was added
   */
  apply(q) {
    if (q.i <= this.#seq) return false;
    this.#seq = q.i;
    const today = Math.floor(q.t / DAY);
    const fresh = q.v < this.#volume || today !== this.#day; // a new day, or a feed that starts its count again
    const traded = Number.isNaN(this.#volume) ? 0 : fresh ? q.v : q.v - this.#volume;
    this.#volume = q.v;
    this.#day = today;
    const last = this.#bars.at(-1);
    if (last && q.t < last.t + this.#width) {
      if (q.p > last.h) last.h = q.p;
      if (q.p < last.l) last.l = q.p;
      last.c = q.p;
      last.v += traded;
    } else {
      this.#bars.push({ t: Math.floor(q.t / this.#width) * this.#width, o: q.p, h: q.p, l: q.p, c: q.p, v: traded });
    }
    return true;
  }
}
