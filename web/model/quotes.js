import { Spark } from './sparkPoints.js';

/** @typedef {import('../types.js').SymbolRecord} SymbolRecord */
/** @typedef {import('../types.js').Quote} Quote */
/** @typedef {import('../types.js').DayQuote} DayQuote */
/** @typedef {import('../types.js').Message} Message */

/** Bits of SymbolRecord.changed. */
export const Changed = Object.freeze({ last: 1, bid: 2, ask: 4, size: 8, volume: 16, day: 32 });

const DAY = 86_400_000_000; // µs

/** Exact to the cent, which a difference of two floats is not. @param {number} x */
const cents = (x) => Math.round(x * 100) / 100;

/**
 * The newest quote of each symbol, whatever lane it came by. A symbol never goes back in `i` within one log.
 * What changed is collected until the page drains it, once in an animation frame.
 */
export class QuoteStore {
  /** @type {Map<string, SymbolRecord>} */
  #records = new Map();
  /** @type {Set<SymbolRecord>} */
  #dirty = new Set();
  #epoch = '';
  #stale = false; // the records are of an earlier log, shown until the new one's snapshot is here
  #version = 0;
  #spark;

  /** @param {{ sparkSlots?: number, sparkMs?: number }} [options] how many stretches a sparkline has, and their length */
  constructor({ sparkSlots = 60, sparkMs = 60_000 } = {}) {
    this.#spark = () => new Spark(sparkSlots, sparkMs);
  }

  get size() {
    return this.#records.size;
  }

  /** Goes up when symbols come or go, so that a view knows when to sort and filter anew. */
  get version() {
    return this.#version;
  }

  /** The record itself, not a copy: read it, don't keep its figures. @param {string} symbol */
  get(symbol) {
    return this.#records.get(symbol);
  }

  /** @returns {IterableIterator<SymbolRecord>} in the order in which symbols first came */
  values() {
    return this.#records.values();
  }

  /** Takes any message of a feed; those that say nothing about quotes change nothing. @param {Message} m @param {number} received local ms */
  apply(m, received) {
    switch (m.T) {
      case 'q':
        if (this.#stale) this.#clear();
        this.#quote(m, received);
        break;
      case 'snapshot':
        if (this.#stale) this.#replace(m.quotes);
        for (const q of m.quotes) this.#quote(q, received);
        break;
      case 'hello':
        if (m.resume === 'reset' || (this.#epoch !== '' && m.epoch !== this.#epoch)) this.#stale = true;
        this.#epoch = m.epoch;
        break;
    }
  }

  /**
   * Hands over each record that changed since the last call and forgets that it did. `changed` is set to 0 after fn.
   * @param {(r: SymbolRecord) => void} fn
   * @returns {number} how many there were
   */
  drain(fn) {
    const n = this.#dirty.size;
    for (const r of this.#dirty) {
      fn(r);
      r.changed = 0;
    }
    this.#dirty.clear();
    return n;
  }

  /** Drops the symbols that `wanted` refuses, after a change of topics. @param {(symbol: string) => boolean} wanted */
  retain(wanted) {
    for (const [symbol, r] of this.#records) {
      if (wanted(symbol)) continue;
      this.#records.delete(symbol);
      this.#dirty.delete(r);
      this.#version++;
    }
  }

  /**
   * Fills a sparkline from history, then the price of now. A symbol that isn't here is left out.
   * @param {string} symbol @param {Iterable<{t: number, p: number}>} points ascending, t in ms since 1970
   */
  seedSpark(symbol, points) {
    const r = this.#records.get(symbol);
    if (!r) return;
    const spark = /** @type {Spark} */ (r.spark);
    spark.seed(points);
    spark.add(r.p, r.t / 1000);
    r.changed |= Changed.last;
    this.#dirty.add(r);
  }

  #clear() {
    this.#records.clear();
    this.#dirty.clear();
    this.#stale = false;
    this.#version++;
  }

  /** A new log counts from 1 again: nothing old may hold back what is new. @param {DayQuote[]} quotes */
  #replace(quotes) {
    const here = new Set(quotes.map((q) => q.S));
    this.retain((symbol) => here.has(symbol));
    for (const r of this.#records.values()) r.i = -1;
    this.#stale = false;
  }

  /** @param {Quote | DayQuote} q @param {number} received */
  #quote(q, received) {
    let r = this.#records.get(q.S);
    if (!r) {
      r = fresh(q, this.#spark());
      this.#records.set(q.S, r);
      this.#version++;
    } else if (q.i < r.i || (q.i === r.i && !('o' in q))) {
      return;
    }
    update(r, q);
    r.received = received;
    /** @type {Spark} */ (r.spark).add(q.p, q.t / 1000);
    this.#dirty.add(r);
  }
}

/** @param {Quote} q @param {Spark} spark @returns {SymbolRecord} */
function fresh(q, spark) {
  const { S, bp, bs, ap, as, p, v, t, n } = q;
  return {
    S, bp, bs, ap, as, p, v, t, n, i: -1, n0: n, t0: t,
    o: NaN, h: NaN, l: NaN, c: NaN, change: NaN, changePct: NaN, spread: NaN,
    dir: 0, bidDir: 0, askDir: 0, changed: 0, received: 0, spark,
  };
}

/** @param {SymbolRecord} r @param {Quote | DayQuote} q */
function update(r, q) {
  let changed = 0;
  if (q.n < r.n) { r.n0 = q.n; r.t0 = q.t; } // a new log counts from 1 again
  if (q.p !== r.p) { changed |= Changed.last; r.dir = Math.sign(q.p - r.p); }
  if (q.bp !== r.bp) { changed |= Changed.bid; r.bidDir = Math.sign(q.bp - r.bp); }
  if (q.ap !== r.ap) { changed |= Changed.ask; r.askDir = Math.sign(q.ap - r.ap); }
  if (q.bs !== r.bs || q.as !== r.as) changed |= Changed.size;
  if (q.v !== r.v) changed |= Changed.volume;
  if (day(r, q)) changed |= Changed.day;
  r.bp = q.bp; r.bs = q.bs; r.ap = q.ap; r.as = q.as;
  r.p = q.p; r.v = q.v; r.t = q.t; r.n = q.n; r.i = q.i;
  r.change = cents(r.p - r.c);
  r.changePct = r.c > 0 ? (r.change / r.c) * 100 : NaN;
  r.spread = cents(r.ap - r.bp);
  r.changed |= changed;
}

/**
 * Keeps the day's figures, which ticks don't carry: a snapshot tells them, the last price moves high and low, and
 * midnight UTC starts a day anew. @param {SymbolRecord} r before q @param {Quote | DayQuote} q @returns {boolean} changed
 */
function day(r, q) {
  const { o, h, l, c } = r;
  if ('o' in q) {
    r.o = q.o; r.h = q.h; r.l = q.l; r.c = q.c;
  } else if (Math.floor(q.t / DAY) > Math.floor(r.t / DAY)) {
    r.c = r.p;
    r.o = r.h = r.l = q.p;
  } else {
    if (q.p > r.h) r.h = q.p;
    if (q.p < r.l) r.l = q.p;
  }
  return !(o === r.o && h === r.h && l === r.l && c === r.c);
}
