const PER_DECADE = 48; // buckets: each is 4.9 % wide, so its middle is at most 2.5 % off
const LOWEST = 0.001; // upper bound of the first bucket
const DECADES = 9; // up to a million

/** The number of buckets. */
export const BUCKETS = PER_DECADE * DECADES + 1;

/** The bucket of a value; the first holds values up to 0.001, the last those above a million. @param {number} value */
export function bucket(value) {
  if (!(value > LOWEST)) return 0;
  return Math.min(BUCKETS - 1, 1 + Math.floor(Math.log10(value / LOWEST) * PER_DECADE));
}

/** The upper bound of a bucket. @param {number} b */
export const upper = (b) => LOWEST * 10 ** (b / PER_DECADE);

/** The geometric middle of a bucket. @param {number} b */
export const middle = (b) => (b === 0 ? 0 : LOWEST * 10 ** ((b - 0.5) / PER_DECADE));

/**
 * Counts values from 0.001 to a million with an error of at most 2.5 %, over a sliding window of time. The window has a
 * fixed number of slices, and the oldest slice is dropped as a whole.
 */
export class Histogram {
  #slices;
  #of; // the number of the interval since 1970 that each slice holds
  #ms;

  /** @param {{ window?: number, slices?: number }} [options] window: its length in ms; slices: how many it has */
  constructor({ window = 30_000, slices = 10 } = {}) {
    this.#ms = window / slices;
    this.#slices = Array.from({ length: slices }, () => new Uint32Array(BUCKETS));
    this.#of = new Float64Array(slices).fill(-1);
  }

  /** @param {number} value a negative one counts as 0; NaN is ignored @param {number} t ms */
  add(value, t) {
    if (Number.isNaN(value)) return;
    const interval = Math.floor(t / this.#ms);
    const k = interval % this.#slices.length;
    const slice = /** @type {Uint32Array} */ (this.#slices[k]);
    if (this.#of[k] !== interval) {
      slice.fill(0);
      this.#of[k] = interval;
    }
    const b = bucket(value);
    slice[b] = /** @type {number} */ (slice[b]) + 1;
  }

  /**
   * @param {number[]} quantiles each from 0 to 1
   * @param {number} t ms
   * @returns {{ count: number, values: number[] }} values are NaN when the window is empty
   */
  quantiles(quantiles, t) {
    const sum = this.#sum(t);
    const count = sum.reduce((a, b) => a + b, 0);
    return { count, values: quantiles.map((q) => (count === 0 ? NaN : at(sum, Math.max(1, Math.ceil(q * count))))) };
  }

  clear() {
    this.#of.fill(-1);
  }

  /** @param {number} t */
  #sum(t) {
    const now = Math.floor(t / this.#ms);
    const sum = new Float64Array(BUCKETS);
    this.#slices.forEach((slice, k) => {
      const of = /** @type {number} */ (this.#of[k]);
      if (of < 0 || of > now || of <= now - this.#slices.length) return;
      for (let b = 0; b < BUCKETS; b++) sum[b] = /** @type {number} */ (sum[b]) + /** @type {number} */ (slice[b]);
    });
    return sum;
  }
}

/** The rank-th smallest value. @param {Float64Array} sum @param {number} rank from 1 */
function at(sum, rank) {
  let seen = 0;
  for (let b = 0; b < BUCKETS; b++) {
    seen += /** @type {number} */ (sum[b]);
    if (seen >= rank) return middle(b);
  }
  return middle(BUCKETS - 1);
}
