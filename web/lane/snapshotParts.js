import { MessageError } from './parse.js';

/** @import { DayQuote, Message } from '../types.js' */

/**
 * Joins the parts of a snapshot into one message. Other messages pass; they may come between the parts. Parts of an
 * incomplete snapshot are dropped when another one begins, or with the connection.
 */
export class SnapshotParts {
  /** Of the parts so far. @type {DayQuote[]} */
  #quotes = [];
  #i = 0;
  #next = 1;

  /**
   * @param {Message | null} m
   * @returns {Message | null} null for a part that is not the last one
   * @throws {MessageError} when a part is missing
   */
  take(m) {
    if (m?.T !== 'snapshot') return m;
    const { T, i, part = 1, parts = 1, quotes } = m;
    if (part === 1) {
      this.#quotes = [];
      this.#i = i;
      this.#next = 1;
    }
    if (part !== this.#next || i !== this.#i || part > parts) {
      this.#next = 0;
      throw new MessageError(`snapshot: part ${part} of ${parts} at ${i} does not follow`, '');
    }
    this.#next++;
    if (parts === 1) return m;
    this.#quotes.push(...quotes);
    return part < parts ? null : { T, i, quotes: this.#quotes };
  }
}
