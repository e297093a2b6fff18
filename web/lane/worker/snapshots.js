import { request } from '../../browser/http.js';
import { QuoteStore } from '../../model/quotes.js';
import { holds } from './tabStream.js';

/** @typedef {import('../../types.js').DayQuote} DayQuote */
/** @typedef {import('../../types.js').Message} Message */

/**
 * The newest quotes of a shared connection, for the snapshots of tabs that come to it. A connection that began with a
 * tab's position brought no snapshot, so what ticks don't tell is missing; the first tab that needs it has it fetched.
 */
export class Snapshots {
  #store = new QuoteStore({ sparkSlots: 1 });
  /** The highest and the lowest price of the ticks, while what was before them is missing. @type {Map<string, { h: number, l: number }>} */
  #range = new Map();
  #options;
  #host;
  #whole = false;
  #run = 0; // counts connections, so that an answer to an earlier one is known
  #asked = false;
  /** @type {DayQuote[] | null} fetched */
  #rest = null;
  #due = 0; // the seq to which the stream must have come before they may be taken

  /**
   * @param {{ origin: string, fetch: typeof fetch, now: () => number }} options
   * @param {{ topics: () => string[], epoch: () => string | undefined, seq: () => number, fetched: () => void, failed: () => void }} host
   *   topics are carried with all their ticks; seq is how far the stream has come
   */
  constructor(options, host) {
    this.#options = options;
    this.#host = host;
  }

  /** @param {Message} m @param {number} received local ms @param {boolean} whole it is a snapshot of all that is carried */
  apply(m, received, whole) {
    this.#store.apply(m, received);
    if (whole) this.#done();
    if (this.#whole || m.T !== 'q') return;
    const range = this.#range.get(m.S);
    if (!range) this.#range.set(m.S, { h: m.p, l: m.p });
    else if (m.p > range.h) range.h = m.p;
    else if (m.p < range.l) range.l = m.p;
  }

  /** @param {readonly string[]} topics @param {(symbol: string) => string | undefined} sector @param {number} i the seq it holds for @returns {import('../../types.js').Snapshot} */
  of(topics, sector, i) {
    /** @type {DayQuote[]} */
    const quotes = [];
    for (const r of this.#store.values()) {
      if (!holds(topics, r.S, sector)) continue;
      const { S, bp, bs, ap, as, p, v, t, n, i, o, h, l, c } = r;
      // A symbol whose first tick came after the snapshot has no day yet, as on a connection of the tab's own.
      quotes.push(/** @type {DayQuote} */ ({ T: 'q', S, bp, bs, ap, as, p, v, t, n, i, ...(!Number.isNaN(o) && { o, h, l, c }) }));
    }
    return { T: 'snapshot', i, quotes };
  }

  /** A connection begins. */
  begin() {
    this.#run++;
    this.#asked = false;
    this.#rest = null;
  }

  /** Whether what was fetched waits for the stream to come up to it. */
  get waiting() {
    return this.#rest !== null;
  }

  /** Whether nothing is missing. What is, is on its way then, and the host is told. */
  get ready() {
    // Newer than the stream, it would make the ticks between look old.
    if (this.#rest && this.#due <= this.#host.seq()) {
      this.#complete(this.#rest);
      this.#done();
    }
    if (!this.#whole && !this.#asked) void this.#ask();
    return this.#whole;
  }

  #done() {
    this.#whole = true;
    this.#rest = null;
    this.#range.clear();
  }

  /** Adds all of a symbol that had no tick, and the day's figures of the others. @param {DayQuote[]} quotes not newer than the ticks */
  #complete(quotes) {
    this.#store.apply({ T: 'snapshot', i: this.#host.seq(), quotes: quotes.filter((q) => !this.#store.get(q.S)) }, this.#options.now());
    for (const { S, o, h, l, c } of quotes) {
      const r = this.#store.get(S);
      const range = this.#range.get(S);
      if (!r || !range || !Number.isNaN(r.o)) continue; // a midnight since then has begun its day anew
      Object.assign(r, { o, c, h: Math.max(h, range.h), l: Math.min(l, range.l) });
    }
  }

  async #ask() {
    const run = this.#run;
    const { origin, fetch } = this.#options;
    this.#asked = true;
    try {
      const answer = await request(`${origin}/api/quotes?${new URLSearchParams({ topics: this.#host.topics().join(',') })}`, { fetch });
      /** @type {{ quotes: DayQuote[] }} */
      const { quotes } = await answer.json();
      if (run !== this.#run) return;
      if (!answer.headers.get('Ticklane-Position')?.startsWith(`${this.#host.epoch()}-`)) throw new Error('of another log');
      this.#due = quotes.reduce((most, q) => Math.max(most, q.i), 0);
      this.#rest = quotes;
      this.#host.fetched();
    } catch {
      if (run !== this.#run) return;
      this.#asked = false; // whoever needs it next asks again
      this.#host.failed();
    }
  }
}
