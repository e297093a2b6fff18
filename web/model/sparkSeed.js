import { fetchCloses } from './history.js';

/** @import { QuoteStore } from './quotes.js' */

const POINTS = 60;
const MOST = 200; // symbols per request, to keep its URL short

/** Fills the sparklines of the visible symbols with the last hour, in one request. Symbols of a failed request are requested again when they are next visible. */
export class SparkSeed {
  #store;
  #onSeeded;
  /** @type {Set<string>} */
  #requested = new Set();
  /** @type {Set<string>} */
  #queue = new Set();
  #running = false;

  /** @param {QuoteStore} store @param {() => void} onSeeded */
  constructor(store, onSeeded) {
    this.#store = store;
    this.#onSeeded = onSeeded;
  }

  /** Requests the symbols that were not requested before, instead of those still queued. @param {readonly string[]} symbols that are visible */
  request(symbols) {
    for (const s of this.#queue) this.#requested.delete(s);
    this.#queue.clear();
    for (const s of symbols) {
      if (this.#requested.has(s) || !this.#store.get(s)) continue;
      this.#requested.add(s);
      this.#queue.add(s);
    }
    void this.#run();
  }

  /** Allows symbols to be requested again: ticks may be missing before their snapshot. @param {readonly { S: string }[]} quotes */
  invalidate(quotes) {
    for (const { S } of quotes) {
      this.#requested.delete(S);
      this.#queue.delete(S);
    }
  }

  async #run() {
    if (this.#running) return;
    this.#running = true;
    while (this.#queue.size > 0) {
      const symbols = [...this.#queue].slice(0, MOST);
      for (const s of symbols) this.#queue.delete(s);
      try {
        for (const { symbol, points } of await fetchCloses(symbols, '1m', POINTS)) this.#store.seedSpark(symbol, points);
        this.#onSeeded();
      } catch {
        for (const s of symbols) this.#requested.delete(s); // meanwhile the sparklines grow from ticks
      }
    }
    this.#running = false;
  }
}
