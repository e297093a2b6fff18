import { decimals, isNewDay } from './instruments.js';
import { Spark } from './sparkPoints.js';
import { changePercent, difference } from './units.js';

/** @import { DayQuote, Message, Quote, Status, SymbolRecord } from '../types.js' */

/** Bits of SymbolRecord.changed. */
export const Changed = Object.freeze({ last: 1, bid: 2, ask: 4, size: 8, volume: 16, day: 32 });

/**
 * The newest quote of each symbol. Within one log, a symbol's `i` never decreases. Changes are collected until the page
 * drains them, once per animation frame.
 */
export class QuoteStore {
  /** @type {Map<string, SymbolRecord>} */
  #records = new Map();
  /** @type {Set<SymbolRecord>} */
  #dirty = new Set();
  /** @type {Set<string>} symbols whose first message was a tick */
  #incomplete = new Set();
  #epoch = '';
  #stale = false; // the records belong to an earlier log and are shown until the new one's snapshot
  #spark;

  /** @param {{ sparkSlots?: number, sparkMs?: number }} [options] the number of a sparkline's points, and the ms between them */
  constructor({ sparkSlots = 60, sparkMs = 60_000 } = {}) {
    this.#spark = () => new Spark(sparkSlots, sparkMs);
  }

  /** The record itself, not a copy: it changes with the next tick. @param {string} symbol */
  get(symbol) {
    return this.#records.get(symbol);
  }

  /** @returns {IterableIterator<SymbolRecord>} in the order in which symbols were added */
  values() {
    return this.#records.values();
  }

  /** Applies a message of the feed; messages without quotes are ignored. @param {Message} m @param {number} received local ms */
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
      case 'status':
        this.#status(m);
        break;
      case 'hello':
        if (m.resume === 'reset' || (this.#epoch !== '' && m.epoch !== this.#epoch)) this.#stale = true;
        this.#epoch = m.epoch;
        break;
    }
  }

  /**
   * Calls fn with each record that changed since the last call, then sets its `changed` to 0.
   * @param {(r: SymbolRecord) => void} fn
   * @returns {number} how many changed
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

  /** Drops the other symbols, after a change of topics. @param {(symbol: string) => boolean} keep */
  retain(keep) {
    for (const [symbol, r] of this.#records) {
      if (keep(symbol)) continue;
      this.#records.delete(symbol);
      this.#dirty.delete(r);
    }
  }

  /**
   * Fills a sparkline from history and adds the present price. An unknown symbol is ignored.
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

  /** Whether takeIncomplete has something to return. */
  get incomplete() {
    return this.#incomplete.size > 0;
  }

  /** The symbols since the last call whose first message was a tick, which doesn't have all figures of the day. */
  takeIncomplete() {
    const symbols = [...this.#incomplete];
    this.#incomplete.clear();
    return symbols;
  }

  /**
   * Adds what the ticks of new symbols lack: the previous close, and the figures of the day before the first tick here.
   * @param {readonly DayQuote[]} quotes @param {number} received local ms
   */
  complete(quotes, received) {
    for (const q of quotes) {
      const r = this.#records.get(q.S);
      if (!r) this.#quote(q, received);
      else if (Number.isNaN(r.c)) {
        r.c = q.c;
        if (Number.isNaN(r.o)) [r.o, r.h, r.l] = [q.o, Math.max(q.h, r.p), Math.min(q.l, r.p)];
        derive(r);
        r.changed |= Changed.day;
        this.#dirty.add(r);
      }
    }
  }

  /** Computes the derived figures again, after the instruments have changed. */
  refresh() {
    for (const r of this.#records.values()) {
      derive(r);
      this.#dirty.add(r);
    }
  }

  #clear() {
    this.#records.clear();
    this.#dirty.clear();
    this.#stale = false;
  }

  /** Handles the first snapshot of another log, whose seqs restart at 1. @param {DayQuote[]} quotes */
  #replace(quotes) {
    const here = new Set(quotes.map((q) => q.S));
    this.retain((symbol) => here.has(symbol));
    for (const r of this.#records.values()) r.i = -1;
    this.#stale = false;
  }

  /** Handles a change of a symbol's trading status. @param {Status} m */
  #status({ S, status, reason = '' }) {
    const r = S === undefined ? undefined : this.#records.get(S);
    if (!r) return;
    r.halted = status === 'halted' ? reason : undefined;
    this.#dirty.add(r);
  }

  /** @param {Quote | DayQuote} q @param {number} received */
  #quote(q, received) {
    let r = this.#records.get(q.S);
    if (!r) {
      r = fresh(q, this.#spark());
      this.#records.set(q.S, r);
      if (!('o' in q)) this.#incomplete.add(q.S);
    } else if (q.i < r.i || (q.i === r.i && !('o' in q))) {
      return;
    }
    update(r, q);
    if ('o' in q) r.halted = q.status === 'halted' ? r.halted ?? '' : undefined;
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
  if (q.n < r.n) { r.n0 = q.n; r.t0 = q.t; } // another log restarts at 1
  if (q.p !== r.p) { changed |= Changed.last; r.dir = Math.sign(q.p - r.p); }
  if (q.bp !== r.bp) { changed |= Changed.bid; r.bidDir = Math.sign(q.bp - r.bp); }
  if (q.ap !== r.ap) { changed |= Changed.ask; r.askDir = Math.sign(q.ap - r.ap); }
  if (q.bs !== r.bs || q.as !== r.as) changed |= Changed.size;
  if (q.v !== r.v) changed |= Changed.volume;
  if (day(r, q)) changed |= Changed.day;
  r.bp = q.bp; r.bs = q.bs; r.ap = q.ap; r.as = q.as;
  r.p = q.p; r.v = q.v; r.t = q.t; r.n = q.n; r.i = q.i;
  derive(r);
  r.changed |= changed;
}

/** Computes the figures that depend on others. @param {SymbolRecord} r */
function derive(r) {
  const places = decimals(r.S);
  r.change = difference(r.p, r.c, places);
  r.changePct = changePercent(r.change, r.c);
  r.spread = difference(r.ap, r.bp, places);
}

/**
 * Updates the day's figures, which ticks don't have: a snapshot sets them, the first tick of a new symbol and of a new day starts
 * them, and the last price extends high and low. @param {SymbolRecord} r before q @param {Quote | DayQuote} q @returns {boolean} changed
 */
function day(r, q) {
  const { o, h, l, c } = r;
  if ('o' in q) {
    r.o = q.o; r.h = q.h; r.l = q.l; r.c = q.c;
  } else if (isNewDay(r.S, q, r)) {
    r.c = r.p;
    r.o = r.h = r.l = q.p;
  } else if (q.n === 1 && Number.isNaN(o)) {
    r.o = r.h = r.l = q.p;
  } else {
    if (q.p > r.h) r.h = q.p;
    if (q.p < r.l) r.l = q.p;
  }
  return !(o === r.o && h === r.h && l === r.l && c === r.c);
}
