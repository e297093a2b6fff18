import { t95 } from './studentT.js';

const MAX_BATCHES = 64; // neighbours are joined beyond it
const MIN_BATCHES = 10; // an interval needs at least as many

/**
 * The mean of a series of dependent values, with a 95 % interval.
 *
 * Neighbouring ticks are delayed by the same causes, so the usual standard error would be far too small. The
 * method is that of non-overlapping batch means (Law & Kelton, Simulation Modeling and Analysis, §9.5.3; Schmeiser,
 * "Batch size effects in the analysis of simulation output", Operations Research 30, 1982): the values of a second
 * make a batch, and batches of some length are nearly independent even if values are not. There are never more than
 * 64: then neighbours are joined and batches last twice as long. Where batches still depend on each other, by
 * von Neumann's ratio at the 5 % level, neighbours are joined for the interval down to no fewer than 10 (Fishman &
 * Yarberry, "An implementation of the batch means method", INFORMS J. Computing 9, 1997).
 *
 * Batches hold different numbers of values, since ticks come in bursts. So the mean is a ratio of sums, with the
 * standard error of a ratio (Cochran, Sampling Techniques, §6.4).
 */
export class BatchMeans {
  #first;
  #ms;
  /** @type {number[]} */
  #sums = [];
  /** @type {number[]} */
  #counts = [];
  #end = -Infinity; // of the newest batch
  #count = 0;
  #sum = 0;

  /** @param {{ ms?: number }} [options] ms: initial length of a batch */
  constructor({ ms = 1_000 } = {}) {
    this.#first = this.#ms = ms;
  }

  get count() {
    return this.#count;
  }

  /** NaN when empty. */
  get mean() {
    return this.#sum / this.#count;
  }

  /** @param {number} value @param {number} t ms of measured time, not decreasing */
  add(value, t) {
    this.#count++;
    this.#sum += value;
    if (t >= this.#end) {
      if (this.#sums.length === MAX_BATCHES) this.#join();
      this.#sums.push(0);
      this.#counts.push(0);
      this.#end = (Math.floor(t / this.#ms) + 1) * this.#ms;
    }
    const k = this.#sums.length - 1;
    this.#sums[k] = /** @type {number} */ (this.#sums[k]) + value;
    this.#counts[k] = /** @type {number} */ (this.#counts[k]) + 1;
  }

  clear() {
    this.#sums = [];
    this.#counts = [];
    this.#end = -Infinity;
    this.#count = this.#sum = 0;
    this.#ms = this.#first;
  }

  /**
   * @returns {{ error: number, batches: number, ms: number }} half width of the 95 % interval of the mean, NaN below 10
   *   complete batches; number of batches and length of one, ms
   */
  interval() {
    // The newest batch is incomplete and would count as a full degree of freedom.
    const { error, batches, joined } = interval(this.#sums.slice(0, -1), this.#counts.slice(0, -1));
    return { error, batches, ms: this.#ms * joined };
  }

  #join() {
    this.#sums = paired(this.#sums);
    this.#counts = paired(this.#counts);
    this.#ms *= 2;
  }
}

/**
 * The 95 % interval of Σ sums / Σ counts.
 * @param {number[]} sums of batches @param {number[]} counts of values in each
 * @returns {{ error: number, batches: number, joined: number }} half width, NaN below 10 batches; number
 *   of batches, and how many of the given were joined into one
 */
export function interval(sums, counts) {
  let joined = 1;
  while (sums.length >= 2 * MIN_BATCHES && correlated(sums, counts)) {
    sums = paired(sums);
    counts = paired(counts);
    joined *= 2;
  }
  const batches = sums.length;
  return { error: batches < MIN_BATCHES ? NaN : t95(batches - 1) * standardError(sums, counts), batches, joined };
}

/** Sums of neighbours; the oldest is dropped when their number is odd. @param {number[]} x */
function paired(x) {
  /** @type {number[]} */
  const out = [];
  for (let k = x.length % 2; k < x.length; k += 2) out.push(/** @type {number} */ (x[k]) + /** @type {number} */ (x[k + 1]));
  return out;
}

/** Standard error of the ratio Σ sums / Σ counts. @param {number[]} sums @param {number[]} counts */
function standardError(sums, counts) {
  const n = sums.length;
  const total = counts.reduce((a, b) => a + b, 0);
  return Math.sqrt(((n / (n - 1)) * residuals(sums, counts).reduce((a, d) => a + d * d, 0)) / total ** 2);
}

/** Each batch's sum less its share of the mean. @param {number[]} sums @param {number[]} counts */
function residuals(sums, counts) {
  const mean = sums.reduce((a, b) => a + b, 0) / counts.reduce((a, b) => a + b, 0);
  return sums.map((s, k) => s - mean * /** @type {number} */ (counts[k]));
}

/**
 * Reports whether neighbouring batches are positively correlated. For independent batches, 1 − (von Neumann's ratio) / 2
 * is nearly normal with mean 0 and variance (n − 2) / (n² − 1). The test is one-sided.
 * @param {number[]} sums @param {number[]} counts
 */
function correlated(sums, counts) {
  const d = residuals(sums, counts);
  const n = d.length;
  const square = d.reduce((a, x) => a + x * x, 0);
  if (square === 0) return false;
  let steps = 0;
  for (let k = 1; k < n; k++) steps += (/** @type {number} */ (d[k]) - /** @type {number} */ (d[k - 1])) ** 2;
  return 1 - steps / (2 * square) > 1.645 * Math.sqrt((n - 2) / (n * n - 1));
}
