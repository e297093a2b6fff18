import { interval } from './batchMeans.js';
import { SIGNED, signedBucket } from './histograms.js';
import { Timeline } from './timeline.js';

/**
 * The midmean of a series of values, the mean of the middle half (Tukey, Exploratory Data Analysis, 1977), with a 95 %
 * interval.
 *
 * On a busy machine one side may pause for half a second. That moves a mean by more than the lanes differ. A median resists
 * it too, but jumps when the sides alternate in being first; the midmean does not. Its error follows from the values
 * clamped to the quartiles, each of which moves the midmean by twice its share (influence function of a trimmed mean: Huber
 * & Ronchetti, Robust Statistics, §3.3; Tukey & McLaughlin, Sankhyā A 25, 1963). The mean of the clamped values is
 * estimated by batch means as in batchMeans.js, since neighbours are dependent.
 */
export class Midmean {
  #run;

  /** @param {{ ms?: number }} [options] ms: initial length of a section */
  constructor({ ms } = {}) {
    this.#run = new Timeline(() => new Section(), ms);
  }

  /** @param {number} value @param {number} t ms of measured time, not decreasing */
  add(value, t) {
    this.#run.at(t).add(value);
  }

  clear() {
    this.#run.clear();
  }

  /** @returns {import('./types.js').Estimate} error is NaN below ten complete sections */
  estimate() {
    const all = this.#run.whole();
    const low = all.bucketAt(0.25);
    const high = all.bucketAt(0.75);
    const [from, to] = [all.mean(low), all.mean(high)];
    const whole = this.#run.sections.slice(0, -1); // the newest is incomplete
    const { error } = interval(whole.map((s) => s.clamped(low, from, high, to)), whole.map((s) => s.count));
    return { value: all.middle, error: 2 * error };
  }
}

/** Counts and sums of values by bucket. */
class Section {
  counts = new Uint32Array(SIGNED);
  sums = new Float64Array(SIGNED);
  count = 0;

  /** @param {number} value */
  add(value) {
    const b = signedBucket(value);
    this.counts[b] = /** @type {number} */ (this.counts[b]) + 1;
    this.sums[b] = /** @type {number} */ (this.sums[b]) + value;
    this.count++;
  }

  /** @param {Section} other */
  join(other) {
    for (let b = 0; b < SIGNED; b++) {
      this.counts[b] = /** @type {number} */ (this.counts[b]) + /** @type {number} */ (other.counts[b]);
      this.sums[b] = /** @type {number} */ (this.sums[b]) + /** @type {number} */ (other.sums[b]);
    }
    this.count += other.count;
  }

  /** Bucket of the q-quantile. @param {number} q */
  bucketAt(q) {
    let left = q * this.count;
    return this.counts.findIndex((n) => (left -= n) <= 0);
  }

  /** @param {number} b @returns {number} mean of a bucket's values */
  mean(b) {
    return /** @type {number} */ (this.sums[b]) / /** @type {number} */ (this.counts[b]);
  }

  /**
   * The sum of all values, with those below bucket `low` replaced by `from` and those above `high` by `to`.
   * @param {number} low @param {number} from @param {number} high @param {number} to
   */
  clamped(low, from, high, to) {
    let sum = 0;
    for (let b = 0; b < SIGNED; b++) {
      const n = /** @type {number} */ (this.counts[b]);
      if (n > 0) sum += b < low ? n * from : b > high ? n * to : /** @type {number} */ (this.sums[b]);
    }
    return sum;
  }

  /** Mean of the middle half; NaN when empty. */
  get middle() {
    const low = this.count / 4;
    const high = 3 * low;
    let below = 0;
    let sum = 0;
    for (let b = 0; b < SIGNED && below < high; b++) {
      const here = /** @type {number} */ (this.counts[b]);
      const inside = Math.min(below + here, high) - Math.max(below, low);
      if (inside > 0) sum += (inside / here) * /** @type {number} */ (this.sums[b]);
      below += here;
    }
    return sum / (high - low);
  }
}
