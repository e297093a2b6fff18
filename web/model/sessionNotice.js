import { timeOfDay } from './formats.js';
import { t } from '../text.js';

/** @import { SessionState } from '../types.js' */

const SOON = 600_000; // ms before the end of a session that can't be renewed from which the page shows it

/**
 * The notice about the user's session; null while there is none.
 * @param {object} now
 * @param {string} now.denied why the page has no streams: revoked, session-over, signed-out, other-user; '' if it may have
 * @param {string} now.user who is signed in
 * @param {SessionState | null} now.session
 * @param {number} now.wall ms
 * @returns {import('./notice.js').Notice | null}
 */
export function sessionNotice({ denied, user, session, wall }) {
  const signIn = /** @type {const} */ ({ button: t('session.signIn'), action: 'sign-in' });
  switch (denied) {
    case 'other-user': return { text: t('session.other', { user }), button: t('session.reload'), action: 'reload', level: 'bad' };
    case 'revoked': return { ...signIn, text: t('session.revoked'), level: 'bad' };
    case 'signed-out': return { ...signIn, text: t('session.signedOut'), level: 'bad' };
    case 'session-over': return { ...signIn, text: t('session.over'), level: 'bad' };
  }
  if (session?.name !== 'valid' || !session.final || session.ends === null || session.ends - wall > SOON) return null;
  return { ...signIn, text: t('session.ends', { time: timeOfDay(session.ends).slice(0, 5) }), level: 'warn' };
}
