import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bars, widths } from './bars.js';
import { useInstruments } from './instruments.js';

const MINUTE = 60e6;
const tick = (/** @type {number} */ i, /** @type {number} */ t, /** @type {number} */ p, v = 0) => ({ i, t, p, v });

test('ticks of one minute make one bar', () => {
  const b = new Bars(MINUTE);
  b.apply(tick(1, 10e6, 100, 1000));
  b.apply(tick(2, 20e6, 103, 1200));
  b.apply(tick(3, 30e6, 99, 1250));
  b.apply(tick(4, 59.999e6, 101, 1250));
  assert.deepEqual(b.list, [{ t: 0, o: 100, h: 103, l: 99, c: 101, v: 250 }]);
});

test('the first tick of a minute starts a bar at the full minute', () => {
  const b = new Bars(MINUTE);
  b.apply(tick(1, 59e6, 100, 10));
  b.apply(tick(2, 60e6, 101, 30));
  assert.deepEqual(b.list.map(({ t, o, v }) => ({ t, o, v })), [{ t: 0, o: 100, v: 0 }, { t: MINUTE, o: 101, v: 20 }]);
});

test('ticks included in history are not counted again, and volume is counted from its day volume', () => {
  const b = new Bars(MINUTE);
  b.load([{ t: 0, o: 1, h: 5, l: 1, c: 3, v: 70 }], 10, 600);
  assert.equal(b.apply(tick(9, 30e6, 9, 500)), false);
  assert.equal(b.apply(tick(10, 31e6, 9, 300)), false);
  assert.equal(b.apply(tick(11, 32e6, 4, 650)), true);
  assert.deepEqual(b.list, [{ t: 0, o: 1, h: 5, l: 1, c: 4, v: 120 }]);
});

test('a tick older than the newest bar is added to that bar, as on the server', () => {
  const b = new Bars(MINUTE);
  b.load([{ t: MINUTE, o: 2, h: 2, l: 2, c: 2, v: 5 }], 5, 10);
  assert.equal(b.apply(tick(6, 59e6, 7, 12)), true);
  assert.deepEqual(b.list, [{ t: MINUTE, o: 2, h: 7, l: 2, c: 7, v: 7 }]);
});

test("a day's bar is UTC's day", () => {
  const b = new Bars(widths['1d'] ?? NaN);
  b.load([{ t: 20_000 * 86_400e6, o: 5, h: 6, l: 4, c: 5, v: 700 }], 3, 700);
  b.apply(tick(4, 20_001 * 86_400e6 - 1, 7, 750));
  b.apply(tick(5, 20_001 * 86_400e6, 6, 20));
  assert.deepEqual(b.list, [{ t: 20_000 * 86_400e6, o: 5, h: 7, l: 4, c: 7, v: 750 }, { t: 20_001 * 86_400e6, o: 6, h: 6, l: 6, c: 6, v: 20 }]);
});

test('a new day whose first volume exceeds the old one is counted from 0', () => {
  const DAY = 86_400e6;
  const b = new Bars(MINUTE);
  b.load([{ t: DAY - MINUTE, o: 1, h: 1, l: 1, c: 1, v: 5 }], 5, 10);
  b.apply(tick(6, DAY, 1, 5000));
  assert.equal(b.list[1]?.v, 5000);
});

test('older bars are prepended once, and stay if reloaded history reaches them', () => {
  const bar = (/** @type {number} */ k) => ({ t: k * MINUTE, o: k, h: k, l: k, c: k, v: 1 });
  const starts = () => b.list.map(({ t }) => t / MINUTE);
  const b = new Bars(MINUTE);
  b.load([3, 4, 5].map(bar), 10);
  b.prepend([1, 2, 3].map(bar));
  assert.deepEqual(starts(), [1, 2, 3, 4, 5]);
  assert.equal(b.find(2.5 * MINUTE), 2);
  assert.equal(b.load([5, 6, 7].map(bar), 20, 0, true), true);
  assert.deepEqual(starts(), [1, 2, 3, 4, 5, 6, 7]);
  assert.equal(b.load([9, 10].map(bar), 30, 0, true), false, 'there would be a hole between');
  assert.deepEqual(starts(), [9, 10]);
  b.trim(1);
  assert.deepEqual(starts(), [10]);
});

test('a new day counts its volume from 0', () => {
  const b = new Bars(MINUTE);
  b.apply(tick(1, 0, 1, 9000));
  b.apply(tick(2, 1e6, 1, 300));
  assert.equal(b.list[0]?.v, 300);
});

test("load copies the bars, so that a tick does not change the caller's", () => {
  const given = [{ t: 0, o: 1, h: 1, l: 1, c: 1, v: 0 }];
  const b = new Bars(MINUTE);
  b.load(given, 0);
  b.apply(tick(1, 1, 9));
  assert.equal(given[0]?.h, 1);
});

test("a day's bar of an instrument with a session begins when that opens", (c) => {
  c.after(() => useInstruments([]));
  useInstruments([{ symbol: 'NY', name: '', sector: '', value: 0, session: { zone: 'America/New_York', open: '09:30', close: '16:00' } }]);
  const at = (/** @type {number[]} */ ...parts) => Date.UTC(2026, 2, ...parts) * 1000;
  const b = new Bars(widths['1d'] ?? NaN, 'NY');
  b.apply(tick(1, at(6, 20), 100, 0));
  b.apply(tick(2, at(7, 3), 101, 50));
  b.apply(tick(3, at(9, 13, 29), 102, 60)); // the clocks went forward on the 8th
  b.apply(tick(4, at(9, 13, 30), 103, 70));
  assert.deepEqual(b.list.map(({ t, o, c: close, v }) => ({ t, o, c: close, v })), [
    { t: at(6, 14, 30), o: 100, c: 101, v: 50 }, { t: at(8, 13, 30), o: 102, c: 102, v: 60 }, { t: at(9, 13, 30), o: 103, c: 103, v: 70 },
  ]);
});
