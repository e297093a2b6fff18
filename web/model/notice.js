import { age, countdown, timeOfDay } from './formats.js';
import { t } from '../text.js';

/**
 * @typedef {object} Notice
 * @property {string} text
 * @property {string} button its text; '' for no button
 * @property {'retry' | 'reload' | 'symbols' | 'sign-in' | 'help' | 'close'} action of the button: connect now, reload the page, fetch the symbols now, sign in, open a dialog, hide the notice
 * @property {'warn' | 'bad' | 'quiet'} level
 * @property {() => void} [act] does what the button says, where only the notice's source can
 */

/** @typedef {{ wanted: string[], shown: string, narrowed: boolean }} Missing symbols of the address that the user's list doesn't have, and the one shown instead; narrowed: the user may read only a part of all */

/**
 * What the banner says about the connection and the list of symbols; null while there is nothing to say.
 * @param {object} now
 * @param {string} now.shown the state as the bar displays it
 * @param {number | undefined} now.retryAt wall ms of the next try; undefined while one is in progress
 * @param {number} now.newest local ms of the newest quotes, 0 when there were none; when the replay has ended, of its end
 * @param {boolean} now.silent no tick has come for long
 * @param {number} now.stale ms since 1970 since when the server has had no tick from its feed, else 0
 * @param {number} now.delay ms that the quotes are behind the market while there are none yet, else 0
 * @param {Missing | null} now.missing
 * @param {{ at: number } | null} now.symbols the wall ms of the next try to fetch the list of symbols, after it failed
 * @param {number} now.wall ms
 * @returns {Notice | null}
 */
export function notice({ shown, retryAt, newest, silent, stale, delay, missing, symbols, wall }) {
  const since = newest ? t('banner.asOf', { time: timeOfDay(newest) }) : '';
  const next = (/** @type {number | undefined} */ at) => (at !== undefined && at > wall ? t('banner.next', { time: countdown(at - wall) }) : t('banner.retrying'));
  switch (shown) {
    case 'full': // no button: the page doesn't try before the time that the server gave
      return { text: retryAt !== undefined && retryAt > wall ? t('banner.full', { time: countdown(retryAt - wall), since }) : t('banner.full.retrying', { since }), button: '', action: 'retry', level: 'warn' };
    case 'unreachable': return { text: t('banner.unreachable', { next: next(retryAt), since }), button: t('banner.retry'), action: 'retry', level: 'warn' };
    case 'offline': return { text: t('banner.offline', { since }), button: t('banner.retry'), action: 'retry', level: 'bad' };
    case 'ended': return { text: t('banner.ended', { since }), button: t('banner.restart'), action: 'reload', level: 'quiet' };
  }
  if (symbols) return { text: t('banner.symbols', { next: next(symbols.at) }), button: t('banner.retry'), action: 'symbols', level: 'warn' };
  if (missing) return { text: missingText(missing), button: t('banner.close'), action: 'close', level: 'warn' };
  if (shown === 'replayed') return { text: t('banner.replayed', { time: timeOfDay(newest) }), button: '', action: 'retry', level: 'quiet' };
  if (stale && (shown === 'live' || shown === 'paused')) return { text: t('banner.stale', { time: timeOfDay(stale) }), button: '', action: 'retry', level: 'warn' };
  if (shown === 'live' && delay > 0) return { text: t('banner.delayed', { time: age(delay) }), button: '', action: 'retry', level: 'quiet' };
  if (shown === 'live' && silent) return { text: t('banner.silent'), button: '', action: 'retry', level: 'quiet' };
  return null;
}

/** @param {Missing} missing */
export const missingText = ({ wanted, shown, narrowed }) => t(narrowed ? 'banner.missing.access' : 'banner.missing', { symbols: wanted.join(', '), shown });
