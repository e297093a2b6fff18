import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LatencyStats } from './latencyStats.js';

const tick = /** @type {any} */ ({ T: 'q', t: 1_000_000 });
/** @param {boolean} timed */
const begin = (timed) => new LatencyStats({
  timed, now: () => 10_000, clock: /** @type {any} */ ({ known: true, error: 1, latency: (/** @type {{ t: number, r?: number }} */ q, /** @type {number} */ at) => at - (q.r ?? q.t) / 1000 }),
});

test('a replayed tick counts for the rate, not for the latency', () => {
  const stats = begin(true);
  stats.take(tick, { received: 1002, bytes: 100, replayed: false, lane: 'ws' });
  stats.take(tick, { received: 9000, bytes: 100, replayed: true, lane: 'ws' });
  stats.take(/** @type {any} */ ({ T: 'hb' }), { received: 9000, bytes: 50, replayed: false, lane: 'ws' });
  const { p50, p99, rate } = stats.read();
  assert.ok(Math.abs(p50 - 2) < 0.06 && p50 === p99);
  assert.ok(rate > 0);
  stats.clear();
  assert.deepEqual(stats.read(), { p50: NaN, p99: NaN, feed: NaN, error: 1, rate: 0 });
});

test('a stream with another delay starts the figures again', () => {
  const stats = begin(true);
  stats.setDelay(900_000);
  stats.take(tick, { received: 1002, bytes: 100, replayed: false, lane: 'ws' });
  stats.setDelay(900_000);
  assert.ok(stats.read().p50 > 0, 'the same delay changes nothing');
  stats.setDelay(0);
  assert.ok(Number.isNaN(stats.read().p50));
});

test('the latency from the feed to the server is a separate figure', () => {
  const stats = begin(true);
  stats.take({ ...tick, r: 1_030_000 }, { received: 1032, bytes: 100, replayed: false, lane: 'ws' });
  stats.take({ ...tick, r: 9_000_000 }, { received: 9001, bytes: 100, replayed: true, lane: 'ws' });
  const { p50, feed } = stats.read();
  assert.ok(Math.abs(p50 - 2) < 0.06 && Math.abs(feed - 30) < 0.6, `${p50} and ${feed}`);
});

test('due times that are not current give no latency, and ages since arrival', () => {
  const stats = begin(false);
  stats.take(tick, { received: 1002, bytes: 100, replayed: false, lane: 'ws' });
  assert.ok(Number.isNaN(stats.read().p50));
  assert.equal(stats.age({ t: 0, received: 9_000 }), 1_000);
  assert.equal(begin(true).age({ t: 4_000_000, received: 9_000 }), 6_000, 'else by the clock');
});
