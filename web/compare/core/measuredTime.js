/** @typedef {import('./types.js').Reason} Reason */

/** Of several reasons at once, the first of these is counted. @type {Reason[]} */
const ORDER = ['frozen', 'hidden', 'drill', 'settling'];

/**
 * The time that counts. While there is any reason to leave time out, nothing is measured, and what was left out is
 * counted by reason.
 */
export class MeasuredTime {
  #now;
  /** @type {Map<Reason, number>} until when, ms; Infinity while open */
  #open = new Map();
  #since;
  #start;
  #measured = 0;
  /** @type {Record<Reason, number>} */
  #left = { settling: 0, hidden: 0, frozen: 0, drill: 0 };

  /** @param {() => number} now ms, never falling */
  constructor(now) {
    this.#now = now;
    this.#start = this.#since = now();
  }

  /** Why time is left out now; null while it is measured. @returns {Reason | null} */
  get reason() {
    this.#settle();
    return this.#reason();
  }

  /** ms measured since the start. */
  get measured() {
    this.#settle();
    return this.#measured;
  }

  get elapsed() {
    return this.#now() - this.#start;
  }

  /** @returns {Record<Reason, number>} ms left out */
  get left() {
    this.#settle();
    return { ...this.#left };
  }

  /** @param {Reason} reason until end(), or for `ms` from now, whichever is later @param {number} [ms] */
  begin(reason, ms = Infinity) {
    this.#settle();
    this.#open.set(reason, Math.max(this.#open.get(reason) ?? 0, this.#now() + ms));
  }

  /** @param {Reason} reason @param {number} [after] ms from now for which it goes on: what piled up must drain */
  end(reason, after = 0) {
    this.#settle();
    if (!this.#open.has(reason)) return;
    if (after > 0) this.#open.set(reason, this.#now() + after);
    else this.#open.delete(reason);
  }

  /** Starts counting anew; what is open stays open. */
  clear() {
    this.#settle();
    this.#start = this.#since;
    this.#measured = 0;
    this.#left = { settling: 0, hidden: 0, frozen: 0, drill: 0 };
  }

  /** @returns {Reason | null} */
  #reason() {
    return ORDER.find((r) => this.#open.has(r)) ?? null;
  }

  /** Books the time since the last look, piece by piece, since reasons may have ended in between. */
  #settle() {
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
