import { BatchMeans } from './batchMeans.js';
import { DifferenceHistogram } from './histograms.js';
import { Typical } from './midmean.js';

const SLOTS = 1 << 14; // ticks that may be waiting for the other side: over a second of a feed of 16,000 ticks a second

/**
 * Pairs the two arrivals of each tick by its seq `i` and keeps what lies between them: A − B, so that more than 0
 * means B was first. Memory is bounded: a tick that comes on one side alone is overwritten by later ones.
 */
export class Pairs {
  #seq = new Float64Array(SLOTS);
  #time = new Float64Array(SLOTS);
  #side = new Int8Array(SLOTS).fill(-1); // −1: nothing waits here
  #waiting = 0;
  #dropped = 0;
  #histogram = new DifferenceHistogram();
  #batches = new BatchMeans();
  #typical = new Typical();

  /**
   * A tick arrived.
   * @param {0 | 1} side @param {number} i seq @param {number} time ms, of one clock for both sides
   * @param {number} measured ms of measured time, which orders the batches
   */
  add(side, i, time, measured) {
    const k = i % SLOTS;
    const waits = this.#side[k];
    if (waits === -1 || this.#seq[k] !== i) {
      if (waits === -1) this.#waiting++;
      else this.#dropped++;
      this.#seq[k] = i;
      this.#time[k] = time;
      this.#side[k] = side;
      return;
    }
    if (waits === side) return;
    this.#side[k] = -1;
    this.#waiting--;
    const other = /** @type {number} */ (this.#time[k]);
    const difference = side === 0 ? time - other : other - time;
    this.#histogram.add(difference);
    this.#batches.add(difference, measured);
    this.#typical.add(difference, measured);
  }

  /** Ticks that wait belong to a stretch that is over: what follows must not meet them. */
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
