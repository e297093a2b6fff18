// The charts in the address: "AAPL:1m,MSFT:5m:line". A symbol may have colons, so each chart is read from its end.
import { isSymbol } from './instruments.js';

/** @typedef {'candles' | 'line'} Kind */
/** @typedef {{ symbol: string, interval: string, kind: Kind }} Spec */

export const intervals = /** @type {const} */ (['10s', '1m', '5m', '15m', '1h', '1d']);
export const MOST = 4;

/** @param {string} text @returns {Spec[]} the valid ones; empty for a single chart, which the address has without a list */
export function parseCharts(text) {
  const specs = text.split(',').slice(0, MOST).flatMap((part) => {
    const [, symbol, interval = '', line] = /^(.+):(\w{2,3})(:line)?$/.exec(part) ?? [];
    return isSymbol(symbol) && intervals.some((x) => x === interval) ? [{ symbol, interval, kind: /** @type {Kind} */ (line ? 'line' : 'candles') }] : [];
  });
  return specs.length > 1 ? specs : [];
}

/** @param {readonly Spec[]} specs */
export const formatCharts = (specs) => (specs.length < 2 ? '' : specs.map(({ symbol, interval, kind }) => `${symbol}:${interval}${kind === 'line' ? ':line' : ''}`).join(','));

/** @param {Spec} a @param {Spec} b */
export const same = (a, b) => a.symbol === b.symbol && a.interval === b.interval && a.kind === b.kind;
