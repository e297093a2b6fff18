const LEAST = 10_000; // ms
const INTERVALS = 20; // mean intervals between ticks
const WEIGHT = 1 / 64; // of the newest interval in the mean

/** Detects that a connected feed sends no ticks, relative to its mean interval between ticks. */
export class FeedStall {
  #last = NaN;
  #mean = 0; // ms

  /** Handles the start of a stream. @param {number} now ms */
  begin(now) {
    this.#last = now;
    this.#mean = 0;
  }

  /** @param {number} now ms */
  tick(now) {
    const interval = now - this.#last;
    if (interval > 0 && interval < 2 * this.limit) this.#mean += (interval - this.#mean) * WEIGHT; // a stall is left out
    this.#last = now;
  }

  /** Ms without a tick after which the feed is stalled. */
  get limit() {
    return Math.max(LEAST, INTERVALS * this.#mean);
  }

  /** @param {number} now ms */
  stalled(now) {
    return now - this.#last >= this.limit;
  }
}
