import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteMeter, CpuMeter } from './meters.js';
import { MeasuredTime } from './measuredTime.js';
import { AAStore, noise, resolution } from './noise.js';
import { Pairs } from './pairs.js';
import { Series } from './series.js';

test('time is measured or left out by the first reason', () => {
  let now = 1_000;
  const time = new MeasuredTime(() => now);
  assert.equal(time.reason, null);
  now += 100;
  time.begin('drill');
  now += 50;
  time.begin('hidden');
  now += 30;
  assert.equal(time.reason, 'hidden');
  time.end('hidden', 20); // what piled up drains
  now += 25;
  assert.equal(time.reason, 'drill');
  time.end('drill');
  assert.equal(time.reason, null);
  now += 7;
  assert.equal(time.measured, 107);
  assert.deepEqual(time.left, { settling: 0, hidden: 50, frozen: 0, drill: 55 });
  assert.equal(time.elapsed, 212);
  time.clear();
  assert.deepEqual([time.measured, time.elapsed, time.left.hidden], [0, 0, 0]);
});

test('an expired reason counts until its end', () => {
  let now = 0;
  const time = new MeasuredTime(() => now);
  time.begin('settling', 2_000);
  time.begin('frozen', 500);
  now = 10_000;
  assert.equal(time.measured, 8_000);
  assert.deepEqual(time.left, { settling: 1_500, hidden: 0, frozen: 500, drill: 0 });
  time.end('settling', 5_000); // not open any more
  assert.equal(time.reason, null);
});

test('clear keeps current reasons', () => {
  let now = 0;
  const time = new MeasuredTime(() => now);
  time.begin('frozen');
  now = 10;
  time.clear();
  now = 30;
  assert.equal(time.left.frozen, 20);
  assert.equal(time.measured, 0);
});

test('pairs are differences A − B of the same tick', () => {
  const pairs = new Pairs();
  for (let i = 1; i <= 1_000; i++) {
    const t = i * 20;
    const first = /** @type {0 | 1} */ (i % 2);
    pairs.add(first, i, first === 0 ? t + 2 : t, t);
    pairs.add(first === 0 ? 1 : 0, i, first === 0 ? t : t + 2, t);
  }
  const r = pairs.result();
  assert.equal(r.count, 1_000);
  assert.equal(r.unpaired, 0);
  assert.ok(Math.abs(r.mean - 2) < 1e-9 && Math.abs(r.error) < 1e-9);
  assert.ok(Math.abs(r.median / 2 - 1) < 0.025);
  assert.ok(Math.abs(r.typical.value - 2) < 1e-9 && Math.abs(r.typical.error) < 1e-9);
});

test('a tick on one side only, or twice on a side, is no pair', () => {
  const pairs = new Pairs();
  pairs.add(0, 5, 100, 100);
  pairs.add(0, 5, 900, 900);
  assert.equal(pairs.result().count, 0);
  pairs.add(1, 6, 100, 900);
  pairs.add(1, 5, 101, 901);
  assert.equal(pairs.result().count, 1);
  assert.ok(Math.abs(pairs.result().mean + 1) < 1e-9, 'the first arrival counts');
  pairs.forget();
  pairs.add(0, 6, 105, 905);
  assert.deepEqual([pairs.result().count, pairs.result().unpaired], [1, 1]);
});

test('ticks without a partner are overwritten and counted', () => {
  const pairs = new Pairs();
  const n = 100_000;
  for (let i = 1; i <= n; i++) pairs.add(0, i, i, i);
  const { unpaired } = pairs.result();
  assert.ok(unpaired > n - 20_000 && unpaired < n, String(unpaired));
  pairs.add(1, 1, 5, n);
  assert.equal(pairs.result().count, 0, 'too late');
  pairs.clear();
  assert.equal(pairs.result().unpaired, 0);
});

test('a series has all complete seconds, empty ones included', () => {
  const s = new Series(5);
  for (let k = 0; k < 100; k++) s.add(k < 99 ? 1 : 50, 10_000 + k * 10, null);
  s.add(NaN, 12_500, 'drill');
  assert.deepEqual(s.points(10_999), []);
  const points = s.points(13_000);
  assert.deepEqual(points.map((p) => [p.t, p.ticks, p.leftOut]), [[10_000, 100, null], [11_000, 0, null], [12_000, 1, 'drill']]);
  assert.ok(Math.abs(Number(points[0]?.p50) - 1) < 0.05);
  assert.ok(Number.isNaN(points[1]?.p50) && Number.isNaN(points[2]?.p99));
  const heat = s.heat(13_000);
  assert.deepEqual(heat.t, [10_000, 11_000, 12_000]);
  const row = Array.from(heat.rows[0] ?? []);
  assert.equal(heat.bounds.length, row.length + 1);
  assert.equal(row.reduce((a, b) => a + b, 0), 100);
  const cell = row.indexOf(1);
  assert.ok(Number(heat.bounds[cell]) <= 50 && Number(heat.bounds[cell + 1]) >= 50);
  assert.deepEqual(s.points(17_500).map((p) => p.t), [12_000, 13_000, 14_000, 15_000, 16_000]);
  s.mark(20_100, 'hidden');
  assert.deepEqual(s.points(21_000).map((p) => p.leftOut), ['hidden']);
  s.clear();
  assert.deepEqual(s.points(21_000), []);
});

test('bytes are differences between readings of one connection', () => {
  const m = new ByteMeter();
  const at = (/** @type {string} */ conn, /** @type {number} */ ticks, head = 0) =>
    m.take({ conn, ticks, writes: ticks / 2, payload: ticks * 117 + head, wire: ticks * 157 + head });
  assert.ok(Number.isNaN(m.cost().wire));
  at('a', 10, 9_000); // hello, snapshot and HTTP head count in neither reading's difference
  at('a', 110, 9_000);
  m.break();
  at('a', 5_000, 70_000); // a drill's replay
  at('a', 5_100, 70_000);
  at('b', 40);
  at('b', 140);
  m.id('9f3c1a', 482_913);
  assert.deepEqual(m.cost(), { ticks: 300, payload: 117, wire: 157, framing: 40, id: 'id: 9f3c1a-482913\n'.length, writes: 0.5 });
  const before = m.cost();
  m.take({ conn: 'b', ticks: 240, writes: 120, payload: 240 * 117, wire: 140 * 157 + 100 * 40 });
  assert.ok(Number.isNaN(m.cost().framing) && Number.isNaN(m.cost().id), 'compression covers message and framing together');
  assert.ok(m.cost().wire < before.wire);
  m.clear();
  assert.equal(m.cost().id, 0);
});

test('CPU per tick; a restarted server starts over', () => {
  const m = new CpuMeter();
  const at = (/** @type {number} */ cpu, /** @type {number} */ sse, /** @type {number} */ ws) =>
    m.take({ process: { cpu_seconds: cpu }, lanes: { sse: { ticks: sse, connections: 1 }, ws: { ticks: ws, connections: 2 } } });
  at(10, 1_000, 1_000);
  at(10.02, 2_000, 2_000);
  at(0.5, 5, 5);
  at(0.51, 505, 505);
  const r = m.result();
  assert.equal(r.ticks, 3_000);
  assert.ok(Math.abs(r.perTick - 10) < 1e-6);
  assert.deepEqual(r.connections, { sse: 1, ws: 2 });
});

test('noise is the largest of its causes', () => {
  const aa = { setup: '', lane: /** @type {const} */ ('sse'), value: -0.05, error: 0.1, pairs: 9_000, at: 1 };
  const small = { error: 0.02, aa: null, handling: 0.01, resolution: 0.005, phase: 0 };
  assert.deepEqual(noise(small), { value: 0.02, from: 'interval' });
  const byAA = noise({ ...small, aa });
  assert.ok(Math.abs(byAA.value - 0.15) < 1e-9 && byAA.from === 'aa');
  assert.deepEqual(noise({ ...small, resolution: 0.1 }), { value: 0.2, from: 'timer' }, 'two steps, one at each end');
  assert.deepEqual(noise({ ...small, handling: 0.05 }), { value: 0.05, from: 'thread' });
  assert.deepEqual(noise({ ...small, phase: 250 }), { value: 250, from: 'phase' });
  assert.deepEqual(noise({ ...small, handling: NaN }), { value: 0.02, from: 'interval' });
  assert.ok(Number.isNaN(noise({ ...small, error: NaN, aa }).value));
});

test('A/A results survive the page; broken storage is tolerated', () => {
  /** @type {Map<string, string>} */
  const kept = new Map();
  const storage = { getItem: (/** @type {string} */ k) => kept.get(k) ?? null, setItem: (/** @type {string} */ k, /** @type {string} */ v) => void kept.set(k, v) };
  const aa = { setup: 'fast', lane: /** @type {const} */ ('ws'), value: 0.01, error: 0.03, pairs: 800, at: 5 };
  new AAStore(storage).keep(aa);
  assert.deepEqual(new AAStore(storage).of('other', 'fast'), aa);
  assert.equal(new AAStore(storage).of('other'), null, 'not of another setup');
  const again = new AAStore(storage);
  again.keep({ ...aa, setup: 'slow', value: 3 });
  again.keep({ ...aa, value: 0.02 });
  assert.deepEqual([new AAStore(storage).of('fast')?.value, new AAStore(storage).of('slow')?.value], [0.02, 3]);
  for (const bad of ['{', '7', '[{"setup":"fast","lane":"ws","value":"x"}]', '[null,{"setup":"fast","lane":"tcp","value":1,"error":1,"pairs":1,"at":1}]']) {
    for (const key of kept.keys()) kept.set(key, bad);
    assert.equal(new AAStore(storage).of('fast'), null, bad);
  }
  const full = { getItem: () => { throw new Error('forbidden'); }, setItem: () => { throw new Error('full'); } };
  const store = new AAStore(full);
  store.keep(aa);
  assert.deepEqual(store.of('fast'), aa);
  assert.equal(new AAStore(null).of('fast'), null);
});

test('the step of a coarse timer is measured', () => {
  let t = 0;
  assert.ok(Math.abs(resolution(() => Math.floor((t += 0.013) * 10) / 10) - 0.1) < 1e-9);
  assert.equal(resolution(() => 7), 0, 'a timer that does not advance');
});
