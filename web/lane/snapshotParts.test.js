import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageError } from './parse.js';
import { SnapshotParts } from './snapshotParts.js';

/** @param {number} i @param {number} [part] @param {number} [parts] @returns {any} */
const snapshot = (i, part, parts) => ({ T: 'snapshot', i, ...(part && { part, parts }), quotes: [{ S: `S${part ?? 0}` }] });

/** @param {any} m */
const symbols = (m) => m?.quotes.map((/** @type {any} */ q) => q.S).join();

test('a snapshot of one message and other messages pass', () => {
  const parts = new SnapshotParts();
  const hb = /** @type {const} */ ({ T: 'hb', t: 1 });
  assert.equal(parts.take(null), null);
  assert.equal(parts.take(hb), hb);
  assert.equal(symbols(parts.take(snapshot(5))), 'S0');
});

test('parts are joined, also with other messages in between', () => {
  const parts = new SnapshotParts();
  assert.equal(parts.take(snapshot(5, 1, 3)), null);
  assert.equal(parts.take(snapshot(5, 2, 3)), null);
  assert.deepEqual(parts.take({ T: 'hb', t: 1 }), { T: 'hb', t: 1 });
  const whole = parts.take(snapshot(5, 3, 3));
  assert.deepEqual(whole, { T: 'snapshot', i: 5, quotes: [{ S: 'S1' }, { S: 'S2' }, { S: 'S3' }] });
  assert.equal(symbols(parts.take(snapshot(6))), 'S0', 'the next one begins anew');
});

test('an incomplete snapshot is dropped when another one begins', () => {
  const parts = new SnapshotParts();
  parts.take(snapshot(5, 1, 2));
  parts.take(snapshot(7, 1, 2));
  assert.equal(symbols(parts.take(snapshot(7, 2, 2))), 'S1,S2');
  parts.take(snapshot(8, 1, 2));
  assert.equal(symbols(parts.take(snapshot(9))), 'S0', 'one in a single message, too');
});

test('a missing part is an error, and what follows it completes nothing', () => {
  const parts = new SnapshotParts();
  parts.take(snapshot(5, 1, 4));
  assert.throws(() => parts.take(snapshot(5, 3, 4)), MessageError);
  assert.throws(() => parts.take(snapshot(5, 2, 4)), MessageError);
  parts.take(snapshot(5, 1, 2));
  assert.throws(() => parts.take(snapshot(6, 2, 2)), MessageError, 'of another snapshot');
  assert.throws(() => parts.take(snapshot(6, 3, 2)), MessageError);
});
