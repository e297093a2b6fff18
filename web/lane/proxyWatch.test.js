import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProxyWatch } from './proxyWatch.js';

function begin() {
  const state = { now: 0 };
  /** @type {string[]} */
  const found = [];
  const watch = new ProxyWatch((symptom) => found.push(symptom), () => state.now);
  /** A tick that was due at a time and arrived at another, in ms. @param {number} due @param {number} received @param {Partial<import('../types.js').Arrival>} [how] */
  const tick = (due, received, how = {}) => watch.take(/** @type {any} */ ({ T: 'q', t: due * 1000 }), { received, bytes: 100, replayed: false, lane: 'sse', ...how });
  const hello = (/** @type {'sse' | 'ws'} */ lane = 'sse') => watch.take(/** @type {any} */ ({ T: 'hello' }), { received: state.now, bytes: 100, replayed: false, lane });
  const closed = (/** @type {any} */ e) => watch.closed({ lane: 'sse', reason: 'closed', opened: false, ...e });
  return { state, found, tick, hello, closed };
}

test('ticks that a proxy holds back until its buffer is full arrive in bursts', () => {
  for (const size of [4, 20, 100]) { // ticks of a full buffer, at 20 ticks/s
    const { found, tick, hello } = begin();
    hello();
    for (let k = 0; k < Math.max(200, 12 * size); k++) tick(50 * k, 50 * size * Math.ceil((k + 1) / size) + (k % size) * 0.1);
    assert.equal(found[0], 'bursts', `buffer of ${size}`);
  }
});

test('ticks on time, slow ones, a network that stalls and a market that pauses are no bursts', () => {
  const { found, tick, hello } = begin();
  hello();
  for (let k = 0; k < 1000; k++) tick(50 * k, 50 * k + 5); // on time
  for (let k = 0; k < 100; k++) tick(60_000 + 2_000 * k, 60_000 + 2_000 * k + 5); // one every two seconds
  for (let k = 0; k < 600; k++) { // a stall of 1.5 s once in ten seconds
    const due = 400_000 + 50 * k;
    tick(due, due % 10_000 < 1_500 ? due - (due % 10_000) + 1_500 : due + 5);
  }
  for (let k = 0; k < 400; k++) { // 20 ticks in a second, then four seconds without
    const due = 500_000 + 5_000 * Math.floor(k / 20) + 50 * (k % 20);
    tick(due, due + 5);
  }
  assert.deepEqual(found, []);
});

test('ticks of a resume and of WebSocket are left out', () => {
  for (const how of [{ replayed: true }, { lane: /** @type {const} */ ('ws') }]) {
    const { found, tick, hello } = begin();
    hello();
    for (let k = 0; k < 400; k++) tick(50 * k, 2_000 * Math.ceil((k + 1) / 40), how);
    assert.deepEqual(found, []);
  }
});

test('streams that do not open are suspect from the second in a row, by lane', () => {
  const { found, hello, closed } = begin();
  closed({ lane: 'ws' });
  hello('ws');
  closed({ lane: 'ws' });
  assert.deepEqual(found, []);
  closed({ lane: 'ws' });
  closed({ reason: 'silent' });
  closed({ reason: 'silent' });
  assert.deepEqual(found, ['websocket', 'silent']);
  closed({ reason: 'overload' });
  closed({ reason: 'unauthorized' });
  closed({});
  assert.equal(found.length, 2, 'the server refused them, or is unreachable');
});

test('streams that end after the same time again and again were cut by a time limit', () => {
  const { state, found, hello, closed } = begin();
  const live = (/** @type {number} */ ms, reason = 'closed') => {
    hello();
    state.now += ms;
    closed({ opened: true, reason });
  };
  for (const ms of [60_010, 60_500, 30_000, 60_020, 60_100]) live(ms);
  live(60_000, 'shutdown');
  live(60_000);
  live(60_000);
  for (const ms of [1_000, 1_000, 1_000]) live(ms);
  assert.deepEqual(found, []);
  for (const ms of [60_010, 60_500, 60_020]) live(ms);
  assert.deepEqual(found, ['cuts']);
});
