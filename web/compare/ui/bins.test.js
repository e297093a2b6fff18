import assert from 'node:assert/strict';
import { test } from 'node:test';
import { extent, place, shares, ticks } from './bins.js';

/** Ten buckets a decade, from 0.01 to 1,000 ms, with everything below in the first. */
const log = Float64Array.from({ length: 52 }, (_, k) => (k === 0 ? 0 : 0.01 * 10 ** ((k - 1) / 10)));
/** The same on both sides of 0. */
const both = Float64Array.from([...log.slice(1)].reverse().map((x) => -x).concat(...log.slice(1)));

/** @param {ArrayLike<number>} bounds @param {[number, number][]} filled bucket and count */
const buckets = (bounds, filled) => {
  const counts = new Float64Array(bounds.length - 1);
  for (const [k, n] of filled) counts[k] = n;
  return { bounds, counts };
};

test('a value is placed logarithmically within its bucket', () => {
  assert.equal(place(log, 0.01), 1);
  assert.ok(Math.abs(place(log, 1) - 21) < 1e-9);
  assert.ok(Math.abs(place(log, Math.sqrt(10)) - 26) < 1e-9);
  assert.equal(place(log, 0.005), 0.5);
  assert.ok(Number.isNaN(place(log, -1)));
  assert.ok(Number.isNaN(place(log, 2000)));
});

test('0 is in the middle of a symmetric scale', () => {
  const zero = place(both, 0);
  assert.equal(zero, (both.length - 1) / 2);
  for (const x of [0.02, 0.5, 30]) assert.ok(Math.abs(place(both, x) - zero - (zero - place(both, -x))) < 1e-9, String(x));
});

test('the extent omits outliers and adds a margin', () => {
  assert.equal(extent([buckets(log, [])]), null);
  assert.deepEqual(extent([buckets(log, [[20, 5]]), buckets(log, [[30, 5]])], 0.01, 3), [17, 33]);
  assert.deepEqual(extent([buckets(log, [[2, 1], [20, 1000], [25, 1000], [49, 1]])], 0.01, 0), [20, 25]);
  assert.deepEqual(extent([buckets(log, [[0, 9], [50, 9]])], 0.01, 4), [0, 50]);
});

test('shares add up to 100 %, counts outside the range included', () => {
  const h = buckets(log, [[0, 10], [20, 50], [21, 30], [40, 10]]);
  const [x, y] = shares([h], [18, 25], 4);
  assert.deepEqual(x, [19, 21, 23, 25]);
  assert.deepEqual(y, [10, 80, 0, 10]);
});

test('shares of an empty histogram are 0 beside a full one', () => {
  const [, none, full] = shares([buckets(log, []), buckets(log, [[20, 4]])], [20, 21]);
  assert.deepEqual(none, [0, 0]);
  assert.deepEqual(full, [100, 0]);
});

test('an axis has round values with a minimum distance, and 0 if visible', () => {
  assert.deepEqual(ticks(log, [15, 45], 9), [1, 3, 10, 30, 100]); // 0.3 would be cut by the edge
  const signed = ticks(both, [20, both.length - 22], 7);
  assert.ok(signed.includes(0));
  assert.deepEqual(signed.map((v) => -v).reverse().map((v) => v + 0), signed);
  const at = signed.map((v) => place(both, v));
  for (let k = 1; k < at.length; k++) assert.ok(Number(at[k]) - Number(at[k - 1]) >= (both.length - 41) / 7);
});
