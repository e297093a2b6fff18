// The watchlist's columns: their widths, their figures and their order.
import { decimals, sizeDecimals } from './instruments.js';
import { changePercent } from './units.js';

/** @import { SymbolRecord } from '../types.js' */
/**
 * @typedef {object} Column
 * @property {number} width px at a font size of 13 px; NaN depends on the volume setting
 * @property {number} [compact] px where there is little space
 * @property {boolean} [price] wider when prices are long
 * @property {boolean} [size] wider when sizes are long
 * @property {(r: SymbolRecord) => number} figure to sort by; NaN is unknown
 * @property {readonly [name: string, value: (r: SymbolRecord) => string][]} csv its fields in a CSV file; none for a drawing
 * @property {boolean} [up] the first click on its header sorts in ascending order
 */

/** Plain numbers, independent of the page's format, since programs read them. @param {number} x @param {number} places */
const number = (x, places) => (Number.isFinite(x) ? x.toFixed(places) : '');

/** The field of a price. @param {string} name @param {(r: SymbolRecord) => number} of @returns {Column['csv'][number]} */
const price = (name, of) => [name, (r) => number(of(r), decimals(r.S))];

/** The field of a size. @param {string} name @param {(r: SymbolRecord) => number} of @returns {Column['csv'][number]} */
const size = (name, of) => [name, (r) => number(of(r), sizeDecimals(r.S))];

/** In the order in which they are offered. The symbol is not among them: it always comes first. @type {Readonly<Record<string, Column>>} */
export const columns = Object.freeze({
  last: { width: 58, price: true, figure: (r) => r.p, csv: [price('last', (r) => r.p)] },
  net: { width: 60, figure: (r) => r.change, csv: [price('change', (r) => r.change)] },
  change: { width: 60, figure: (r) => r.changePct, csv: [['change_percent', (r) => number(r.changePct, 4)]] },
  spark: { width: 66, figure: (r) => sparkChange(r.spark.values()), csv: [] },
  bid: { width: 84, compact: 52, price: true, size: true, figure: (r) => r.bp, csv: [price('bid', (r) => r.bp), size('bid_size', (r) => r.bs)] },
  ask: { width: 84, compact: 52, price: true, size: true, figure: (r) => r.ap, csv: [price('ask', (r) => r.ap), size('ask_size', (r) => r.as)] },
  spread: { width: 84, compact: 38, figure: (r) => spreadBp(r), up: true, csv: [price('spread', (r) => r.spread), ['spread_bp', (r) => number(spreadBp(r), 2)]] },
  volume: { width: NaN, figure: (r) => r.v, csv: [size('volume', (r) => r.v)] },
  range: { width: 72, figure: (r) => rangePosition(r), csv: [price('low', (r) => r.l), price('high', (r) => r.h)] },
  age: { width: 40, figure: (r) => -r.t, up: true, csv: [['time', (r) => new Date(r.t / 1000).toISOString()]] },
});

export const SYMBOL_WIDTH = 92; // px, least width of the symbol
export const GAP = 8;
export const LEAST = 32; // px, width of another column
const MOST = 600; // px
const PRICE = 6; // characters that fit into a price column
const SIZE = 4; // characters of a size
const FIGURE = 8; // px of each further character
const SMALL = 6; // px of each further one of a size

/** @type {readonly string[]} */
export const standard = Object.freeze(['last', 'change', 'spark', 'bid', 'ask', 'volume', 'age']);

/** The columns of an address without unknown ones and duplicates; '' for the standard ones. @param {string} text */
export function readColumns(text) {
  const list = [...new Set(text.split(',').filter((id) => Object.hasOwn(columns, id)))].join();
  return list === standard.join() ? '' : list;
}

/** @param {string} text as returned by readColumns @returns {readonly string[]} */
export const columnList = (text) => (text ? text.split(',') : standard);

/** The stored columns of version 1; '' for anything else. @param {any} stored */
export const readStored = (stored) => (stored?.v === 1 && typeof stored.cols === 'string' ? readColumns(stored.cols) : '');

/** @typedef {Readonly<Record<string, number>>} Widths px at a font size of 13 px, of the columns whose width the user has set */

/** The stored widths of version 1; invalid ones are left out. @param {any} stored @returns {Widths} */
export function readWidths(stored) {
  const all = stored?.v === 1 && stored.widths && typeof stored.widths === 'object' ? Object.entries(stored.widths) : [];
  return Object.fromEntries(all.filter(([id, w]) => Object.hasOwn(columns, id) && Number.isFinite(w) && w >= LEAST && w <= MOST));
}

/**
 * Moves the edge between two columns, as far as both keep their least widths.
 * @param {number} left width of the left column @param {number} right of the right one @param {number} by px to the right @param {number} [least] of the left column
 * @returns {[left: number, right: number]}
 */
export function moveEdge(left, right, by, least = LEAST) {
  const most = Math.max(0, Math.min(right - LEAST, MOST - left));
  const room = Math.max(0, Math.min(left - least, MOST - right));
  const d = Math.round(Math.min(most, Math.max(-room, by)));
  return [left + d, right - d];
}

/**
 * The columns that fit: when space is short, sizes are dropped first, then the last columns.
 * @param {readonly string[]} ids @param {number} room px inside a row, at a font size of 13 px @param {number} volume px @param {{ price: number, size: number }} [longest] characters of the longest price and size @param {Widths} [own] widths that the user has set
 * @returns {{ ids: string[], compact: boolean, widths: number[] }} widths without the symbol's
 */
export function fit(ids, room, volume, longest = { price: PRICE, size: SIZE }, own = {}) {
  const price = Math.max(0, longest.price - PRICE) * FIGURE;
  const size = Math.max(0, longest.size - SIZE) * SMALL;
  const of = (/** @type {string} */ id, /** @type {boolean} */ compact) => {
    const c = /** @type {Column} */ (columns[id]);
    return own[id] ?? ((compact && c.compact) || c.width || volume) + (c.price ? price : 0) + (c.size && !compact ? size : 0);
  };
  const sum = (/** @type {readonly string[]} */ list, /** @type {boolean} */ compact) => list.reduce((n, id) => n + of(id, compact) + GAP, SYMBOL_WIDTH);
  const compact = sum(ids, false) > room;
  const shown = [...ids];
  while (shown.length > 1 && sum(shown, compact) > room) shown.pop();
  return { ids: shown, compact, widths: shown.map((id) => of(id, compact)) };
}

/** The spread in basis points of the mid price; NaN when that is 0. @param {SymbolRecord} r */
export const spreadBp = (r) => changePercent(r.spread, (r.ap + r.bp) / 2) * 100;

/** The position of the last price in the day's range, from 0 to 1. @param {SymbolRecord} r */
export const rangePosition = (r) => (r.h > r.l ? Math.min(1, Math.max(0, (r.p - r.l) / (r.h - r.l))) : r.h === r.l ? 0.5 : NaN);

const INTERVALS = 30; // mean intervals between ticks after which a quote is stale
const SOONEST = 10_000; // ms
const LATEST = 3_600_000; // ms
const USUAL = 15_000; // ms, while the interval is not known

/** The age from which a quote is marked as stale, by the symbol's mean interval between ticks. @param {SymbolRecord} r @returns {number} ms */
export function staleAfter(r) {
  const ticks = r.n - r.n0;
  if (ticks < 10) return USUAL;
  return Math.min(LATEST, Math.max(SOONEST, ((r.t - r.t0) / 1000 / ticks) * INTERVALS));
}

/** The change over a sparkline. @param {readonly number[]} values */
function sparkChange(values) {
  const first = values[0];
  return values.length < 2 || !first ? NaN : changePercent(/** @type {number} */ (values[values.length - 1]) - first, first);
}
