import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { MessageError, parse } from './parse.js';
import { decode } from './protobuf.js';
import { connectWS } from './ws.js';

/** The output of the server's encoder; a Go test keeps the file up to date. @type {{ json: string, protobuf: string }[]} */
const twins = JSON.parse(readFileSync(new URL('../test/testdata/protobuf.json', import.meta.url), 'utf8'));
const bytes = (/** @type {string} */ hex) => Uint8Array.from(Buffer.from(hex, 'hex'));

test('every message is decoded to the object that its JSON parses to', () => {
  const kinds = new Set();
  for (const { json, protobuf } of twins) {
    const m = parse(json);
    if (m?.T === 'hb' && m.head === 0) delete m.head; // which protobuf cannot tell from a missing one; both mean nothing yet
    assert.deepEqual(decode(bytes(protobuf)), m, json);
    kinds.add(m?.T);
  }
  assert.deepEqual([...kinds].sort(), ['auth', 'bye', 'error', 'gap', 'hb', 'hello', 'q', 'snapshot', 'status', 'subscription', 'time', 'trade']);
});

test('an unknown kind is ignored, and so is an unknown field', () => {
  assert.equal(decode(bytes('7a021234')), null); // field 15
  assert.equal(decode(bytes('')), null);
  assert.deepEqual(decode(bytes('2a06' + '0807' + '1009' + '7801')), { T: 'hb', t: 7, head: 9 });
});

test('a truncated message is rejected', () => {
  for (const { protobuf } of twins) {
    const whole = bytes(protobuf);
    if (whole.length > 4) assert.throws(() => decode(whole.slice(0, -1)), MessageError, protobuf);
  }
  assert.throws(() => decode(bytes('ffffffffffffffffffffff')), MessageError);
});

class Socket extends EventTarget {
  readyState = 1;
  binaryType = 'blob';
  /** @type {any[]} */
  sent = [];
  /** @param {string} text */
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.readyState = 3;
  }
  /** @param {string} hex */
  receive(hex) {
    this.dispatchEvent(new MessageEvent('message', { data: bytes(hex).buffer }));
  }
}

/** @param {'json' | 'protobuf'} [encoding] */
function begin(encoding) {
  const socket = new Socket();
  /** @type {any[]} */
  const args = [];
  /** @type {{ m: any, size: number }[]} */
  const got = [];
  const platform = { encoding, fetch, WebSocket: function (/** @type {any[]} */ ...given) { args.push(...given); return socket; } };
  const hooks = { closed() {}, text: (/** @type {any} */ data, /** @type {() => any} */ read) => void got.push({ size: data.length, m: read() }) };
  return { socket, args, got, connector: connectWS('http://here/ws/subscribe', hooks, platform) };
}

test('protobuf is requested as a subprotocol, and messages wait in order until the decoder is loaded', async () => {
  assert.equal(begin().args[1], 'ticklane.v1.json');
  const { socket, args, got, connector } = begin('protobuf');
  assert.equal(args[1], 'ticklane.v1.protobuf');
  assert.equal(socket.binaryType, 'arraybuffer');
  const answer = connector.command('subscribe', ['AAPL'], 'c1');
  for (const { protobuf } of twins.slice(0, 3)) socket.receive(protobuf);
  assert.equal(got.length, 0);
  while (got.length < 3) await new Promise((resolve) => setTimeout(resolve)); // until the decoder is imported
  socket.receive(twins[3].protobuf);
  assert.deepEqual(got, twins.slice(0, 4).map(({ json, protobuf }) => ({ m: JSON.parse(json), size: protobuf.length / 2 })));
  assert.deepEqual(socket.sent, [{ action: 'subscribe', topics: ['AAPL'], id: 1 }]); // text, on either subprotocol
  socket.receive('3a0c' + '0a044141504c' + '10e1bc1d' + '1801');
  assert.deepEqual((await answer).topics, ['AAPL']);
});
