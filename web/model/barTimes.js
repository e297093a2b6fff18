import { dates, zoneOffset } from './formats.js';
import { fileName } from './instruments.js';

/** Whether bars are days. The market's days are UTC's, in every time zone. @param {string} interval */
const daily = (interval) => interval === '1d';

/**
 * The offset from UTC of the zone in which bars have their days and hours.
 * @param {string} interval @returns {(ms: number) => number} ms, at a time in ms since 1970
 */
export const offsetAt = (interval) => (daily(interval) ? () => 0 : zoneOffset);

/**
 * The time zone of bars at a time, for example "America/New_York, UTC−05:00".
 * @param {string} interval @param {number} ms since 1970
 */
export function zoneText(interval, ms) {
  const minutes = offsetAt(interval)(ms) / 60_000;
  const { timeZone } = dates(zoneOf(interval)).resolvedOptions();
  if (minutes === 0 && timeZone === 'UTC') return 'UTC';
  const two = (/** @type {number} */ n) => String(Math.floor(n)).padStart(2, '0');
  return `${timeZone}, UTC${minutes < 0 ? '\u2212' : '+'}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`;
}

/** The name of a chart's picture, for example "AAPL-1m-2026-11-29-140322.png". @param {{ symbol: string, interval: string }} chart @param {number} ms since 1970 */
export function pictureName({ symbol, interval }, ms) {
  const [day, time = ''] = new Date(ms + offsetAt(interval)(ms)).toISOString().split('T');
  return `${fileName(symbol)}-${interval}-${day}-${time.slice(0, 8).replaceAll(':', '')}.png`;
}

/** @param {string} interval @returns {Intl.DateTimeFormatOptions} */
const zoneOf = (interval) => (daily(interval) ? { timeZone: 'UTC' } : {});

/** Formatters for the times of bars in that zone; valid until the settings change. @param {string} interval */
export function barTimes(interval) {
  const minute = /** @type {const} */ ({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  const zone = zoneOf(interval);
  return {
    moment: dates({ day: '2-digit', month: 'short', ...zone, ...(daily(interval) ? { year: 'numeric' } : { ...minute, second: '2-digit' }) }),
    exact: dates({ day: 'numeric', month: 'short', year: 'numeric', ...minute, second: '2-digit', ...zone }),
    month: dates({ month: 'short', year: 'numeric', ...zone }),
    day: dates({ day: 'numeric', month: 'short', ...zone }),
    minute: dates({ ...minute, ...zone }),
    second: dates({ ...minute, second: '2-digit', ...zone }),
  };
}
