/** An amount per second, over the newest complete slices of a sliding window. */
export class Rate {
  #sums;
  #of; // the number of the interval since 1970 that each slice holds
  #ms;
  #since = NaN;

  /** @param {{ window?: number, slices?: number }} [options] window: its length in ms; slices: how many it has */
  constructor({ window = 3_000, slices = 12 } = {}) {
    this.#ms = window / slices;
    this.#sums = new Float64Array(slices + 1); // one more for the incomplete slice
    this.#of = new Float64Array(slices + 1).fill(-1);
  }

  /** @param {number} amount @param {number} t ms */
  add(amount, t) {
    if (Number.isNaN(this.#since)) this.#since = t;
    const interval = Math.floor(t / this.#ms);
    const k = interval % this.#sums.length;
    if (this.#of[k] !== interval) {
      this.#of[k] = interval;
      this.#sums[k] = 0;
    }
    this.#sums[k] = /** @type {number} */ (this.#sums[k]) + amount;
  }

  /** @param {number} t ms @returns {number} per second; 0 when nothing was added */
  perSecond(t) {
    const now = Math.floor(t / this.#ms);
    // The present slice is incomplete. Before the window is full, only the time since the start counts.
    const whole = Math.min(this.#sums.length - 1, now - Math.floor(this.#since / this.#ms));
    if (!(whole > 0)) return 0;
    let sum = 0;
    this.#of.forEach((of, k) => {
      if (of >= now - whole && of < now) sum += /** @type {number} */ (this.#sums[k]);
    });
    return (sum * 1000) / (whole * this.#ms);
  }

  clear() {
    this.#of.fill(-1);
    this.#since = NaN;
  }
}
