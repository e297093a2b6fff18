import { BatchMeans } from './batchMeans.js';
import { DifferenceHistogram } from './histograms.js';
import { Midmean } from './midmean.js';

const SLOTS = 1 << 14; // ticks waiting for the other side: a second of 16,000 ticks/s

/**
 * Pairs the two arrivals of each tick by its seq `i` and collects the differences A − B: above 0, B was first. Memory is
 * bounded: a tick that arrives on one side only is overwritten by later ones.
 */
export class Pairs {
  #seq = new Float64Array(SLOTS);
  #time = new Float64Array(SLOTS);
  #side = new Int8Array(SLOTS).fill(-1); // −1: empty
  #waiting = 0;
  #dropped = 0;
  #histogram = new DifferenceHistogram();
  #batches = new BatchMeans();
  #typical = new Midmean();

  /**
   * Records an arrival.
   * @param {0 | 1} side @param {number} i seq @param {number} time ms, by one clock for both sides
   * @param {number} measured ms of measured time
   */
  add(side, i, time, measured) {
    const k = i % SLOTS;
    const waiting = this.#side[k];
    if (waiting === -1 || this.#seq[k] !== i) {
      if (waiting === -1) this.#waiting++;
      else this.#dropped++;
      this.#seq[k] = i;
      this.#time[k] = time;
      this.#side[k] = side;
      return;
    }
    if (waiting === side) return;
    this.#side[k] = -1;
    this.#waiting--;
    const other = /** @type {number} */ (this.#time[k]);
    const difference = side === 0 ? time - other : other - time;
    this.#histogram.add(difference);
    this.#batches.add(difference, measured);
    this.#typical.add(difference, measured);
  }

  /** Drops the ticks that wait for the other side: pairs must not span the end of a stretch. */
  forget() {
    this.#side.fill(-1);
    this.#dropped += this.#waiting;
    this.#waiting = 0;
  }

  clear() {
    this.forget();
    this.#dropped = 0;
    this.#histogram.clear();
    this.#batches.clear();
    this.#typical.clear();
  }

  /** @returns {Omit<import('./types.js').PairResult, 'label'>} */
  result() {
    const { error, batches, ms } = this.#batches.interval();
    return {
      count: this.#batches.count,
      unpaired: this.#dropped,
      typical: this.#typical.estimate(),
      mean: this.#batches.mean,
      median: this.#histogram.median,
      error,
      batches,
      batchMs: ms,
      histogram: this.#histogram.buckets(),
    };
  }
}
