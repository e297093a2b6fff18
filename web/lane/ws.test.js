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

function begin() {
  const socket = new Socket();
  const platform = { WebSocket: function () { return socket; } };
  const hooks = /** @type {any} */ ({ text: (/** @type {any} */ _, /** @type {() => any} */ read) => read(), closed() {} });
  return { socket, connector: connectWS('http://here/ws/subscribe', hooks, platform) };
}

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
