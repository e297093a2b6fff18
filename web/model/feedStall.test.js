import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FeedStall } from './feedStall.js';

test('a feed without ticks for ten seconds is stalled, until the next tick', () => {
  const s = new FeedStall();
  assert.equal(s.stalled(1e12), false, 'before the first stream');
  s.begin(0);
  assert.equal(s.stalled(9_999), false);
  assert.equal(s.stalled(10_000), true, 'no tick at all since the start');
  s.tick(10_500);
  assert.equal(s.stalled(20_499), false);
  assert.equal(s.stalled(20_500), true);
});

test('the limit of a slow feed follows its interval', () => {
  const s = new FeedStall();
  let now = 0;
  s.begin(now);
  for (let k = 0; k < 400; k++) s.tick((now += 4_000));
  assert.ok(s.limit > 75_000 && s.limit <= 80_000, `limit ${s.limit}`);
  assert.equal(s.stalled(now + 60_000), false);
  assert.equal(s.stalled(now + 80_000), true);
});

test('a stall does not change the interval', () => {
  const s = new FeedStall();
  let now = 0;
  s.begin(now);
  for (let k = 0; k < 400; k++) s.tick((now += 100));
  s.tick((now += 3_600_000));
  assert.equal(s.limit, 10_000);
});
