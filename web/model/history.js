import { getJSON } from '../browser/http.js';
import { widths } from './bars.js';

/** @import { Bar } from './bars.js' */
/**
 * @typedef {object} History
 * @property {string} epoch of the log
 * @property {number} i the seq up to which the bars include ticks
 * @property {number | null} day the day's volume at i; null before the first tick
 * @property {boolean} more whether the server has older bars
 * @property {Bar[]} bars ascending
 */

/**
 * Fetches the newest bars of a symbol, and rejects as getJSON does.
 * @param {string} symbol @param {string} interval @param {number} limit newest bars @param {AbortSignal} [signal]
 * @param {number} [before] µs; only bars that start before it
 * @returns {Promise<History>}
 */
export async function fetchHistory(symbol, interval, limit, signal, before) {
  const query = new URLSearchParams({ symbol, interval, limit: String(limit), ...(before !== undefined && { before: String(before) }) });
  return getJSON(`/api/history?${query}`, { signal });
}

/**
 * Fetches the closes of many symbols in one request, for sparklines.
 * @param {readonly string[]} symbols @param {'10s' | '1m' | '5m' | '15m' | '1h' | '1d'} interval @param {number} limit
 * @returns {Promise<{ symbol: string, points: { t: number, p: number }[] }[]>} t in ms since 1970
 */
export async function fetchCloses(symbols, interval, limit) {
  const query = new URLSearchParams({ topics: symbols.join(','), interval, limit: String(limit) });
  const { lines } = await getJSON(`/api/closes?${query}`);
  const step = widths[interval] / 1000;
  return lines.map((/** @type {{ symbol: string, t: number, c: (number | null)[] }} */ l) => ({
    symbol: l.symbol,
    points: l.c.flatMap((p, k) => (p === null ? [] : [{ t: l.t / 1000 + k * step, p }])),
  }));
}
