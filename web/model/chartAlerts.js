// Alerts as lines of a chart.

/** @import { Alert } from './alerts.js' */
/** @typedef {{ id: string, price: number }} Line */

const round = (/** @type {number} */ x) => Math.round(x * 100) / 100;

/** The price of an alert's line; NaN for an alert within minutes, which has none. @param {Pick<Alert, 'kind' | 'level'>} a @param {number} close of the day before */
export const linePrice = ({ kind, level }, close) => (kind === 'within' ? NaN : kind === 'day' ? close * (1 + level / 100) : level);

/** The alert that a click at a price means. @param {number} price @param {number} last @returns {{ kind: 'above' | 'below', level: number }} */
export const alertAt = (price, last) => ({ kind: round(price) < last ? 'below' : 'above', level: Math.max(0.01, round(price)) });

/**
 * What a line moved to a price changes: a price alert may change its side; a day's alert keeps its kind.
 * @param {Pick<Alert, 'kind' | 'level'>} a @param {number} price @param {number} last @param {number} close of the day before
 * @returns {{ kind?: Alert['kind'], level: number }}
 */
export function movedTo(a, price, last, close) {
  if (a.kind !== 'day') return alertAt(price, last);
  const level = Math.max(-50, Math.min(50, round((price / close - 1) * 100)));
  return { level: level || a.level }; // no change since the last close is no alert
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
