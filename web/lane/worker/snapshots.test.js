import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setDecimals, useInstruments } from '../../model/instruments.js';
import { Snapshots } from './snapshots.js';
import { settled } from '../../test/fakeServer.js';

/** @param {any} q @returns {any} */
const tick = (q) => ({ T: 'q', S: 'A', bp: 100, bs: 1, ap: 100, as: 1, p: 100, v: 1, t: Date.UTC(2024, 0, 2, 12) * 1000, n: 1, i: 1, ...q });
/** @param {any} q */
const day = (q) => tick({ o: 98, h: 101, l: 97, c: 98, ...q });

test('ticks and quotes fetched later give the same snapshot as a snapshot at the start and ticks', async () => {
  const hello = /** @type {any} */ ({ T: 'hello', epoch: 'a' });
  let seq = 0;
  /** @type {any} */
  let answer;
  const make = () => new Snapshots({ origin: '', now: () => 5, setTimeout, fetch: async () => new Response(JSON.stringify({ quotes: answer }), { headers: { 'Ticklane-Position': 'a-3' } }) },
    { topics: () => ['*'], epoch: () => 'a', seq: () => seq, fetched() {}, failed() { assert.fail(); } });
  const [whole, late] = [make(), make()];
  for (const s of [whole, late]) s.apply(hello, 5, false);
  whole.apply(/** @type {any} */ ({ T: 'snapshot', i: 1, quotes: [day({}), day({ S: 'B' }), day({ S: 'C' })] }), 5, true);
  const ticks = [tick({ p: 103, i: 2, n: 2 }), tick({ p: 96, i: 3, n: 3 }), tick({ S: 'B', i: 4, n: 2 }), tick({ i: 5, n: 4 }), tick({ S: 'NEW', i: 6, n: 1 })];
  for (const m of ticks) {
    seq = m.i;
    for (const s of [whole, late]) s.apply(m, 5, false);
  }
  answer = [day({ p: 96, h: 103, l: 96, i: 3, n: 3 }), day({ S: 'B', i: 7, n: 3 }), day({ S: 'C' })];
  assert.ok(whole.ready);
  assert.ok(!late.ready);
  await settled();
  assert.ok(!late.ready && late.waiting, 'it is ahead of the stream');
  for (const s of [whole, late]) s.apply(tick({ S: 'B', i: 7, n: 3 }), 5, false);
  seq = 7;
  assert.ok(late.ready && !late.waiting);
  const plain = (/** @type {Snapshots} */ s) => s.of(['*'], () => '', 7).quotes.sort((a, b) => (a.S < b.S ? -1 : 1));
  assert.deepEqual(plain(late), plain(whole));
  assert.deepEqual(plain(late).map(({ S, i, h, l }) => [S, i, h, l]), [['A', 5, 103, 96], ['B', 7, 101, 97], ['C', 1, 101, 97], ['NEW', 6, undefined, undefined]]);
});

test('a snapshot has the halts of the stream and of the quotes that were fetched', async () => {
  let seq = 1;
  const quotes = [day({ S: 'A', i: 1, status: 'halted' }), day({ S: 'B', i: 1, status: 'halted' }), day({ S: 'C', i: 1 }), day({ S: 'D', i: 1, status: 'halted' })];
  const s = new Snapshots({ origin: '', now: () => 5, setTimeout, fetch: async () => new Response(JSON.stringify({ quotes }), { headers: { 'Ticklane-Position': 'a-1' } }) },
    { topics: () => ['*'], epoch: () => 'a', seq: () => seq, fetched() {}, failed() { assert.fail(); } });
  s.apply(/** @type {any} */ ({ T: 'hello', epoch: 'a' }), 5, false);
  for (const [S, status] of [['B', 'trading'], ['C', 'halted']]) {
    seq++;
    s.apply(tick({ S, i: seq, n: 2 }), 5, false);
    s.apply(/** @type {any} */ ({ T: 'status', S, status, t: 1 }), 5, false);
  }
  s.apply(tick({ S: 'A' }), 5, false);
  assert.ok(!s.ready);
  await settled();
  assert.ok(s.ready);
  assert.deepEqual(s.of(['*'], () => '', seq).quotes.map((q) => [q.S, q.status]).sort(), [['A', 'halted'], ['B', undefined], ['C', 'halted'], ['D', 'halted']]);
});

/** Snapshots of a stream that starts at seq 10, with quotes of these positions, the last one for all further requests. @param {number[]} positions */
function resumedAtTen(positions) {
  /** @type {string[]} */
  const log = [];
  /** @type {() => void} */
  let elapse = () => assert.fail('no timer is set');
  const snapshots = new Snapshots({
    origin: '', now: () => 5,
    setTimeout: (/** @type {() => void} */ f, /** @type {number} */ ms) => {
      log.push(`wait ${ms}`);
      elapse = f;
    },
    fetch: async () => {
      const at = positions.length > 1 ? positions.shift() : positions[0];
      log.push(`quotes of ${at}`);
      return new Response(JSON.stringify({ quotes: [day({ i: at, n: at })] }), { headers: { 'Ticklane-Position': `a-${at}` } });
    },
  }, { topics: () => ['*'], epoch: () => 'a', seq: () => 10, fetched: () => log.push('fetched'), failed: () => log.push('failed') });
  snapshots.apply(/** @type {any} */ ({ T: 'hello', epoch: 'a' }), 5, false);
  return { snapshots, log, elapse: () => elapse() };
}

test('quotes older than the start of the stream are fetched again', async () => {
  const { snapshots, log, elapse } = resumedAtTen([9, 10]);
  assert.ok(!snapshots.ready);
  await settled();
  assert.ok(!snapshots.ready && !snapshots.waiting, 'the tick 10 is missing');
  elapse();
  await settled();
  assert.ok(snapshots.ready);
  assert.deepEqual(log, ['quotes of 9', 'wait 250', 'quotes of 10', 'fetched']);
  assert.deepEqual(snapshots.of(['*'], () => '', 10).quotes.map((q) => q.i), [10]);
});

test('quotes that stay older than the stream fail', async () => {
  const { snapshots, log, elapse } = resumedAtTen([9]);
  assert.ok(!snapshots.ready);
  await settled();
  elapse();
  await settled();
  assert.deepEqual(log, ['quotes of 9', 'wait 250', 'quotes of 9', 'failed']);
});

test('quotes for an earlier connection are not fetched again', async () => {
  const { snapshots, log, elapse } = resumedAtTen([9]);
  assert.ok(!snapshots.ready);
  await settled();
  snapshots.begin();
  elapse();
  await settled();
  assert.deepEqual(log, ['quotes of 9', 'wait 250']);
});

test('a snapshot has the decimals with which a tab decodes later ticks', (c) => {
  c.after(() => useInstruments([]));
  setDecimals('EURUSD', 5, 0);
  const host = { topics: () => ['*'], epoch: () => 'a', seq: () => 1, fetched() {}, failed() {} };
  const snapshots = new Snapshots({ origin: '', now: () => 5, setTimeout, fetch }, host);
  snapshots.apply(/** @type {any} */ ({ T: 'snapshot', i: 1, quotes: [day({ S: 'EURUSD', p: 1.08345 }), day({ S: 'A' })] }), 5, true);
  assert.deepEqual(snapshots.of(['*'], () => '', 1).quotes.map((q) => [q.S, q.decimals, q.size_decimals]), [['EURUSD', 5, 0], ['A', undefined, undefined]]);
});
