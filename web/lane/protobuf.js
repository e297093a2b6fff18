import { PbfReader } from 'pbf';
import { readMessage } from '../gen/ticklane.v1.js';
import { decimals, setDecimals, sizeDecimals } from '../model/instruments.js';
import { fromUnits } from '../model/units.js';
import { MessageError } from './parse.js';

/** @import { Message } from '../types.js' */

/**
 * Decodes a message of ticklane.v1.protobuf into the object that the same message in JSON parses to.
 * This module is loaded on demand.
 * @param {Uint8Array} bytes
 * @returns {Message | null} null for an unknown kind, which a newer server may send
 * @throws {MessageError}
 */
export function decode(bytes) {
  /** @type {any} */
  let m;
  try {
    const reader = new PbfReader(bytes);
    m = readMessage(reader);
    if (reader.pos !== bytes.length) throw new Error('truncated'); // the reader doesn't check where its bytes end
  } catch {
    throw new MessageError('not protobuf', Array.from(bytes.subarray(0, 40), (b) => b.toString(16).padStart(2, '0')).join(''));
  }
  const read = READ[/** @type {string} */ (m.kind)];
  return read ? read(m[m.kind]) : null;
}

/** Adds the id when the command had one. @param {any} m @param {any} from */
const withID = (m, from) => (from.command === 'id' ? { ...m, id: from.id } : m);

/** The fields that JSON has only when they are not 0, false or empty. @param {Record<string, number | boolean | string | undefined>} fields */
const present = (fields) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value));

/** @type {Record<string, (m: any) => any>} */
const READ = {
  quote,
  hello: ({ conn, lane, engine, epoch, head, oldest, resume, mode, topics, heartbeat, time, snapshot, expires, delay, narrowed }) =>
    ({ T: 'hello', conn, lane, engine, epoch, head, oldest, resume, mode, topics, hb: heartbeat, t: time, ...present({ snapshot, expires, delay, narrowed }) }),
  snapshot: ({ i, part, parts, quotes }) => ({ T: 'snapshot', i, ...present({ part, parts }), quotes: quotes.map(dayQuote) }),
  gap: ({ from, to, missed, reason, snapshot }) => ({ T: 'gap', from, to, missed, reason, ...present({ snapshot }) }),
  heartbeat: ({ time, head }) => ({ T: 'hb', t: time, ...present({ head }) }),
  bye: ({ reason, retry }) => ({ T: 'bye', reason, retry }),
  subscription: (m) => withID({ T: 'subscription', topics: m.topics, i: m.i, ...present({ snapshot: m.snapshot, narrowed: m.narrowed }) }, m),
  auth: (m) => withID({ T: 'auth', status: m.status, ...present({ expires: m.expires }) }, m),
  status: ({ status, since, symbols, time, symbol, reason, n, i }) =>
    ({ T: 'status', status, ...present({ since, symbols, S: symbol, reason, n, i }), t: time }),
  trade,
  time: (m) => withID({ T: 'time', received: m.received, sent: m.sent }, m),
  error: (m) => withID({ T: 'error', code: m.code, msg: m.msg }, m),
};

/**
 * Prices and sizes are in units of the instrument's last decimal, and prices other than the bid are encoded as units above it.
 * @param {any} q
 */
function quote(q) {
  if (q.n === 1) scale(q);
  const price = (/** @type {number} */ units) => fromUnits(units, decimals(q.symbol));
  const size = (/** @type {number} */ units) => fromUnits(units, sizeDecimals(q.symbol));
  return {
    T: 'q', S: q.symbol, bp: price(q.bid), bs: size(q.bid_size), ap: price(q.bid + q.ask), as: size(q.ask_size), p: price(q.bid + q.last),
    v: size(q.volume), t: q.time, n: q.n, i: q.i, ...present({ r: q.received && q.time + q.received }),
  };
}

/** @param {any} m */
function trade(m) {
  if (m.n === 1) scale(m);
  const { symbol, id, conditions, venue, corrects, cancels } = m;
  return {
    T: 'trade', S: symbol, p: fromUnits(m.price, decimals(symbol)), s: fromUnits(m.size, sizeDecimals(symbol)), ...present({ id }),
    ...(conditions.length > 0 && { c: conditions }), ...present({ x: venue, corrects, cancels }), t: m.time, n: m.n, i: m.i,
  };
}

/** Sets the decimals of an instrument, which a quote of a snapshot and the first tick have when they are not the usual ones. @param {any} q */
const scale = (q) => setDecimals(q.symbol, q._decimals && q.decimals, q._size_decimals && q.size_decimals);

/** A quote of a snapshot. @param {any} q */
function dayQuote(q) {
  scale(q);
  const price = (/** @type {number} */ above) => fromUnits(q.bid + above, decimals(q.symbol));
  return { ...quote(q), o: price(q.open), h: price(q.high), l: price(q.low), c: price(q.close), ...present({ status: q.status }) };
}
