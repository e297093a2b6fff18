// Alerts as lines of a chart.

import { decimals, negative } from './instruments.js';
import { changePercent, fromUnits, round } from './units.js';

/** @import { Alert } from './alerts.js' */
/** @typedef {{ id: string, price: number }} Line */

/** The price of an alert's line; NaN for an alert within minutes, which has none. @param {Pick<Alert, 'kind' | 'level'>} a @param {number} close of the day before */
export const linePrice = ({ kind, level }, close) => (kind === 'within' ? NaN : kind === 'day' ? close + Math.abs(close) * (level / 100) : level);

/** The lowest price that an instrument may have. @param {string} symbol */
export const leastPrice = (symbol) => (negative(symbol) ? -Infinity : fromUnits(1, decimals(symbol)));

/** The alert that a click at a price means. @param {string} symbol @param {number} price @param {number} last @returns {{ kind: 'above' | 'below', level: number }} */
export function alertAt(symbol, price, last) {
  const level = Math.max(leastPrice(symbol), round(price, decimals(symbol)));
  return { kind: level < last ? 'below' : 'above', level };
}

/**
 * What a line moved to a price changes: a price alert may change its side; a day's alert keeps its kind.
 * @param {Pick<Alert, 'S' | 'kind' | 'level'>} a @param {number} price @param {number} last @param {number} close of the day before
 * @returns {{ kind?: Alert['kind'], level: number }}
 */
export function movedTo(a, price, last, close) {
  if (a.kind !== 'day') return alertAt(a.S, price, last);
  const level = Math.max(-50, Math.min(50, round(changePercent(price - close, close), 2)));
  return { level: level || a.level }; // NaN and 0: no change since the last close is no alert, nor is one from 0
}

/** The line nearest to a height, if it is within reach. @template {Line} T @param {readonly T[]} lines @param {number} y px @param {number} reach px @param {(price: number) => number} yOf px, NaN when unknown @returns {T | undefined} */
export function nearest(lines, y, reach, yOf) {
  let found;
  let best = reach;
  for (const line of lines) {
    const distance = Math.abs(yOf(line.price) - y);
    if (distance <= best) [found, best] = [line, distance];
  }
  return found;
}
