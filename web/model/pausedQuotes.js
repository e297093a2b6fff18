/** @typedef {import('../types.js').SymbolRecord} SymbolRecord */
/** @typedef {import('./quotes.js').QuoteStore} QuoteStore */

/**
 * What the views read. It is the store, or, while paused, the store as it stood when the pause began. The stream and
 * the store go on in a pause, so nothing is lost, and going on costs one painting, however long it took.
 */
export class PausedQuotes {
  #store;
  /** @type {Map<string, SymbolRecord> | null} */
  #frozen = null;
  /** Ticks that came since the pause began. */
  behind = 0;

  /** @param {QuoteStore} store */
  constructor(store) {
    this.#store = store;
  }

  get paused() {
    return this.#frozen !== null;
  }

  pause() {
    if (this.#frozen) return;
    this.behind = 0;
    this.#frozen = new Map();
    for (const r of this.#store.values()) {
      const values = r.spark.values();
      this.#frozen.set(r.S, { ...r, changed: 0, spark: { values: () => values, length: values.length } });
    }
  }

  resume() {
    this.#frozen = null;
    this.behind = 0;
  }

  /** @param {string} symbol @returns {SymbolRecord | undefined} */
  get(symbol) {
    return this.#frozen ? this.#frozen.get(symbol) : this.#store.get(symbol);
  }

  /** @returns {Iterable<SymbolRecord>} */
  values() {
    return (this.#frozen ?? this.#store).values();
  }
}
