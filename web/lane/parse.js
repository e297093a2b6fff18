/** @import { Message } from '../types.js' */

/** The SSE event names of the protocol. Ticks have no event name, so they arrive as "message". */
export const EVENTS = Object.freeze(['message', 'hello', 'snapshot', 'gap', 'hb', 'bye', 'subscription', 'auth', 'status', 'trade']);

/** The fields that each type needs, with their JavaScript types. @type {Record<string, Record<string, string>>} */
const REQUIRED = {
  q: { S: 'string', bp: 'number', bs: 'number', ap: 'number', as: 'number', p: 'number', v: 'number', t: 'number', n: 'number', i: 'number' },
  hello: { conn: 'string', epoch: 'string', head: 'number', resume: 'string', mode: 'string', topics: 'object', hb: 'number' },
  snapshot: { i: 'number', quotes: 'object' },
  gap: { from: 'number', to: 'number', missed: 'number', reason: 'string' },
  hb: { t: 'number' },
  bye: { reason: 'string' },
  subscription: { topics: 'object', i: 'number' },
  auth: { status: 'string' },
  status: { status: 'string', t: 'number' },
  trade: { S: 'string', p: 'number', s: 'number', t: 'number', n: 'number', i: 'number' },
  time: { received: 'number', sent: 'number' },
  error: { code: 'string', msg: 'string' },
};

/** The fields that a type may have, with their JavaScript types. @type {Record<string, Record<string, string>>} */
const OPTIONAL = {
  hello: { snapshot: 'boolean', expires: 'number', delay: 'number', narrowed: 'boolean' },
  snapshot: { part: 'number', parts: 'number' },
  gap: { snapshot: 'boolean' },
  hb: { head: 'number' },
  subscription: { snapshot: 'boolean', narrowed: 'boolean' },
  auth: { expires: 'number' },
  status: { since: 'number', symbols: 'number', S: 'string', reason: 'string', n: 'number', i: 'number' },
  trade: { id: 'string', c: 'object', x: 'string', corrects: 'string', cancels: 'string' },
};

/** A message that violates the protocol. */
export class MessageError extends Error {
  /** @param {string} why @param {string} text */
  constructor(why, text) {
    super(`${why}: ${text.length > 80 ? `${text.slice(0, 80)}…` : text}`);
    this.name = 'MessageError';
  }
}

/**
 * Parses a JSON message, which is the same on both lanes.
 * @param {string} text
 * @returns {Message | null} null for an unknown type, which a newer server may send
 * @throws {MessageError} naming the field that is missing or of the wrong type
 */
export function parse(text) {
  /** @type {any} */
  let m;
  try {
    m = JSON.parse(text);
  } catch {
    throw new MessageError('not JSON', text);
  }
  if (m === null || typeof m !== 'object' || typeof m.T !== 'string') throw new MessageError('field "T" is missing', text);
  if (!Object.hasOwn(REQUIRED, m.T)) return null;
  const fields = /** @type {Record<string, string>} */ (REQUIRED[m.T]);
  for (const field in fields) {
    const type = fields[field];
    if (typeof m[field] !== type || m[field] === null) throw new MessageError(`${m.T}: field "${field}" is not ${type}`, text);
  }
  for (const field in OPTIONAL[m.T]) {
    const type = OPTIONAL[m.T]?.[field];
    if (m[field] !== undefined && typeof m[field] !== type) throw new MessageError(`${m.T}: field "${field}" is not ${type}`, text);
  }
  if (m.T === 'snapshot' && !Array.isArray(m.quotes)) throw new MessageError('snapshot: field "quotes" is not a list', text);
  if ((m.T === 'hello' || m.T === 'subscription') && !Array.isArray(m.topics)) throw new MessageError(`${m.T}: field "topics" is not a list`, text);
  if (m.T === 'trade' && m.c !== undefined && !Array.isArray(m.c)) throw new MessageError('trade: field "c" is not a list', text);
  return m;
}
