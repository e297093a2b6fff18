import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Average } from './averages.js';

/** @param {number[]} closes */
const barsOf = (closes) => closes.map((c, k) => ({ t: k, o: c, h: c, l: c, c, v: 0 }));
const all = (/** @type {Average} */ a, /** @type {any[]} */ bars) => bars.map((_, k) => a.at(bars, k));

test('a simple average is exactly the mean of the last n closes', () => {
  const bars = barsOf([0.1, 0.2, 0.3, 0.4, 1.1, 2.2]);
  assert.deepEqual(all(new Average('sma', 3, 2), bars), [NaN, NaN, 0.2, 0.3, 0.6, 370 / 300]);
  assert.deepEqual(all(new Average('sma', 1, 2), bars), bars.map(({ c }) => c));
});

test('a simple average is exact with other decimals', () => {
  assert.deepEqual(all(new Average('sma', 2, 5), barsOf([1.08345, 1.08347, 1.0834])), [NaN, 1.08346, 1.083435]);
  assert.deepEqual(all(new Average('sma', 2, 0), barsOf([39000, 39001, -1])), [NaN, 39000.5, 19500]);
});

test('an exponential average starts with the simple one', () => {
  // (1 + 2 + 3) / 3 = 2, then half way to each close.
  assert.deepEqual(all(new Average('ema', 3, 2), barsOf([1, 2, 3, 6, 1, 2])), [NaN, NaN, 2, 4, 2.5, 2.25]);
});

test('a simple average of a million bars has no error', () => {
  const closes = Array.from({ length: 1_000_000 }, (_, k) => 100 + (k % 977) / 100);
  const bars = barsOf(closes);
  const a = new Average('sma', 50, 2);
  const got = a.at(bars, bars.length - 1);
  const want = closes.slice(-50).reduce((sum, c) => sum + Math.round(c * 100), 0) / 5000;
  assert.equal(got, want);
});

test('updates of the newest bar and new bars give the same values as a new calculation', () => {
  for (const kind of /** @type {const} */ (['sma', 'ema'])) {
    const live = new Average(kind, 5, 2);
    const bars = barsOf([]);
    for (let k = 0; k < 400; k++) {
      const c = Math.round(1e4 + 3e3 * Math.sin(k * 7.3)) / 100;
      const last = bars.at(-1);
      if (last && k % 3) last.c = c;
      else bars.push(...barsOf([c]));
      if (k % 7 === 0) bars.push(...barsOf([c + 1])); // several at once
      const got = live.at(bars, bars.length - 1);
      assert.equal(got, new Average(kind, 5, 2).at(bars, bars.length - 1), `${kind} ${k}`);
    }
    live.reset();
    assert.equal(live.at(bars, 10), new Average(kind, 5, 2).at(bars, 10));
  }
});
