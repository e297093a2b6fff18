import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rows } from './heatmap.js';
import { disconnection, notes, offer } from './status.js';

/** @param {object} [side] @param {object} [rest] */
const result = (side = {}, rest = {}) => /** @type {any} */ ({
  setup: { delay: { a: 0, b: 0 } }, state: 'measuring', sound: true,
  sides: [{ name: 'SSE', gaps: 0, ...side }, { name: 'WebSocket', gaps: 0 }], ...rest,
});

test('a normal run needs no note', () => {
  assert.deepEqual(notes(result(), []), []);
});

test('gaps, delays, freezing and faults have notes', () => {
  const all = notes(result({ gaps: 2 }, { setup: { delay: { a: 0, b: 2 } }, state: 'frozen' }), ['rate: "x" is not a number']);
  assert.equal(all[0], 'rate: "x" is not a number');
  assert.match(all.join(' '), /reported 2 gaps/);
  assert.match(all.join(' '), /Injected delay: 2 ms on WebSocket\./);
  assert.match(all.join(' '), /frozen/);
  assert.match(notes(result({}, { sound: false }), []).join(' '), /fault/);
});

test('both heatmaps have one scale that contains every slow tick', () => {
  const row = (/** @type {Record<number, number>} */ filled) => Uint32Array.from({ length: 73 }, (_, k) => filled[k] ?? 0);
  const heat = (/** @type {Uint32Array[]} */ ...all) => ({ t: all.map((_, k) => k * 1000), bounds: [], rows: all });
  const [first, last] = rows([heat(row({ 0: 1, 24: 5000 })), heat(row({ 30: 4000, 60: 1 }))]);
  assert.ok(first > 0 && first <= 24, `first ${first}`);
  assert.ok(last >= 60, `last ${last}`);
  const [low, high] = rows([heat(row({ 24: 10 }))]);
  assert.ok(high - low >= 15, `${low}–${high}`);
});

test('the offer of a link that changes the server', () => {
  assert.equal(offer(null), '');
  assert.equal(
    offer({ rate: 5000, background: { sse: 500, ws: 500 } }),
    'This link sets 5\u202f000 ticks/s and 500 + 500 background clients for every user of this server.',
  );
  assert.equal(offer({ rate: 0.5, background: null }), 'This link sets 0.5 ticks/s for every user of this server.');
});

test('a full server is named as the reason, not the network', () => {
  const side = (/** @type {string} */ name, /** @type {object} */ more) => /** @type {any} */ ({ name, lane: name === 'SSE' ? 'sse' : 'ws', state: 'waiting', retryAt: Date.now() + 8_000, ...more });
  const full = 'WebSocket is not connected: the server is full. Retrying in 8\u202fs. Results so far are kept.';
  assert.equal(disconnection([side('WebSocket', { reason: 'overload' })]), full);
  assert.equal(disconnection([side('SSE', { reason: 'closed' }), side('WebSocket', { reason: 'overload' })]), full);
  assert.match(disconnection([side('SSE', { reason: 'closed' })]), /A proxy may be buffering/);
});
