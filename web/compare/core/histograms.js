import { BUCKETS, bucket, middle, upper } from '../../model/histogram.js';

/** @typedef {import('./types.js').Distribution} Distribution */
/** @typedef {import('./types.js').Buckets} Buckets */

/** Bounds of the buckets above 0: 0, 0.001, … 1,000,000 ms. */
const ENDS = Float64Array.from({ length: BUCKETS + 1 }, (_, b) => (b === 0 ? 0 : upper(b - 1)));

/**
 * The q-quantile of counts on the scale of model/histogram.js. Interpolates within a bucket on a logarithmic scale, so
 * that the result does not jump from bucket to bucket.
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

/** Values from 0.001 to 1,000,000 ms within 2.5 % (buckets are 5 % wide), in constant memory. */
export class LatencyHistogram {
  counts = new Uint32Array(BUCKETS);
  count = 0;
  #sum = 0;
  #max = -Infinity;

  /** @param {number} value ms; negative values, which clock error can cause, count as 0; NaN is ignored */
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
    // Interpolation could exceed the exact maximum.
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
  const b = k - SIDE; // −SIDE … SIDE + 1; the middle bucket is between b = 0 and b = 1
  return b <= 0 ? -upper(-b) : upper(b - 1);
});

/** Number of buckets on the scale of differences. */
export const SIGNED = 2 * SIDE + 1;

/** Bucket of a difference. @param {number} value */
export function signedBucket(value) {
  const b = bucket(Math.abs(value));
  return value < 0 ? SIDE - b : SIDE + b;
}

/** Differences on a scale that is logarithmic on both sides of 0, with a middle bucket of ± 0.001 ms. Constant memory. */
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
