import { address } from '../browser/http.js';
import { binaryReader } from './binary.js';
import { CommandError } from './commandError.js';
import { parse } from './parse.js';
import { renewStream } from './renewStream.js';

/** @import { Connector, ConnectorHooks, Message, Subscription } from '../types.js' */

const TRY_AGAIN_LATER = 1013; // close code
/** Close codes of a stream whose rights ended, if no bye has come before them. */
const RIGHTS = /** @type {Record<number, string>} */ ({ 4001: 'expired', 4003: 'revoked' });
const LATER = 5_000; // ms until the next try after that code, if no bye has come before it

/** The subprotocol of each encoding. */
const PROTOCOLS = Object.freeze({ json: 'ticklane.v1.json', protobuf: 'ticklane.v1.protobuf' });

/**
 * Opens a stream over WebSocket (RFC 6455), one message per frame.
 *
 * @param {string} url of /ws/subscribe, with its query; http and https become ws and wss
 * @param {ConnectorHooks} hooks
 * @param {{ WebSocket: any, fetch: typeof globalThis.fetch, encoding?: import('../types.js').Encoding }} platform
 * @returns {Connector}
 */
export function connectWS(url, hooks, { WebSocket, fetch, encoding = 'json' }) {
  const socket = new WebSocket(address(url).replace(/^http/, 'ws'), PROTOCOLS[encoding]);
  socket.binaryType = 'arraybuffer';
  /** @type {Map<number, { resolve: (s: Subscription) => void, reject: (e: CommandError) => void }>} */
  const waiting = new Map();
  let nextID = 1;
  let open = true;

  const close = () => {
    open = false;
    // A browser's close() waits for the peer; the feed does not, since it ignores all later events.
    socket.close();
    for (const { reject } of waiting.values()) reject(new CommandError('closed', 'the stream ended before the server answered'));
    waiting.clear();
  };
  const ended = (/** @type {import('../types.js').Close} */ how) => {
    if (!open) return;
    close();
    if (how.code === TRY_AGAIN_LATER) hooks.closed('overload', { ...how, retry: LATER });
    else hooks.closed(RIGHTS[how.code ?? 0] ?? 'closed', how);
  };
  /** Passes a message on and resolves the command that it answers. @param {string | Uint8Array} data @param {(data: any) => Message | null} read */
  const take = (data, read) => {
    if (!open) return;
    /** @type {Message | null} */
    let m = null;
    hooks.text(data, () => (m = read(data))); // the feed calls read once and counts its errors
    if (waiting.size > 0 && m !== null) settle(waiting, m);
  };
  const binary = encoding === 'protobuf' ? binaryReader(take, () => ended({})) : null;
  socket.addEventListener('message', (/** @type {MessageEvent<any>} */ e) => {
    if (typeof e.data === 'string') take(e.data, parse);
    else binary?.read(new Uint8Array(e.data));
  });
  // 'error' is always followed by 'close'. A bye may still wait for its decoder.
  socket.addEventListener('close', (/** @type {CloseEvent} */ { code }) => (binary ? binary.afterwards(() => ended({ code })) : ended({ code })));

  return {
    lane: 'ws',
    close,
    renew: (conn) => renewStream(url, conn, { fetch }),
    command(action, topics) {
      return new Promise((resolve, reject) => {
        if (!open || socket.readyState !== 1) throw new CommandError('closed', 'the stream is not open');
        const id = nextID++;
        waiting.set(id, { resolve, reject });
        socket.send(JSON.stringify({ action, topics, id }));
      });
    },
  };
}

/**
 * Settles the command that a message answers. An error without an id (the server does not read a message that it refuses
 * for its rate) belongs to the oldest command, since answers come in order.
 * @param {Map<number, { resolve: (s: Subscription) => void, reject: (e: CommandError) => void }>} waiting
 * @param {any} m
 */
function settle(waiting, m) {
  if (m.T === 'q' || m.T === 'trade') return; // the id of a trade is the feed's
  const id = m.T === 'error' ? (m.id ?? waiting.keys().next().value) : m.id;
  const command = waiting.get(id);
  waiting.delete(id);
  if (m.T === 'error') command?.reject(new CommandError(m.code, m.msg));
  else command?.resolve(m);
}
