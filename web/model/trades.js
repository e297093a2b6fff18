import { isNewDay, sizeDecimals } from './instruments.js';
import { difference } from './units.js';

/** @import { Quote, TradeReport } from '../types.js' */
/**
 * @typedef {object} Trade
 * @property {number} t due time, µs since 1970
 * @property {string} S
 * @property {number} p price
 * @property {number} size NaN if it is unknown
 * @property {number} dir 1 above the symbol's previous trade, −1 below, else that trade's dir
 * @property {string} [id] the feed's
 * @property {string[]} [conditions] as the feed gives them
 * @property {string} [venue]
 * @property {boolean} [void] the feed has cancelled it
 */

const KEPT = 64; // trades in each list
const NEWEST = 512; // trades from which a list is filled when its filter changes

/**
 * The newest trades: those of the feed for symbols whose trades it sends, else derived from quotes: the day's volume grew between two
 * ticks of a symbol, or the last price changed. Then several trades between two ticks appear as one.
 */
export class Trades {
  /** The last trade of each symbol; t: its due time. @type {Map<string, { p: number, v: number, dir: number, t: number }>} */
  #last = new Map();
  /** Symbols whose trades the feed sends. @type {Set<string>} */
  #sent = new Set();
  /** @type {Trade[]} a ring of the newest */
  #newest = [];
  #next = 0;
  /** @type {Trade[]} of all symbols, newest first */
  market = [];
  /** @type {Trade[]} of the selected symbol, newest first */
  symbol = [];
  selected = '';
  /** @type {Trade[]} of the watchlist's symbols, newest first */
  list = [];
  /** @type {ReadonlySet<string>} */
  listed = new Set();
  #minimum = 0; // value, in the instrument's currency

  /** @param {string} symbol */
  select(symbol) {
    if (symbol === this.selected) return;
    this.selected = symbol;
    this.symbol = this.#recent().filter((t) => t.S === symbol).slice(0, KEPT);
  }

  /** Sets the watchlist's symbols. @param {ReadonlySet<string>} symbols */
  setListed(symbols) {
    this.listed = symbols;
    this.list = this.#recent().filter((t) => symbols.has(t.S)).slice(0, KEPT);
  }

  /** Leaves out trades of a lower or unknown value. @param {number} value 0 leaves out none */
  setMinimum(value) {
    if (value === this.#minimum) return;
    this.#minimum = value;
    this.#refill();
  }

  /** Fills all lists anew. */
  #refill() {
    const recent = this.#recent();
    this.market = recent.slice(0, KEPT);
    this.symbol = recent.filter((t) => t.S === this.selected).slice(0, KEPT);
    this.setListed(this.listed);
  }

  /** The newest trades that are large enough, newest first. */
  #recent() {
    return [...this.#newest.slice(this.#next), ...this.#newest.slice(0, this.#next)].reverse().filter((t) => !t.void && this.#large(t));
  }

  /** @param {Trade} t */
  #large({ p, size }) {
    return this.#minimum === 0 || Math.abs(p) * size >= this.#minimum;
  }

  /** Sets a symbol's price and volume without a trade. @param {Quote} q of a snapshot */
  setBase(q) {
    this.#last.set(q.S, { p: q.p, v: q.v, dir: this.#last.get(q.S)?.dir ?? 0, t: q.t });
  }

  /** Handles a tick. @param {Quote} q @returns {boolean} whether it shows a trade that is large enough */
  take(q) {
    const before = this.#last.get(q.S);
    if (!before) {
      this.setBase(q);
      return false;
    }
    const traded = isNewDay(q.S, q, before) ? q.v : difference(q.v, before.v, sizeDecimals(q.S));
    before.t = q.t;
    const move = Math.sign(q.p - before.p);
    before.v = q.v;
    if (traded <= 0 && move === 0) return false;
    before.p = q.p;
    before.dir = move || before.dir;
    if (this.#sent.has(q.S)) return false;
    return this.#add({ t: q.t, S: q.S, p: q.p, size: traded > 0 ? traded : NaN, dir: before.dir });
  }

  /** Handles a trade of the feed, which comes before its tick. @param {TradeReport} m @returns {boolean} whether a list has changed */
  takeReport({ t, S, p, s, id, c, x, corrects, cancels }) {
    this.#sent.add(S);
    const before = this.#last.get(S);
    const reported = { p, size: s || NaN, ...(id && { id }), ...(c && { conditions: c }), ...(x && { venue: x }) };
    const earlier = corrects ?? cancels;
    if (earlier === undefined) return this.#add({ t, S, dir: (before && Math.sign(p - before.p)) || (before?.dir ?? 0), ...reported });
    const trade = this.#newest.find((n) => n.S === S && n.id === earlier);
    if (!trade) return false;
    if (corrects === undefined) trade.void = true;
    else Object.assign(trade, reported);
    this.#refill();
    return true;
  }

  /** @param {Trade} trade @returns {boolean} whether it is large enough */
  #add(trade) {
    this.#newest[this.#next] = trade;
    this.#next = (this.#next + 1) % NEWEST;
    if (!this.#large(trade)) return false;
    put(this.market, trade);
    if (trade.S === this.selected) put(this.symbol, trade);
    if (this.listed.has(trade.S)) put(this.list, trade);
    return true;
  }
}

/** @param {Trade[]} list @param {Trade} trade */
function put(list, trade) {
  list.unshift(trade);
  if (list.length > KEPT) list.pop();
}
