import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useInstruments } from './instruments.js';
import { Changed, QuoteStore } from './quotes.js';

/** @import { DayQuote } from '../types.js' */

const NOON = Date.UTC(2024, 0, 2, 12) * 1000; // µs

/** @param {Partial<DayQuote>} [q] @returns {any} */
const tick = (q) => ({ T: 'q', S: 'AAPL', bp: 99.99, bs: 100, ap: 100.01, as: 200, p: 100, v: 1000, t: NOON, n: 1, i: 1, ...q });
/** @param {Partial<DayQuote>} [q] @returns {any} */
const day = (q) => tick({ o: 98, h: 101, l: 97, c: 98, ...q });
/** @param {Partial<import('../types.js').Hello>} [h] @returns {any} */
const hello = (h) => ({ T: 'hello', epoch: 'a', resume: 'none', head: 1, topics: ['*'], ...h });
/** @param {...any} quotes @returns {any} */
const snapshot = (...quotes) => ({ T: 'snapshot', i: 1, quotes });

/** @param {any[]} messages */
function filled(...messages) {
  const store = new QuoteStore();
  for (const m of messages) store.apply(m, 5);
  return store;
}

/** @param {QuoteStore} store @param {string} [symbol] */
function get(store, symbol = 'AAPL') {
  const r = store.get(symbol);
  assert.ok(r, `${symbol} is missing`);
  return r;
}

test("a snapshot sets the day's figures, a tick changes them", () => {
  const store = filled(hello(), snapshot(day()));
  const r = get(store);
  assert.deepEqual([r.change, r.changePct.toFixed(4), r.spread, r.dir], [2, '2.0408', 0.02, 0]);
  store.apply(tick({ p: 101.5, n: 2, i: 2 }), 9);
  assert.deepEqual([r.o, r.h, r.l, r.c, r.dir, r.change, r.received], [98, 101.5, 97, 98, 1, 3.5, 9]);
  store.apply(tick({ p: 96.4, bp: 96.3, ap: 96.5, n: 3, i: 3 }), 9);
  assert.deepEqual([r.h, r.l, r.dir, r.bidDir, r.askDir, r.change, r.spread], [101.5, 96.4, -1, -1, -1, -1.6, 0.2]);
});

test('a status halts a symbol with its reason, a snapshot without one', () => {
  const status = (/** @type {any} */ s) => /** @type {any} */ ({ T: 'status', S: 'AAPL', status: 'halted', t: NOON, ...s });
  const store = filled(hello(), snapshot(day(), day({ S: 'CL', status: 'halted' })));
  const r = get(store);
  assert.deepEqual([r.halted, get(store, 'CL').halted], [undefined, '']);
  store.drain(() => {});
  store.apply(status({ reason: 'news' }), 9);
  store.apply(status({ S: 'NEW' }), 9);
  store.apply(/** @type {any} */ ({ T: 'status', status: 'stale', t: NOON }), 9);
  assert.equal(r.halted, 'news');
  assert.equal(store.drain(() => {}), 1);
  store.apply(tick({ n: 2, i: 2 }), 9);
  store.apply(snapshot(day({ n: 2, i: 2, status: 'halted' })), 9);
  assert.equal(r.halted, 'news');
  store.apply(status({ status: 'trading' }), 9);
  assert.equal(r.halted, undefined);
  store.apply(status({}), 9);
  store.apply(snapshot(day({ n: 3, i: 3 })), 9);
  assert.equal(r.halted, undefined);
});

test('differences are rounded to the cent', () => {
  const r = get(filled(snapshot(day({ p: 0.3, c: 0.1, bp: 1.1, ap: 1.4 }))));
  assert.equal(r.change, 0.2);
  assert.equal(r.spread, 0.3);
});

test('differences have the decimals of the instrument, also when these are known later', (c) => {
  c.after(() => useInstruments([]));
  const store = filled(snapshot(day({ p: 1.08346, c: 1.08312, bp: 1.08345, ap: 1.08347 })));
  store.drain(() => {});
  useInstruments([{ symbol: 'AAPL', name: '', sector: '', value: 0, decimals: 5 }]);
  store.refresh();
  const r = get(store);
  assert.deepEqual([r.change, r.spread, r.changePct.toFixed(4)], [0.00034, 0.00002, '0.0314']);
  assert.equal(store.drain(() => {}), 1, 'it is painted again');
});

test('a change from a negative close is finite, one from 0 unknown', () => {
  const pct = (/** @type {number} */ p, /** @type {number} */ c) => get(filled(snapshot(day({ p, c })))).changePct;
  assert.equal(pct(-40.32, 10).toFixed(1), '-503.2');
  assert.equal(pct(10.01, -37.63).toFixed(1), '126.6');
  assert.ok(Number.isNaN(pct(5, 0)));
  assert.equal(get(filled(snapshot(day({ p: 5, c: 0 })))).change, 5);
});

test("an instrument's day begins with its session", (c) => {
  c.after(() => useInstruments([]));
  useInstruments([{ symbol: 'AAPL', name: '', sector: '', value: 0, session: { zone: 'America/New_York', open: '09:30', close: '16:00' } }]);
  const at = (/** @type {number[]} */ ...parts) => Date.UTC(2024, 0, ...parts) * 1000;
  const store = filled(hello(), snapshot(day({ t: at(2, 20) })));
  const r = get(store);
  store.apply(tick({ i: 2, t: at(3, 14, 29), p: 99 }), 9);
  assert.deepEqual([r.o, r.c], [98, 98], 'midnight UTC is no new day');
  store.apply(tick({ i: 3, t: at(3, 14, 30), p: 100.5 }), 9);
  assert.deepEqual([r.o, r.h, r.l, r.c], [100.5, 100.5, 100.5, 99]);
});

test("without a snapshot the day's figures are unknown", () => {
  const r = get(filled(tick({ n: 5 })));
  assert.ok([r.o, r.h, r.l, r.c, r.change, r.changePct].every(Number.isNaN));
});

test('a new symbol has no snapshot: its day starts with its first tick, and the close is added', () => {
  const store = filled(hello(), tick({ S: 'NEW', p: 10, n: 1, i: 5 }), tick({ S: 'NEW', p: 12, n: 2, i: 6 }), tick({ S: 'LATE', p: 7, n: 3, i: 7 }));
  const [r, late] = [get(store, 'NEW'), get(store, 'LATE')];
  assert.deepEqual([r.o, r.h, r.l, r.c, r.change], [10, 12, 10, NaN, NaN]);
  assert.deepEqual([store.incomplete, store.takeIncomplete(), store.incomplete], [true, ['NEW', 'LATE'], false]);
  store.drain(() => {});
  store.complete([day({ S: 'NEW', p: 10, o: 10, h: 10, l: 10, c: 9, i: 5 }), day({ S: 'LATE', o: 5, h: 6, l: 4, c: 3, i: 2 }), day({ S: 'QUIET', c: 98 })], 8);
  assert.deepEqual([r.o, r.h, r.l, r.c, r.change, r.p], [10, 12, 10, 9, 3, 12], 'an older price changes nothing');
  assert.deepEqual([late.o, late.h, late.l, late.c], [5, 7, 4, 3]);
  assert.equal(get(store, 'QUIET').c, 98);
  store.apply(tick({ S: 'QUIET', n: 9, i: 9 }), 8);
  assert.equal(store.incomplete, false);
  assert.equal(store.drain(() => {}), 3);
  store.complete([day({ S: 'NEW', c: 1 })], 9);
  assert.equal(r.c, 9);
});

test('in a replay a day begins when the volume restarts, whatever the time', (c) => {
  c.after(() => useInstruments([]));
  useInstruments([], false);
  const store = filled(hello(), snapshot(day({ v: 1000 })));
  store.apply(tick({ i: 2, t: NOON + 86_400e6, v: 1001, p: 99 }), 9);
  assert.equal(get(store).o, 98);
  store.apply(tick({ i: 3, t: NOON + 86_400e6, v: 5, p: 97.5 }), 9);
  assert.deepEqual([get(store).o, get(store).c], [97.5, 99]);
});

test('an older tick of a log is ignored', () => {
  const store = filled(hello(), snapshot(day({ i: 5, p: 100 })));
  store.apply(tick({ i: 4, p: 50 }), 9);
  store.apply(tick({ i: 5, p: 60 }), 9);
  store.apply(snapshot(day({ i: 3, p: 70 })), 9);
  assert.equal(get(store).p, 100);
  store.apply(tick({ i: 6, p: 80 }), 9);
  assert.equal(get(store).p, 80);
});

test("a snapshot with the same tick adds the day's figures", () => {
  const store = filled(tick({ i: 5 }), snapshot(day({ i: 5 })));
  assert.equal(get(store).c, 98);
});

test('the snapshot of another log replaces everything', () => {
  const store = filled(hello(), snapshot(day({ i: 900 }), day({ S: 'MSFT', i: 901 })));
  store.apply(hello({ epoch: 'b', resume: 'reset' }), 9);
  assert.equal([...store.values()].length, 2, 'old quotes are shown until then');
  store.apply(snapshot(day({ i: 2, p: 55 })), 9);
  assert.deepEqual([...store.values()].map((r) => [r.S, r.p, r.i]), [['AAPL', 55, 2]]);
});

test('another log that starts with ticks clears everything', () => {
  const store = filled(hello(), snapshot(day({ i: 900 }), day({ S: 'MSFT', i: 901 })));
  store.apply(hello({ epoch: 'b' }), 9);
  store.apply(tick({ i: 1, p: 55 }), 9);
  assert.deepEqual([...store.values()].map((r) => [r.S, r.p]), [['AAPL', 55]]);
});

test('a day starts at midnight UTC: the last price becomes the previous close', () => {
  const store = filled(snapshot(day({ p: 100 })));
  store.apply(tick({ i: 2, p: 102, t: NOON + 12 * 3_600_000_000 }), 9);
  const r = get(store);
  assert.deepEqual([r.o, r.h, r.l, r.c, r.change], [102, 102, 102, 100, 2]);
});

test('drain passes each changed symbol once, with its changes', () => {
  const store = filled(snapshot(day(), day({ S: 'MSFT' })));
  assert.equal(store.drain(() => {}), 2);
  assert.equal(store.drain(() => assert.fail('nothing changed')), 0);
  store.apply(tick({ i: 2, p: 100.5 }), 9);
  store.apply(tick({ i: 3, p: 100.5, bs: 900 }), 9);
  /** @type {[string, number][]} */
  const got = [];
  store.drain((r) => got.push([r.S, r.changed]));
  assert.deepEqual(got, [['AAPL', Changed.last | Changed.size]]);
  assert.equal(get(store).changed, 0);
});

test('retain removes the other symbols', () => {
  const store = filled(snapshot(day(), day({ S: 'MSFT' })));
  store.retain((s) => s === 'MSFT');
  assert.equal([...store.values()].length, 1);
  /** @type {string[]} */
  const got = [];
  store.drain((r) => got.push(r.S));
  assert.deepEqual(got, ['MSFT']);
});

test('history precedes live prices', () => {
  const store = filled(snapshot(day({ p: 100 })));
  store.drain(() => {});
  store.seedSpark('AAPL', [{ t: NOON / 1000 - 60_000, p: 90 }]);
  store.seedSpark('NONE', []);
  assert.deepEqual(get(store).spark.values(), [90, 100]);
  assert.equal(store.drain(() => {}), 1);
});
