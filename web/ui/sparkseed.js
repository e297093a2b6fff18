import { fetchHistory } from './history.js';

/** @typedef {import('../store/quotes.js').QuoteStore} QuoteStore */

const AT_ONCE = 2; // a browser has six connections to a host on HTTP/1.1, and the stream takes one
const POINTS = 60;

/** Fills the sparklines of symbols in sight with the last hour, a few at a time. What fails is asked for again when its row is next arranged. */
export class SparkSeed {
  #store;
  #onSeeded;
  /** @type {Set<string>} */
  #asked = new Set();
  /** @type {string[]} */
  #queue = [];
  #running = 0;

  /** @param {QuoteStore} store @param {() => void} onSeeded */
  constructor(store, onSeeded) {
    this.#store = store;
    this.#onSeeded = onSeeded;
  }

  /** @param {readonly string[]} symbols in sight; those that were asked for before cost nothing */
  want(symbols) {
    const fresh = symbols.filter((s) => !this.#asked.has(s) && this.#store.get(s));
    for (const s of fresh) this.#asked.add(s);
    this.#queue = [...fresh, ...this.#queue];
    this.#go();
  }

  /** Forgets that these were filled: ticks may be missing before their snapshot. @param {readonly { S: string }[]} quotes */
  again(quotes) {
    for (const { S } of quotes) this.#asked.delete(S);
    this.#queue = this.#queue.filter((s) => this.#asked.has(s));
  }

  #go() {
    while (this.#running < AT_ONCE) {
      const symbol = this.#queue.shift();
      if (symbol === undefined) return;
      this.#running++;
      void this.#fill(symbol).finally(() => {
        this.#running--;
        this.#go();
      });
    }
  }

  /** @param {string} symbol */
  async #fill(symbol) {
    try {
      const { bars } = await fetchHistory(symbol, '1m', POINTS);
      this.#store.seedSpark(symbol, bars.map((b) => ({ t: b.t / 1000, p: b.c })));
      this.#onSeeded();
    } catch {
      this.#asked.delete(symbol); // until then the line grows from the ticks
    }
  }
}
