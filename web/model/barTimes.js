import { dates, zoneOffset } from './formats.js';

/** Whether bars are days. The market's days are UTC's, in every time zone. @param {string} interval */
const daily = (interval) => interval === '1d';

/**
 * The offset from UTC of the zone in which bars have their days and hours.
 * @param {string} interval @returns {(ms: number) => number} ms, at a time in ms since 1970
 */
export const offsetAt = (interval) => (daily(interval) ? () => 0 : zoneOffset);

/** Formatters for the times of bars in that zone; valid until the settings change. @param {string} interval */
export function barTimes(interval) {
  const minute = /** @type {const} */ ({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  const zone = daily(interval) ? { timeZone: 'UTC' } : {};
  return {
    moment: dates({ day: '2-digit', month: 'short', ...zone, ...(daily(interval) ? { year: 'numeric' } : { ...minute, second: '2-digit' }) }),
    month: dates({ month: 'short', year: 'numeric', ...zone }),
    day: dates({ day: 'numeric', month: 'short', ...zone }),
    minute: dates({ ...minute, ...zone }),
    second: dates({ ...minute, second: '2-digit', ...zone }),
  };
}
