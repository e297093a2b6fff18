/** @import { Bar } from './bars.js' */

const cents = (/** @type {Bar} */ b) => Math.round(b.c * 100);

/**
 * A moving average of closes, in constant time per bar. A simple average is the mean of the last n closes, summed in whole
 * cents so that no error accumulates. An exponential one starts with the simple average of the first n and gives each
 * further close the weight 2 / (n + 1).
 */
export class Average {
  #n;
  #exponential;
  #done = 0; // bars included so far: all before the newest requested one
  #sum = 0; // cents of the last n − 1 of them
  #last = NaN; // the average of the newest of them

  /** @param {'sma' | 'ema'} kind @param {number} n */
  constructor(kind, n) {
    this.#exponential = kind === 'ema';
    this.#n = n;
  }

  /** Starts over, for other bars. */
  reset() {
    this.#done = this.#sum = 0;
    this.#last = NaN;
  }

  /**
   * The average at bar k; NaN for the first n − 1 bars. The bars before k must be those of the previous call, and k may only
   * decrease after a reset.
   * @param {readonly Bar[]} bars @param {number} k
   */
  at(bars, k) {
    while (this.#done < k) {
      const b = /** @type {Bar} */ (bars[this.#done]);
      this.#last = this.#of(b);
      this.#sum += cents(b);
      const out = bars[this.#done - this.#n + 1];
      if (out) this.#sum -= cents(out);
      this.#done++;
    }
    return this.#of(/** @type {Bar} */ (bars[k]));
  }

  /** @param {Bar} b the one after those included */
  #of(b) {
    if (this.#done < this.#n - 1) return NaN;
    if (this.#exponential && this.#done >= this.#n) return this.#last + (2 / (this.#n + 1)) * (b.c - this.#last);
    return (this.#sum + cents(b)) / (100 * this.#n);
  }
}
