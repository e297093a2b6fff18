import { units } from './units.js';

/** @import { Bar } from './bars.js' */

/**
 * A moving average of closes, in constant time per bar. A simple average is the mean of the last n closes, summed in
 * units of the last decimal so that no error accumulates. An exponential one starts with the simple average of the first n and gives each
 * further close the weight 2 / (n + 1).
 */
export class Average {
  #n;
  #exponential;
  #decimals;
  #done = 0; // bars included so far: all before the newest requested one
  #sum = 0; // units of the last n − 1 of them
  #last = NaN; // the average of the newest of them

  /** @param {'sma' | 'ema'} kind @param {number} n @param {number} decimals of the prices */
  constructor(kind, n, decimals) {
    this.#exponential = kind === 'ema';
    this.#n = n;
    this.#decimals = decimals;
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
      this.#sum += units(b.c, this.#decimals);
      const out = bars[this.#done - this.#n + 1];
      if (out) this.#sum -= units(out.c, this.#decimals);
      this.#done++;
    }
    return this.#of(/** @type {Bar} */ (bars[k]));
  }

  /** @param {Bar} b the one after those included */
  #of(b) {
    if (this.#done < this.#n - 1) return NaN;
    if (this.#exponential && this.#done >= this.#n) return this.#last + (2 / (this.#n + 1)) * (b.c - this.#last);
    return (this.#sum + units(b.c, this.#decimals)) / (units(1, this.#decimals) * this.#n);
  }
}
