import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BatchMeans } from './batchMeans.js';
import { DifferenceHistogram, LatencyHistogram } from './histograms.js';
import { QuantileSections } from './quantileSections.js';
import { t95 } from './studentT.js';
import { Midmean } from './midmean.js';
import { normal, uniform } from '../test/random.js';

const RATE = 50; // values a second

/** @param {number} seconds @param {(k: number) => number} value @param {number} [rate] values a second */
function batches(seconds, value, rate = RATE) {
  const b = new BatchMeans();
  for (let k = 0; k < seconds * rate; k++) b.add(value(k), (k * 1000) / rate);
  return b;
}

test("t95 matches the tables of Student's t", () => {
  for (const [df, want] of [[1, 12.706], [9, 2.262], [30, 2.042], [31, 2.0395], [40, 2.0211], [60, 2.0003], [120, 1.9799], [1e6, 1.96]]) {
    assert.ok(Math.abs(t95(Number(df)) - Number(want)) < 0.001, `${df}: ${t95(Number(df))}`);
  }
  assert.ok(Number.isNaN(t95(0)));
});

test('constant zero: mean 0, error 0', () => {
  const b = batches(20, () => 0);
  assert.equal(b.mean, 0);
  assert.equal(b.interval().error, 0);
  assert.equal(b.interval().batches, 19, 'the newest batch is incomplete');
});

test('fewer than ten complete batches have no interval', () => {
  const b = batches(10, (k) => k % 3);
  assert.ok(Number.isNaN(b.interval().error));
  assert.equal(b.interval().batches, 9);
  b.add(0, 10_000);
  assert.ok(b.interval().error > 0);
  b.clear();
  assert.ok(Number.isNaN(b.mean) && b.interval().batches === 0);
  b.add(1, 5); // clear also forgets how long batches had become
  assert.equal(b.interval().ms, 1000);
});

test('a shift of 2 ms is found with the error of independent values', () => {
  const z = normal(1);
  const b = batches(60, () => 2 + 0.5 * z());
  const { error } = b.interval();
  const want = (1.96 * 0.5) / Math.sqrt(60 * RATE);
  assert.ok(Math.abs(b.mean - 2) <= error, `${b.mean} ± ${error}`);
  assert.ok(error > 0.6 * want && error < 1.7 * want, `${error}, want about ${want}`);
});

/** x(k) = φ x(k−1) + e: its mean of n values has the standard error 1 / ((1 − φ) √n). @param {number} phi @param {number} seed */
function ar1(phi, seed) {
  const z = normal(seed);
  let x = z() / Math.sqrt(1 - phi * phi);
  return () => (x = phi * x + z());
}

test('dependent values have a wider interval', () => {
  const phi = 0.95; // half a second of memory or so
  const seconds = 600;
  const n = seconds * RATE;
  const { error, batches: count } = batches(seconds, ar1(phi, 7)).interval();
  const want = t95(count - 1) / ((1 - phi) * Math.sqrt(n));
  const naive = 1.96 / Math.sqrt((1 - phi * phi) * n);
  assert.ok(error > 0.7 * want && error < 1.4 * want, `${error}, want about ${want}`);
  assert.ok(error > 4 * naive, `${error}, naively ${naive}`);
});

test('95 % of the intervals contain the true mean, for dependent values too', () => {
  for (const phi of [0, 0.7, 0.9]) { // at ten values a second, the last remembers for seconds
    let held = 0;
    const runs = 400;
    for (let seed = 1; seed <= runs; seed++) {
      const b = batches(100, ar1(phi, seed), 10);
      if (Math.abs(b.mean) <= b.interval().error) held++;
    }
    assert.ok(held / runs > 0.9 && held / runs < 0.985, `φ = ${phi}: ${held} of ${runs}`);
  }
});

test('batches are weighted by their ticks', () => {
  const b = new BatchMeans();
  const u = uniform(3);
  let sum = 0;
  let count = 0;
  for (let second = 0; second < 40; second++) {
    const burst = 1 + Math.floor(u() * 100);
    for (let k = 0; k < burst; k++) {
      const value = 1 + (second % 2); // what a busy second has, a calm one has too
      b.add(value, second * 1000 + k);
      sum += value;
      count++;
    }
  }
  assert.ok(Math.abs(b.mean - sum / count) < 1e-12);
  assert.ok(b.interval().error > 0.05 && b.interval().error < 0.4, String(b.interval().error));
});

test('hours are held in 64 batches', () => {
  const b = batches(3 * 3600, (k) => k % 2);
  const { batches: count, ms } = b.interval();
  assert.ok(count <= 64 && count >= 10, String(count));
  assert.ok(ms >= 3 * 3600_000 / 64);
  assert.equal(b.count, 3 * 3600 * RATE);
});

test('quantiles are within 2.5 %, the maximum is exact', () => {
  const h = new LatencyHistogram();
  for (let k = 1; k <= 10_000; k++) h.add(k / 100);
  const d = h.distribution();
  for (const [got, want] of [[d.p50, 50], [d.p90, 90], [d.p99, 99], [d.p999, 99.9]]) {
    assert.ok(Math.abs(Number(got) / Number(want) - 1) < 0.025, `${got}, want ${want}`);
  }
  assert.equal(d.max, 100);
  assert.ok(Math.abs(d.mean - 50.005) < 1e-9);
  assert.equal(d.count, 10_000);
  h.add(NaN);
  h.add(-0.3);
  assert.equal(h.count, 10_001);
  h.clear();
  assert.ok(Number.isNaN(h.distribution().p50));
});

test('a quantile does not exceed the maximum; buckets have bounds', () => {
  const h = new LatencyHistogram();
  h.add(3.3);
  assert.ok(h.distribution().p999 <= 3.3);
  const { bounds, counts } = h.buckets();
  const k = Array.from(counts).indexOf(1);
  assert.ok(Number(bounds[k]) <= 3.3 && Number(bounds[k + 1]) >= 3.3, `${bounds[k]} to ${bounds[k + 1]}`);
  assert.equal(bounds.length, counts.length + 1);
  h.add(3.3);
  assert.equal(Array.from(counts)[k], 1, 'a returned copy does not change');
});

test('the scale of differences is symmetric around zero', () => {
  const h = new DifferenceHistogram();
  const values = [-250, -2, -0.02, 0, 0.0004, 0.02, 2, 250];
  for (const v of values) h.add(v);
  const { bounds, counts } = h.buckets();
  assert.equal(bounds.length, counts.length + 1);
  for (let k = 1; k < bounds.length; k++) assert.ok(Number(bounds[k]) > Number(bounds[k - 1]));
  for (const v of values) {
    const k = Array.from(counts).findIndex((n, b) => n > 0 && Number(bounds[b]) <= v && v <= Number(bounds[b + 1]));
    assert.ok(k >= 0, `${v} stands in no bucket`);
  }
  assert.equal(h.median, 0);
  h.clear();
  assert.ok(Number.isNaN(h.median));
  for (const v of [-4, -2, -1]) h.add(v);
  assert.ok(Math.abs(h.median / -2 - 1) < 0.025, String(h.median));
});

test('the difference of quantiles has an interval by sectioning', () => {
  const u = uniform(11);
  const s = new QuantileSections();
  const exponential = () => -Math.log(1 - u());
  for (let k = 0; k < 120 * RATE; k++) {
    const t = (k * 1000) / RATE;
    s.add(0, 1 + exponential(), t);
    s.add(1, exponential(), t);
  }
  const p50 = s.difference(0.5);
  assert.ok(Math.abs(p50.value - 1) < 0.1 && Math.abs(p50.value - 1) <= 1.5 * p50.error, JSON.stringify(p50));
  // Standard error of a median: 1 / (2 f √n) = 1 / √n for this distribution; of the difference, √2 times that.
  const want = 1.96 * Math.SQRT2 / Math.sqrt(120 * RATE);
  assert.ok(p50.error > 0.5 * want && p50.error < 2 * want, `${p50.error}, want about ${want}`);
  const p99 = s.difference(0.99);
  assert.ok(Math.abs(p99.value - 1) < 1 && Number.isNaN(p99.error), 'too few values per section');
  s.clear();
  assert.ok(Number.isNaN(s.difference(0.5).value));
});

test('a side without values has no difference; short runs have no error', () => {
  const s = new QuantileSections();
  for (let k = 0; k < 5 * RATE; k++) s.add(0, 1, k * 20);
  assert.ok(Number.isNaN(s.difference(0.5).value));
  for (let k = 0; k < 5 * RATE; k++) s.add(1, 1, 5_000 + k * 20);
  assert.ok(Math.abs(s.difference(0.5).value) < 1e-9);
  assert.ok(Number.isNaN(s.difference(0.5).error));
});

/** @param {number} seconds @param {(k: number) => number} value @param {number} [rate] values a second */
function typical(seconds, value, rate = RATE) {
  const typ = new Midmean();
  for (let k = 0; k < seconds * rate; k++) typ.add(value(k), (k * 1000) / rate);
  return typ.estimate();
}

test('midmean: exact for equal values, no error below ten sections', () => {
  assert.deepEqual(typical(20, () => 0), { value: 0, error: 0 });
  const two = typical(20, () => 2);
  assert.ok(Math.abs(two.value - 2) < 1e-12 && two.error < 1e-12);
  assert.ok(Number.isNaN(typical(10, () => 1).error));
  assert.ok(Number.isNaN(typical(0, () => 1).value));
  const cleared = new Midmean();
  cleared.add(5, 0);
  cleared.clear();
  cleared.add(1, 0);
  assert.equal(cleared.estimate().value, 1);
});

test('midmean: the middle half, with the theoretical error for normal values', () => {
  const z = normal(5);
  const { value, error } = typical(120, () => 2 + 0.5 * z());
  // The midmean of normal values has 1.19 times the variance of their mean (Andrews et al. 1972).
  const want = (1.98 * 0.5 * Math.sqrt(1.19)) / Math.sqrt(120 * RATE);
  assert.ok(Math.abs(value - 2) <= error, `${value} ± ${error}`);
  assert.ok(error > 0.5 * want && error < 1.7 * want, `${error}, want about ${want}`);
});

test('midmean: pauses of one side and alternation do not move it', () => {
  const u = uniform(9);
  const z = normal(10);
  const stalls = typical(60, (k) => (k % 1000 < 40 ? 400 * u() : 2 + 0.1 * z()));
  assert.ok(Math.abs(stalls.value - 2) < 0.02 && stalls.error < 0.03, JSON.stringify(stalls));
  const turns = typical(60, () => (u() < 0.5 ? -0.15 : 0.15) + 0.01 * z());
  assert.ok(Math.abs(turns.value) <= turns.error && turns.error < 0.03, JSON.stringify(turns));
});

test('midmean: 95 % of the intervals contain the true value', () => {
  for (const phi of [0, 0.7, 0.9]) {
    let held = 0;
    const runs = 120;
    for (let seed = 1; seed <= runs; seed++) {
      const { value, error } = typical(100, ar1(phi, seed), 10);
      if (Math.abs(value) <= error) held++;
    }
    assert.ok(held / runs > 0.9 && held / runs < 0.985, `φ = ${phi}: ${held} of ${runs}`);
  }
});
