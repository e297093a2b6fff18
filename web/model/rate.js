/** How much comes in a second, over the newest few whole slices of time. Bounded memory. */
export class Rate {
  #sums;
  #of;
  #ms;
  #since = NaN;

  /** @param {{ window?: number, slices?: number }} [options] window in ms; how many slices it has */
  constructor({ window = 3_000, slices = 12 } = {}) {
    this.#ms = window / slices;
    this.#sums = new Float64Array(slices + 1); // one more, which is being filled
    this.#of = new Float64Array(slices + 1).fill(-1);
  }

  /** @param {number} amount @param {number} t ms */
  add(amount, t) {
    if (Number.isNaN(this.#since)) this.#since = t;
    const stretch = Math.floor(t / this.#ms);
    const k = stretch % this.#sums.length;
    if (this.#of[k] !== stretch) {
      this.#of[k] = stretch;
      this.#sums[k] = 0;
    }
    this.#sums[k] = /** @type {number} */ (this.#sums[k]) + amount;
  }

  /** @param {number} t ms @returns {number} a second; 0 when nothing came */
  perSecond(t) {
    const now = Math.floor(t / this.#ms);
    // The slice of now isn't whole yet. Before the window is full, only the time since the start counts.
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
