import { request } from '../../browser/http.js';
import { scaleOf } from '../../model/instruments.js';
import { QuoteStore } from '../../model/quotes.js';
import { includes } from './tabStream.js';

/** @import { DayQuote, Message, Timers } from '../../types.js' */

const MAX_AGE = 250; // ms; /api/quotes may be so old

/**
 * The newest quotes of a shared connection, for the snapshots of tabs that join it. A connection that resumed from a tab's
 * position had no snapshot, so quotes without ticks and the day's figures are missing; they are fetched when needed.
 */
export class Snapshots {
  #store = new QuoteStore({ sparkSlots: 1 });
  /** The highest and lowest price of the ticks, while the earlier ones are missing. @type {Map<string, { h: number, l: number }>} */
  #range = new Map();
  #options;
  #host;
  #whole = false;
  #run = 0; // counts connections, to recognise the answer to an earlier request
  #fetching = false;
  /** @type {DayQuote[] | null} not merged yet */
  #fetched = null;
  #fetchedAt = 0; // the seq that the stream must reach before they may be merged
  /** The store has every tick of the topics above this seq; undefined before the first hello. @type {number | undefined} */
  #start;

  /**
   * @param {Pick<Timers, 'setTimeout'> & { origin: string, fetch: typeof fetch, now: () => number }} options
   * @param {{ topics: () => string[], epoch: () => string | undefined, seq: () => number, fetched: () => void, failed: () => void }} host
   *   topics: those of which the connection carries every tick; seq: the newest of the stream
   */
  constructor(options, host) {
    this.#options = options;
    this.#host = host;
  }

  /** @param {Message} m @param {number} received local ms @param {boolean} whole m is a snapshot of all topics */
  apply(m, received, whole) {
    this.#store.apply(m, received);
    if (m.T === 'hello') this.#start ??= this.#host.seq();
    if (whole) this.#complete();
    if (this.#whole || m.T !== 'q') return;
    const range = this.#range.get(m.S);
    if (!range) this.#range.set(m.S, { h: m.p, l: m.p });
    else if (m.p > range.h) range.h = m.p;
    else if (m.p < range.l) range.l = m.p;
  }

  /** The snapshot of topics. @param {readonly string[]} topics @param {(symbol: string) => string | undefined} sector @param {number} i the seq it holds for @returns {import('../../types.js').Snapshot} */
  of(topics, sector, i) {
    /** @type {DayQuote[]} */
    const quotes = [];
    for (const r of this.#store.values()) {
      if (!includes(topics, r.S, sector)) continue;
      const { S, bp, bs, ap, as, p, v, t, n, i, o, h, l, c } = r;
      // A symbol whose first tick came after the snapshot has no day's figures, as on a separate connection.
      quotes.push(/** @type {DayQuote} */ ({ T: 'q', S, bp, bs, ap, as, p, v, t, n, i, ...(!Number.isNaN(c) && { o, h, l, c }), ...(r.halted !== undefined && { status: 'halted' }), ...scaleOf(S) }));
    }
    return { T: 'snapshot', i, quotes };
  }

  /** Handles new symbols, for which no snapshot comes. */
  grown() {
    this.#whole = false;
  }

  /** Handles a new connection. */
  begin() {
    this.#run++;
    this.#fetching = false;
    this.#fetched = null;
  }

  /** Reports whether fetched quotes wait for the stream to reach their seq. */
  get waiting() {
    return this.#fetched !== null;
  }

  /** Reports whether nothing is missing. If something is, it is being fetched, and the host is called afterwards. */
  get ready() {
    // Quotes newer than the stream would make the ticks in between look stale.
    if (this.#fetched && this.#fetchedAt <= this.#host.seq()) {
      this.#merge(this.#fetched);
      this.#complete();
    }
    if (!this.#whole && !this.#fetching) void this.#load();
    return this.#whole;
  }

  #complete() {
    this.#whole = true;
    this.#fetched = null;
    this.#range.clear();
  }

  /** Adds the symbols without ticks, and the day's figures of the others. @param {DayQuote[]} quotes not newer than the ticks */
  #merge(quotes) {
    this.#store.apply({ T: 'snapshot', i: this.#host.seq(), quotes: quotes.filter((q) => !this.#store.get(q.S)) }, this.#options.now());
    for (const { S, i, o, h, l, c, status } of quotes) {
      const r = this.#store.get(S);
      const range = this.#range.get(S);
      if (r && status === 'halted' && r.i <= i) r.halted ??= '';
      if (!r || !Number.isNaN(r.c)) continue; // a new day has started since
      r.c = c;
      if (Number.isNaN(r.o)) Object.assign(r, { o, h: Math.max(h, range?.h ?? r.p), l: Math.min(l, range?.l ?? r.p) });
    }
  }

  async #load() {
    const run = this.#run;
    const start = this.#start ?? 0;
    this.#fetching = true;
    try {
      let { quotes, at } = await this.#request();
      if (at < start) { // ticks between the quotes and the start of the stream would be missing
        await new Promise((resolve) => this.#options.setTimeout(() => resolve(undefined), MAX_AGE));
        if (run !== this.#run) return;
        ({ quotes, at } = await this.#request());
      }
      if (run !== this.#run) return;
      if (at < start) throw new Error('quotes older than the stream');
      this.#fetchedAt = quotes.reduce((most, q) => Math.max(most, q.i), 0);
      this.#fetched = quotes;
      this.#host.fetched();
    } catch {
      if (run !== this.#run) return;
      this.#fetching = false; // fetched again when needed next
      this.#host.failed();
    }
  }

  /** @returns {Promise<{ quotes: DayQuote[], at: number }>} at: the seq that they hold for */
  async #request() {
    const { origin, fetch } = this.#options;
    const answer = await request(`${origin}/api/quotes?${new URLSearchParams({ topics: this.#host.topics().join(',') })}`, { fetch });
    const { quotes } = await answer.json();
    const [epoch, at] = (answer.headers.get('Ticklane-Position') ?? '').split('-');
    if (epoch !== this.#host.epoch()) throw new Error('quotes of another epoch');
    return { quotes, at: Number(at) };
  }
}
