import { BUCKETS, bucket, middle, upper } from '../../model/histogram.js';

/** @typedef {import('./types.js').Distribution} Distribution */
/** @typedef {import('./types.js').Buckets} Buckets */

/** Ends of the buckets of one side of 0: 0, 0.001, …, a million; ms. */
const ENDS = Float64Array.from({ length: BUCKETS + 1 }, (_, b) => (b === 0 ? 0 : upper(b - 1)));

/**
 * The value below which a share q lies, from counts on the scale of stats/histogram.js. Inside the bucket it goes on
 * evenly in the logarithm, so that the figure doesn't jump by whole buckets.
 * @param {ArrayLike<number>} counts @param {number} total @param {number} q from 0 to 1 @returns {number} NaN when empty
 */
export function quantile(counts, total, q) {
  if (!(total > 0)) return NaN;
  const rank = Math.min(total, Math.max(q * total, Number.MIN_VALUE));
  let below = 0;
  for (let b = 0; b < counts.length; b++) {
    const here = /** @type {number} */ (counts[b]);
    if (here > 0 && below + here >= rank) {
      if (b === 0) return 0;
      const share = (rank - below) / here;
      const low = /** @type {number} */ (ENDS[b]);
      return low * (/** @type {number} */ (ENDS[b + 1]) / low) ** share;
    }
    below += here;
  }
  return NaN;
}

/** All values since the last clear, from 0.001 to a million within 2.5 % (5 % between neighbours). Constant memory. */
export class LatencyHistogram {
  counts = new Uint32Array(BUCKETS);
  count = 0;
  #sum = 0;
  #max = -Infinity;

  /** @param {number} value one below 0, which a clock's error can make, counts as 0; NaN doesn't count */
  add(value) {
    if (Number.isNaN(value)) return;
    const b = bucket(value);
    this.counts[b] = /** @type {number} */ (this.counts[b]) + 1;
    this.count++;
    this.#sum += value;
    if (value > this.#max) this.#max = value;
  }

  clear() {
    this.counts.fill(0);
    this.count = this.#sum = 0;
    this.#max = -Infinity;
  }

  /** @returns {Distribution} */
  distribution() {
    const { count } = this;
    // A quantile read from a bucket could come out above the exact maximum.
    const at = (/** @type {number} */ q) => Math.min(quantile(this.counts, count, q), Math.max(0, this.#max));
    if (count === 0) return { count, mean: NaN, p50: NaN, p90: NaN, p99: NaN, p999: NaN, max: NaN };
    return { count, mean: this.#sum / count, p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: this.#max };
  }

  /** @returns {Buckets} a copy */
  buckets() {
    return { bounds: ENDS, counts: this.counts.slice() };
  }
}

const SIDE = BUCKETS - 1; // buckets above 0.001 on each side of the middle one
const SIGNED_ENDS = Float64Array.from({ length: 2 * SIDE + 2 }, (_, k) => {
  const b = k - SIDE; // from −SIDE to SIDE + 1: ends of the middle bucket are b = 0 and b = 1
  return b <= 0 ? -upper(-b) : upper(b - 1);
});

/** How many buckets the scale of differences has. */
export const SIGNED = 2 * SIDE + 1;

/** Which bucket of the scale of differences counts a value. @param {number} value */
export function signedBucket(value) {
  const b = bucket(Math.abs(value));
  return value < 0 ? SIDE - b : SIDE + b;
}

/** Differences, on a scale that is logarithmic on both sides of a middle bucket of ± 0.001. Constant memory. */
export class DifferenceHistogram {
  counts = new Uint32Array(SIGNED);
  count = 0;

  /** @param {number} value */
  add(value) {
    const k = signedBucket(value);
    this.counts[k] = /** @type {number} */ (this.counts[k]) + 1;
    this.count++;
  }

  clear() {
    this.counts.fill(0);
    this.count = 0;
  }

  /** NaN when empty. */
  get median() {
    let left = this.count / 2;
    if (left === 0) return NaN;
    for (let k = 0; k < this.counts.length; k++) {
      left -= /** @type {number} */ (this.counts[k]);
      if (left <= 0) return k < SIDE ? -middle(SIDE - k) : middle(k - SIDE);
    }
    return NaN;
  }

  /** @returns {Buckets} a copy */
  buckets() {
    return { bounds: SIGNED_ENDS, counts: this.counts.slice() };
  }
}
