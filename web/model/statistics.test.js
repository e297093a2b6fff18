import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Histogram } from './histogram.js';
import { Rate } from './rate.js';

test('quantiles have an error of at most 2.5 % from 1 µs to minutes', () => {
  const h = new Histogram();
  /** @type {number[]} */
  const values = [];
  for (let k = 0; k < 20_000; k++) values.push(10 ** (-2.5 + (8 * ((k * 7919) % 20_000)) / 20_000));
  for (const v of values) h.add(v, 1000);
  values.sort((a, b) => a - b);
  const qs = [0.01, 0.5, 0.9, 0.99, 0.999, 1];
  const { count, values: got } = h.quantiles(qs, 1000);
  assert.equal(count, 20_000);
  qs.forEach((q, k) => {
    const want = values[Math.ceil(q * values.length) - 1] ?? NaN;
    assert.ok(Math.abs((got[k] ?? NaN) / want - 1) < 0.0251, `q${q}: ${got[k]}, want ${want}`);
  });
});

test('values beyond the scale count at its ends, NaN is ignored', () => {
  const h = new Histogram();
  for (const v of [-5, 0, NaN, Infinity, 1e12]) h.add(v, 0);
  const { count, values } = h.quantiles([0.5, 1], 0);
  assert.equal(count, 4);
  assert.equal(values[0], 0);
  assert.ok((values[1] ?? 0) > 9e5);
});

test('values older than the window are dropped', () => {
  const h = new Histogram({ window: 30_000, slices: 10 });
  h.add(100, 0);
  h.add(1, 20_000);
  assert.equal(h.quantiles([1], 29_999).count, 2);
  assert.equal(h.quantiles([1], 30_000).count, 1);
  assert.equal(h.quantiles([1], 60_000).count, 0);
  assert.ok(Number.isNaN(h.quantiles([0.5], 60_000).values[0]));
  h.add(2, 60_000);
  assert.equal(h.quantiles([1], 60_000).count, 1);
  h.clear();
  assert.equal(h.quantiles([1], 60_000).count, 0);
});

test('a rate uses complete slices since the first value', () => {
  const r = new Rate({ window: 3_000, slices: 12 });
  assert.equal(r.perSecond(1_000_000), 0);
  for (let t = 0; t < 10_000; t += 10) r.add(1, 1_000_000 + t);
  assert.equal(r.perSecond(1_010_000), 100);
  assert.equal(r.perSecond(1_011_500), 50);
  assert.equal(r.perSecond(1_020_000), 0);
  r.add(1e6, 1_020_000);
  assert.equal(r.perSecond(1_020_100), 0, 'an incomplete slice');
  const young = new Rate({ window: 3_000, slices: 12 });
  for (let t = 0; t < 500; t += 10) young.add(1, 2_000_000 + t);
  assert.equal(young.perSecond(2_000_500), 100);
});
