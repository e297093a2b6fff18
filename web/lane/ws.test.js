import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectWS } from './ws.js';

class Socket extends EventTarget {
  readyState = 1;
  /** @type {any[]} */
  sent = [];
  /** @param {string} text */
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.readyState = 3;
  }
  /** @param {object} m */
  receive(m) {
    this.dispatchEvent(new MessageEvent('message', { data: JSON.stringify(m) }));
  }
}

/** @param {import('../types.js').Encoding} [encoding] */
function begin(encoding) {
  const socket = new Socket();
  const platform = { WebSocket: function () { return socket; }, encoding, fetch };
  /** @type {any[]} what the feed gets */
  const got = [];
  const hooks = /** @type {any} */ ({
    text: (/** @type {any} */ _, /** @type {() => any} */ read) => got.push(read()?.T),
    closed: (/** @type {string} */ why, /** @type {any} */ close) => got.push([why, close]),
  });
  return { socket, got, connector: connectWS('http://here/ws/subscribe', hooks, platform) };
}

/** @param {number} code */
const closing = (code) => Object.assign(new Event('close'), { code });

test('an answer resolves the command with its id', async () => {
  const { socket, connector } = begin();
  const first = connector.command('subscribe', ['AAPL'], 'c1');
  const second = connector.command('subscribe', ['NOPE'], 'c1');
  const [a, b] = socket.sent;
  socket.receive({ T: 'hb', t: 1, head: 1 });
  socket.receive({ T: 'error', code: 'unknown_topic', msg: 'unknown topic NOPE', id: b.id });
  await assert.rejects(second, { name: 'CommandError', code: 'unknown_topic' });
  socket.receive({ T: 'error', code: 'unknown_topic', msg: 'unknown id', id: 99 });
  socket.receive({ T: 'subscription', topics: ['AAPL'], i: 1, id: a.id });
  assert.deepEqual((await first).topics, ['AAPL']);
});

test('an error without an id rejects the oldest command; another message without an id resolves none', async () => {
  const { socket, connector } = begin();
  const first = connector.command('subscribe', ['AAPL'], 'c1');
  const second = connector.command('subscribe', ['MSFT'], 'c1');
  socket.receive({ T: 'snapshot', i: 1, quotes: [] });
  socket.receive({ T: 'error', code: 'rate', msg: 'too many messages' });
  await assert.rejects(first, { name: 'CommandError', code: 'rate' });
  socket.receive({ T: 'subscription', topics: ['MSFT'], i: 1, id: socket.sent[1].id });
  assert.deepEqual((await second).topics, ['MSFT']);
  socket.receive({ T: 'error', code: 'rate', msg: 'no command waits' });
});

test('the close code "try again later" without a bye has a time to reconnect; other codes have none', () => {
  const later = begin();
  later.socket.dispatchEvent(closing(1013));
  assert.deepEqual(later.got, [['overload', { code: 1013, retry: 5_000 }]]);
  const gone = begin();
  gone.socket.dispatchEvent(closing(1006));
  assert.deepEqual(gone.got, [['closed', { code: 1006 }]]);
});

test('the close codes of ended rights are known without a bye', () => {
  for (const [code, why] of /** @type {const} */ ([[4001, 'expired'], [4003, 'revoked'], [4008, 'closed']])) {
    const { socket, got } = begin();
    socket.dispatchEvent(closing(code));
    assert.deepEqual(got, [[why, { code }]]);
  }
});

test('a bye in protobuf is read before the close that follows it, although its decoder is still loading', async () => {
  const { socket, got } = begin('protobuf');
  socket.dispatchEvent(new MessageEvent('message', { data: Uint8Array.from(Buffer.from('32070a056c696d6974', 'hex')).buffer }));
  socket.dispatchEvent(closing(1013));
  while (got.length < 2) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(got, ['bye', ['overload', { code: 1013, retry: 5_000 }]]);
});
