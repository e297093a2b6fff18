// Moving averages of closes. The newest bar's value costs the same however many bars there are. Pure.

/** @typedef {import('./bars.js').Bar} Bar */

const cents = (/** @type {Bar} */ b) => Math.round(b.c * 100);

/**
 * A simple average is the mean of the last n closes; sums are of whole cents, so no error adds up. An exponential one
 * begins with the simple average of the first n and gives each further close the weight 2 / (n + 1).
 */
export class Average {
  #n;
  #exponential;
  #done = 0; // bars that are taken for good: all before the newest that was asked for
  #sum = 0; // cents of the last n − 1 of them
  #last = NaN; // the average of the newest of them

  /** @param {'sma' | 'ema'} kind @param {number} n */
  constructor(kind, n) {
    this.#exponential = kind === 'ema';
    this.#n = n;
  }

  /** Starts over, for other bars than before. */
  reset() {
    this.#done = this.#sum = 0;
    this.#last = NaN;
  }

  /**
   * The average at a bar; NaN where it has fewer than n. Bars before it must be those of the last call, and `k` never
   * goes back but by a reset.
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

  /** @param {Bar} b the one after those that are done */
  #of(b) {
    if (this.#done < this.#n - 1) return NaN;
    if (this.#exponential && this.#done >= this.#n) return this.#last + (2 / (this.#n + 1)) * (b.c - this.#last);
    return (this.#sum + cents(b)) / (100 * this.#n);
  }
}
