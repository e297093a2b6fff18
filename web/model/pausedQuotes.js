/** @import { SymbolRecord } from '../types.js' */
/** @import { QuoteStore } from './quotes.js' */

/**
 * The quotes that the views show: those of the store, or, while paused, a copy made when the pause began. The stream and
 * the store continue during a pause, so nothing is lost and resuming costs one repaint.
 */
export class PausedQuotes {
  #store;
  /** @type {Map<string, SymbolRecord> | null} */
  #copies = null;
  /** Ticks received since the pause began. */
  behind = 0;

  /** @param {QuoteStore} store */
  constructor(store) {
    this.#store = store;
  }

  get paused() {
    return this.#copies !== null;
  }

  pause() {
    if (this.#copies) return;
    this.behind = 0;
    this.#copies = new Map();
    for (const r of this.#store.values()) {
      const values = r.spark.values();
      this.#copies.set(r.S, { ...r, changed: 0, spark: { values: () => values, length: values.length } });
    }
  }

  resume() {
    this.#copies = null;
    this.behind = 0;
  }

  /** @param {string} symbol @returns {SymbolRecord | undefined} */
  get(symbol) {
    return this.#copies ? this.#copies.get(symbol) : this.#store.get(symbol);
  }

  /** @returns {Iterable<SymbolRecord>} */
  values() {
    return (this.#copies ?? this.#store).values();
  }
}
