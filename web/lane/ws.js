import { CommandError } from './command.js';

/** @typedef {import('../types.js').Connector} Connector */
/** @typedef {import('../types.js').ConnectorHooks} ConnectorHooks */
/** @typedef {import('../types.js').Subscription} Subscription */

const PROTOCOL = 'ticklane.v1.json';

/**
 * Opens a stream over WebSocket (RFC 6455): one message a text frame.
 *
 * @param {string} url of /ws/subscribe, with its query; http and https become ws and wss
 * @param {ConnectorHooks} hooks
 * @param {{ WebSocket: any }} platform
 * @returns {Connector}
 */
export function connectWS(url, hooks, { WebSocket }) {
  const socket = new WebSocket(String(new URL(url, globalThis.location?.href)).replace(/^http/, 'ws'), PROTOCOL);
  /** @type {Map<number, { resolve: (s: Subscription) => void, reject: (e: CommandError) => void }>} */
  const waiting = new Map();
  let nextID = 1;
  let open = true;

  const close = () => {
    open = false;
    // A browser's close() waits for the peer; the feed doesn't, since from here on nothing is listened to.
    socket.close();
    for (const { reject } of waiting.values()) reject(new CommandError('closed', 'the stream ended before the server answered'));
    waiting.clear();
  };
  socket.addEventListener('message', (/** @type {MessageEvent<string>} */ e) => {
    if (!open) return;
    hooks.text(e.data);
    if (waiting.size > 0) settle(waiting, e.data);
  });
  // 'error' is always followed by 'close', so one of them is enough.
  socket.addEventListener('close', (/** @type {CloseEvent} */ e) => {
    if (!open) return;
    close();
    hooks.closed('closed', { code: e.code });
  });

  return {
    lane: 'ws',
    close,
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
 * Gives an answer to the command that it names. Ticks, nearly all of the traffic, are passed over unread.
 * An error that names none (a server that refuses a message for its rate doesn't read it) goes to the oldest, since
 * answers come in order and a command without one would keep its sender waiting for ever.
 * @param {Map<number, { resolve: (s: Subscription) => void, reject: (e: CommandError) => void }>} waiting
 * @param {string} text
 */
function settle(waiting, text) {
  if (text.includes('"T":"q"')) return;
  /** @type {any} */
  let m;
  try {
    m = JSON.parse(text);
  } catch {
    return; // the feed has counted it
  }
  const id = m.T === 'error' ? (m.id ?? waiting.keys().next().value) : m.id;
  const command = waiting.get(id);
  waiting.delete(id);
  if (m.T === 'error') command?.reject(new CommandError(m.code, m.msg));
  else command?.resolve(m);
}
