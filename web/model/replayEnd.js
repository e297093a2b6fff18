const QUIET = 3_000; // ms without a tick after which the server is asked
const EVERY = 15_000; // ms between two requests

/** Finds out whether the replay has ended: once no tick has come for some seconds, the server is asked. */
export class ReplayEnd {
  /** Ms since 1970 of its end by the server's clock; 0 while it runs. */
  at = 0;
  #read;
  #tickAt = -Infinity;
  #askedAt = -Infinity;

  /** @param {(() => Promise<number | null>) | null} read asks the server for the end, in µs since 1970; null for a feed without an end */
  constructor(read) {
    this.#read = read;
  }

  /** Handles a tick, or the start of a stream, after which ticks may come. @param {number} now ms */
  tick(now) {
    this.#tickAt = now;
    this.at = 0;
  }

  /** Asks the server if that is due. @param {number} now ms */
  check(now) {
    if (!this.#read || this.at > 0 || now - this.#tickAt < QUIET || now - this.#askedAt < EVERY) return;
    const tickAt = this.#tickAt;
    this.#askedAt = now;
    this.#read().then((end) => {
      if (tickAt === this.#tickAt) this.at = (end ?? 0) / 1000; // else a tick has come meanwhile
    }, () => {}); // asked again
  }
}
