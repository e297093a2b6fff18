import { count, seconds } from '../store/format.js';

/** @typedef {import('../types.js').FeedEvent} FeedEvent */
/** @typedef {import('../types.js').Lane} Lane */

/** @param {Lane} lane */
export const laneName = (lane) => (lane === 'sse' ? 'SSE' : 'WebSocket');

/** @param {number} n @param {string} noun */
const many = (n, noun) => `${count(n)} ${noun}${n === 1 ? '' : 's'}`;

/** Why a connection ended, after "Connection lost". @type {Record<string, string>} */
const LOST = {
  silent: ': no sign of life',
  unknown: ': the server no longer knew it',
  refused: ': the browser refused it',
  shutdown: ': the server is shutting down',
  overload: ': the server is full',
  slow: ': this page was too slow to read',
};

/** @type {Record<string, string>} */
const GAP = { expired: 'expired', lag: 'fell behind', conflated: 'fell behind; newest only from now on' };

/** @type {Record<string, (a: Record<string, any>) => string>} */
const SENTENCES = {
  snapshot: (a) => `Snapshot of ${many(a.symbols, 'symbol')}, live from ${count(a.at)}`,
  added: (a) => `Snapshot of ${many(a.symbols, 'symbol')} added at ${count(a.at)}`,
  reset: (a) => `Server restarted: new log, snapshot of ${many(a.symbols, 'symbol')}`,
  gap: (a) => `Missed ${many(a.missed, 'tick')} (${GAP[a.reason] ?? a.reason}); snapshot taken`,
  'connection-lost': (a) => `Connection lost${LOST[a.reason] ?? ''}`,
  unreachable: (a) => `No connection over ${laneName(a.lane)}${LOST[a.reason] ?? ': the server does not answer'}`,
  reconnected: (a) => `Reconnected in ${seconds(a.seconds)}${outcome(a, `, ${many(a.replayed, 'tick')} replayed`)}`,
  switched: (a) =>
    `Switched ${laneName(a.from)} → ${laneName(a.to)} at ${count(a.at)}${outcome(a, ', nothing lost')}`,
  'switch-failed': (a) =>
    `${laneName(a.to)} could not be opened${LOST[a.reason] ?? ''}; staying on ${laneName(a.from)}`,
  lost: (a) => `${many(a.ticks, 'tick')} missing before ${count(a.at)}, and nobody said so`,
  malformed: (a) => `A message could not be read: ${a.reason}`,
  offline: () => 'This device has no network',
  online: () => 'The network is back',
  'topics-refused': (a) => `Topics not changed: ${a.reason}`,
  ended: (a) => `The server ended the stream, as asked: ${a.reason} reached`,
};

/** What a resume came to; after a gap or a reset, the next sentence tells it. @param {Record<string, any>} a @param {string} good */
function outcome(a, good) {
  if (a.lost > 0) return `, ${many(a.lost, 'tick')} lost`;
  return a.resume === 'complete' ? good : '';
}

/** An event in English, without its time and without a full stop. @param {FeedEvent} e */
export function sentence(e) {
  const make = Object.hasOwn(SENTENCES, e.code) ? SENTENCES[e.code] : undefined;
  return make ? make(e.args) : e.code;
}
