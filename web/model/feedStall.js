const LEAST = 10_000; // ms
const GAPS = 20; // of the usual time between two ticks
const NEW = 1 / 64; // weight of the newest gap in the usual one

/** Tells when a feed that is connected sends no ticks, by its own pace: ten seconds say nothing of a slow one. */
export class FeedStall {
  #last = NaN;
  #gap = 0;

  /** A stream began; what was before it doesn't count. @param {number} now ms */
  begin(now) {
    this.#last = now;
    this.#gap = 0;
  }

  /** @param {number} now ms */
  tick(now) {
    const gap = now - this.#last;
    if (gap > 0 && gap < 2 * this.limit) this.#gap += (gap - this.#gap) * NEW; // what was a silence is no pace
    this.#last = now;
  }

  /** ms without a tick that are a silence. */
  get limit() {
    return Math.max(LEAST, GAPS * this.#gap);
  }

  /** @param {number} now ms */
  silent(now) {
    return now - this.#last >= this.limit;
  }
}
