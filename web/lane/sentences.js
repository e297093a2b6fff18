import { seconds } from '../model/formats.js';
import { has, t } from '../text.js';

/** @import { FeedEvent, Lane } from '../types.js' */

/** @param {Lane} lane */
export const laneName = (lane) => (lane === 'sse' ? 'SSE' : 'WebSocket');

/** Why a connection ended, to follow "Connection lost". @param {string} reason @param {string} [other] for an unknown reason */
export const why = (reason, other = '') => (has(`lane.why.${reason}`) ? t(`lane.why.${reason}`) : other);

/** @type {Record<string, (a: Record<string, any>) => string>} */
const SENTENCES = {
  snapshot: (a) => t('lane.snapshot', { n: a.symbols, at: a.at }),
  added: (a) => t('lane.added', { n: a.symbols, at: a.at }),
  reset: (a) => t('lane.reset', { n: a.symbols }),
  gap: (a) => t('lane.gap', { n: a.missed, reason: has(`lane.gap.${a.reason}`) ? t(`lane.gap.${a.reason}`) : a.reason }),
  'connection-lost': (a) => t('lane.connectionLost', { why: why(a.reason) }),
  unreachable: (a) => t('lane.unreachable', { lane: laneName(a.lane), why: why(a.reason, t('lane.noAnswer')) }),
  reconnected: (a) => t('lane.reconnected', { time: seconds(a.seconds), outcome: outcome(a, () => t('lane.replayed', { n: a.replayed })) }),
  switched: (a) =>
    t('lane.switched', { from: laneName(a.from), to: laneName(a.to), at: a.at, outcome: outcome(a, () => t('lane.nothingLost')) }),
  'switch-failed': (a) => t('lane.switchFailed', { from: laneName(a.from), to: laneName(a.to), why: why(a.reason) }),
  'fell-back': (a) => t('lane.fallback', { from: laneName(a.from), to: laneName(a.to), why: why(a.reason) }),
  lost: (a) => t('lane.lost', { n: a.ticks, at: a.at }),
  malformed: (a) => t('lane.malformed', { reason: a.reason }),
  offline: () => t('lane.offline'),
  online: () => t('lane.online'),
  'topics-refused': (a) => t('lane.topicsRefused', { reason: a.reason }),
  denied: (a) => t('lane.denied', { why: why(a.reason) }),
  ended: (a) => t('lane.ended', { reason: has(`lane.end.${a.reason}`) ? t(`lane.end.${a.reason}`) : a.reason }),
};

/** The result of a resume; empty after a gap or a reset, which have sentences of their own. @param {Record<string, any>} a @param {() => string} good */
function outcome(a, good) {
  if (a.lost > 0) return t('lane.someLost', { n: a.lost });
  return a.resume === 'complete' ? good() : '';
}

/** Describes an event in the page's language, without its time and without a full stop. @param {FeedEvent} e */
export function sentence(e) {
  const make = Object.hasOwn(SENTENCES, e.code) ? SENTENCES[e.code] : undefined;
  return make ? make(e.args) : e.code;
}
