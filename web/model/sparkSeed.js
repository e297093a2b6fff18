import { fetchCloses } from './history.js';

/** @typedef {import('./quotes.js').QuoteStore} QuoteStore */

const POINTS = 60;
const MOST = 200; // symbols of one request, whose address must stay short

/** Fills the sparklines of symbols in sight with the last hour, one request for all of them. What fails is asked for again when its row is next arranged. */
export class SparkSeed {
  #store;
  #onSeeded;
  /** @type {Set<string>} */
  #asked = new Set();
  /** @type {Set<string>} */
  #queue = new Set();
  #running = false;

  /** @param {QuoteStore} store @param {() => void} onSeeded */
  constructor(store, onSeeded) {
    this.#store = store;
    this.#onSeeded = onSeeded;
  }

  /** @param {readonly string[]} symbols in sight; those that were asked for before cost nothing, those that are out of sight by now neither */
  want(symbols) {
    for (const s of this.#queue) this.#asked.delete(s);
    this.#queue.clear();
    for (const s of symbols) {
      if (this.#asked.has(s) || !this.#store.get(s)) continue;
      this.#asked.add(s);
      this.#queue.add(s);
    }
    void this.#go();
  }

  /** Forgets that these were filled: ticks may be missing before their snapshot. @param {readonly { S: string }[]} quotes */
  again(quotes) {
    for (const { S } of quotes) {
      this.#asked.delete(S);
      this.#queue.delete(S);
    }
  }

  async #go() {
    if (this.#running) return;
    this.#running = true;
    while (this.#queue.size > 0) {
      const symbols = [...this.#queue].slice(0, MOST);
      for (const s of symbols) this.#queue.delete(s);
      try {
        for (const { symbol, points } of await fetchCloses(symbols, '1m', POINTS)) this.#store.seedSpark(symbol, points);
        this.#onSeeded();
      } catch {
        for (const s of symbols) this.#asked.delete(s); // until then the lines grow from the ticks
      }
    }
    this.#running = false;
  }
}
