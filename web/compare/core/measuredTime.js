/** @typedef {import('./types.js').Reason} Reason */

/** Order of precedence when there are several reasons. @type {Reason[]} */
const ORDER = ['frozen', 'hidden', 'drill', 'settling'];

/**
 * Divides time into measured time and time that is left out, by reason.
 */
export class MeasuredTime {
  #now;
  /** @type {Map<Reason, number>} end of each reason, ms; Infinity while unknown */
  #open = new Map();
  #since;
  #start;
  #measured = 0;
  /** @type {Record<Reason, number>} */
  #left = { settling: 0, hidden: 0, frozen: 0, drill: 0 };

  /** @param {() => number} now ms, monotonic */
  constructor(now) {
    this.#now = now;
    this.#start = this.#since = now();
  }

  /** Why time is left out now; null while time is measured. @returns {Reason | null} */
  get reason() {
    this.#advance();
    return this.#reason();
  }

  /** ms measured since the start. */
  get measured() {
    this.#advance();
    return this.#measured;
  }

  get elapsed() {
    return this.#now() - this.#start;
  }

  /** @returns {Record<Reason, number>} ms left out */
  get left() {
    this.#advance();
    return { ...this.#left };
  }

  /** @param {Reason} reason until end(), or for `ms` from now, whichever is later @param {number} [ms] */
  begin(reason, ms = Infinity) {
    this.#advance();
    this.#open.set(reason, Math.max(this.#open.get(reason) ?? 0, this.#now() + ms));
  }

  /** @param {Reason} reason @param {number} [after] ms from now for which it continues */
  end(reason, after = 0) {
    this.#advance();
    if (!this.#open.has(reason)) return;
    if (after > 0) this.#open.set(reason, this.#now() + after);
    else this.#open.delete(reason);
  }

  /** Resets all times; current reasons remain. */
  clear() {
    this.#advance();
    this.#start = this.#since;
    this.#measured = 0;
    this.#left = { settling: 0, hidden: 0, frozen: 0, drill: 0 };
  }

  /** @returns {Reason | null} */
  #reason() {
    return ORDER.find((r) => this.#open.has(r)) ?? null;
  }

  /** Accounts for the time since the last call, in pieces, since reasons may have expired in between. */
  #advance() {
    const now = this.#now();
    while (this.#since < now) {
      const reason = this.#reason();
      const until = Math.max(this.#since, Math.min(now, ...this.#open.values()));
      if (reason === null) this.#measured += until - this.#since;
      else this.#left[reason] += until - this.#since;
      this.#since = until;
      this.#expire();
    }
    this.#expire();
  }

  #expire() {
    for (const [reason, until] of this.#open) if (until <= this.#since) this.#open.delete(reason);
  }
}
