// The watchlist as CSV.
import { columns } from './columns.js';

/** @import { SymbolRecord } from '../types.js' */
/** @import { Listing } from './order.js' */

/** Quotes a text (RFC 4180); one that a spreadsheet would evaluate as a formula, and that is no number, gets an apostrophe. @param {string} text */
function quoted(text) {
  const safe = /^[=+\-@\t\r]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** A CSV file of texts. The byte order mark makes Excel read UTF-8. @param {readonly (readonly string[])[]} rows the first is the header */
export const table = (rows) => `\ufeff${rows.map((row) => `${row.map(quoted).join(',')}\r\n`).join('')}`;

/**
 * The rows and columns in the given order.
 * @param {readonly string[]} ids of columns @param {readonly Listing[]} list @param {(symbol: string) => SymbolRecord | undefined} get
 */
export function csv(ids, list, get) {
  const of = ids.flatMap((id) => columns[id]?.csv ?? []);
  const rows = list.map((l) => {
    const r = get(l.symbol);
    return [quoted(l.symbol), quoted(l.name), ...of.map(([, f]) => (r ? f(r) : ''))];
  });
  return `\ufeff${[['symbol', 'name', ...of.map(([name]) => name)], ...rows].map((row) => `${row.join(',')}\r\n`).join('')}`;
}

/** @param {Date} at */
export const csvName = (at) => `ticklane-${at.toISOString().slice(0, 19).replace(/[:T]/g, '-')}.csv`;
