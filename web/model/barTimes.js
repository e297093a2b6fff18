import { dates } from './formats.js';

/** Formatters for the times of bars in the chosen time zone; valid until the settings change. */
export function barTimes() {
  const minute = /** @type {const} */ ({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  return {
    moment: dates({ day: '2-digit', month: 'short', ...minute, second: '2-digit' }),
    month: dates({ month: 'short', year: 'numeric' }),
    day: dates({ day: 'numeric', month: 'short' }),
    minute: dates(minute),
    second: dates({ ...minute, second: '2-digit' }),
  };
}
