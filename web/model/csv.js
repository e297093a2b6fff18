// The watchlist as CSV.
import { basis } from './columns.js';

/** @import { SymbolRecord } from '../types.js' */
/** @import { Listing } from './order.js' */

/** Plain numbers, independent of the page's format, since programs read them. @param {number} x @param {number} decimals */
const number = (x, decimals) => (Number.isFinite(x) ? x.toFixed(decimals) : '');

/** The fields of each column. @type {Readonly<Record<string, [name: string, (r: SymbolRecord) => string][]>>} */
const fields = {
  last: [['last', (r) => number(r.p, 2)]],
  net: [['change', (r) => number(r.change, 2)]],
  change: [['change_percent', (r) => number(r.changePct, 4)]],
  spark: [],
  bid: [['bid', (r) => number(r.bp, 2)], ['bid_size', (r) => number(r.bs, 0)]],
  ask: [['ask', (r) => number(r.ap, 2)], ['ask_size', (r) => number(r.as, 0)]],
  spread: [['spread', (r) => number(r.spread, 2)], ['spread_bp', (r) => number(basis(r), 2)]],
  volume: [['volume', (r) => number(r.v, 0)]],
  range: [['low', (r) => number(r.l, 2)], ['high', (r) => number(r.h, 2)]],
  age: [['time', (r) => new Date(r.t / 1000).toISOString()]],
};

/** Quotes a text (RFC 4180); one that a spreadsheet would evaluate as a formula gets an apostrophe. @param {string} text */
function quoted(text) {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/**
 * The rows and columns in the given order. The byte order mark makes Excel read UTF-8.
 * @param {readonly string[]} ids of columns @param {readonly Listing[]} list @param {(symbol: string) => SymbolRecord | undefined} get
 */
export function csv(ids, list, get) {
  const of = ids.flatMap((id) => fields[id] ?? []);
  const rows = list.map((l) => {
    const r = get(l.symbol);
    return [quoted(l.symbol), quoted(l.name), ...of.map(([, f]) => (r ? f(r) : ''))];
  });
  return `\ufeff${[['symbol', 'name', ...of.map(([name]) => name)], ...rows].map((row) => `${row.join(',')}\r\n`).join('')}`;
}

/** @param {Date} at */
export const csvName = (at) => `ticklane-${at.toISOString().slice(0, 19).replace(/[:T]/g, '-')}.csv`;
