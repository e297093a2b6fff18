import { interval } from './batchMeans.js';
import { SIGNED, signedBucket } from './histograms.js';
import { Timeline } from './timeline.js';

/**
 * The typical value of a stream, with a 95 % interval: the mean of the middle half (midmean; Tukey, Exploratory Data
 * Analysis, 1977).
 *
 * On a busy machine one side may stand still for half a second: that moves a mean by more than the lanes ever differ,
 * and says nothing about them. A median would be as deaf to it, but it jumps where two sides take turns in being first;
 * the midmean doesn't. How far it may be off follows from the values held to the quartiles, each of which moves it by
 * twice its share (the influence function of a trimmed mean: Huber & Ronchetti, Robust Statistics, §3.3; Tukey &
 * McLaughlin, Sankhyā A 25, 1963). Their mean has batches of the run as in batches.js, since neighbours depend on each
 * other.
 */
export class Typical {
  #run;

  /** @param {{ ms?: number }} [options] ms that a first section lasts */
  constructor({ ms } = {}) {
    this.#run = new Timeline(() => new Section(), ms);
  }

  /** @param {number} value @param {number} t ms of measured time, not falling */
  add(value, t) {
    this.#run.at(t).add(value);
  }

  clear() {
    this.#run.clear();
  }

  /** @returns {import('./types.js').Estimate} error is NaN below ten whole sections */
  estimate() {
    const all = this.#run.whole();
    const low = all.bucketAt(0.25);
    const high = all.bucketAt(0.75);
    const [from, to] = [all.mean(low), all.mean(high)];
    const whole = this.#run.sections.slice(0, -1); // the newest goes on
    const { error } = interval(whole.map((s) => s.held(low, from, high, to)), whole.map((s) => s.count));
    return { value: all.middle, error: 2 * error };
  }
}

/** Values by bucket, with the sum of each, so that a middle is exact where values are alike. */
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

  /** Which bucket holds the value below which a share q lies. @param {number} q */
  bucketAt(q) {
    let left = q * this.count;
    return this.counts.findIndex((n) => (left -= n) <= 0);
  }

  /** @param {number} b @returns {number} mean of the values in a bucket */
  mean(b) {
    return /** @type {number} */ (this.sums[b]) / /** @type {number} */ (this.counts[b]);
  }

  /**
   * The sum of all values, those outside of two buckets counted as the buckets' own.
   * @param {number} low @param {number} from @param {number} high @param {number} to
   */
  held(low, from, high, to) {
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
