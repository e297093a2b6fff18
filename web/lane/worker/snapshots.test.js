import assert from 'node:assert/strict';
import { test } from 'node:test';
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
  const make = () => new Snapshots({ origin: '', now: () => 5, fetch: async () => new Response(JSON.stringify({ quotes: answer }), { headers: { 'Ticklane-Position': 'a-3' } }) },
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
