import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Feed } from '../lane/feed.js';
import { Alerts, levelError, reached, rearmLevel, Span, stateOf } from './alerts.js';
import { useInstruments } from './instruments.js';
import { QuoteStore } from './quotes.js';
import { FakeServer } from '../test/fakeServer.js';

/** @import { Alert } from './alerts.js' */

/** @param {Partial<Alert>} [a] @returns {Alert} */
const alert = (a) => ({ id: 'x', S: 'A', kind: 'above', level: 105, minutes: 0, every: false, armed: false, done: false, n: 0, epoch: '', i: 0, ...a });

/** A page with alerts: its store and the alerts that fired, without a stream. */
class Page {
  /** @type {string[]} */
  fired = [];
  changes = 0;
  i = 0;
  store = new QuoteStore();

  /** @param {...Alert} list */
  constructor(...list) {
    this.alerts = new Alerts({ fired: (a, r) => this.fired.push(`${a.id} ${a.n} ${r.p}`), changed: () => this.changes++ });
    this.alerts.load(list);
    this.hello('e1');
  }

  /** @param {any} m */
  take(m) {
    this.store.apply(m, 0);
    this.alerts.take(m, (S) => this.store.get(S));
  }

  /** @param {string} epoch @param {string} [resume] */
  hello(epoch, resume = 'none') {
    this.take({ T: 'hello', epoch, resume });
  }

  /** @param {number} p @param {number} i @returns {any} */
  quote = (p, i, S = 'A') => ({ T: 'q', S, bp: p, bs: 1, ap: p, as: 1, p, v: i, t: i * 1_000_000, n: i, i });

  /** @param {...number} prices */
  ticks(...prices) {
    for (const p of prices) this.take(this.quote(p, ++this.i));
  }

  /** @param {number} p @param {number} [i] */
  snapshot(p, i = ++this.i) {
    this.take({ T: 'snapshot', i, quotes: [{ ...this.quote(p, i), o: 100, h: p, l: 90, c: 100 }] });
  }
}

test('a rise to a price fires once, when it is reached', () => {
  const page = new Page(alert());
  page.snapshot(100);
  page.ticks(104.99);
  assert.deepEqual(page.fired, []);
  page.ticks(105, 106, 90, 110);
  assert.deepEqual(page.fired, ['x 1 105']);
});

test('a fall to a price works in reverse', () => {
  const page = new Page(alert({ kind: 'below', level: 95 }));
  page.snapshot(100);
  page.ticks(95.01, 94.5, 100, 90);
  assert.deepEqual(page.fired, ['x 1 94.5']);
});

test('an alert created beyond its level is armed on the other side', () => {
  const page = new Page(alert());
  page.snapshot(110);
  page.ticks(112, 105, 104.95, 105.5);
  assert.deepEqual(page.fired, [], 'the band was not left');
  page.ticks(104, 105.2);
  assert.deepEqual(page.fired, ['x 1 105.2']);
});

test('a repeating alert fires again only after the price has moved back clearly', () => {
  const page = new Page(alert({ every: true }));
  page.snapshot(100);
  page.ticks(105, 104.99, 105.01, 104.95, 105.3);
  assert.equal(page.fired.length, 1, 'a price around the level is one crossing');
  page.ticks(104.8, 105);
  assert.deepEqual(page.fired, ['x 1 105', 'x 2 105']);
});

test('levels have the decimals of their instrument', (c) => {
  c.after(() => useInstruments([]));
  const listing = { name: '', sector: '', value: 0 };
  useInstruments([{ ...listing, symbol: 'EURUSD', decimals: 5 }, { ...listing, symbol: 'CL', negative: true }, { ...listing, symbol: 'N225', decimals: 0 }]);
  const errors = (/** @type {string} */ S, /** @type {number[]} */ ...levels) => levels.map((level) => levelError({ S, kind: 'above', level }));
  assert.deepEqual(errors('EURUSD', 1.08345, 0.00001, 1.083455, 0.000009, 0, -1), ['', '', 'decimals', 'level', 'level', 'level']);
  assert.deepEqual(errors('CL', -40.32, 0, -40.325), ['', '', 'decimals']);
  assert.deepEqual(errors('N225', 39000, 39000.5, 0.5), ['', 'decimals', 'level']);
  assert.deepEqual(errors('A', 9999999999999.9, 1e13, NaN, Infinity), ['', 'level', 'level', 'level']);
  assert.equal(levelError({ S: 'EURUSD', kind: 'day', level: 0.123 }), 'decimals', 'a percentage has two');
  const rearm = (/** @type {string} */ S, /** @type {any} */ kind, /** @type {number} */ level) => rearmLevel({ S, kind, level });
  assert.deepEqual([rearm('EURUSD', 'above', 1.08345), rearm('EURUSD', 'below', 0.005), rearm('N225', 'below', 39000), rearm('CL', 'above', -40.32), rearm('CL', 'below', -40.32)],
    [1.08237, 0.00502, 39039, -40.36, -40.28]);
});

test('a price of five decimals is compared exactly', (c) => {
  c.after(() => useInstruments([]));
  useInstruments([{ symbol: 'A', name: '', sector: '', value: 0, decimals: 5 }]);
  const page = new Page(alert({ level: 1.08345 }));
  page.snapshot(1.0834);
  page.ticks(1.08344);
  assert.deepEqual(page.fired, []);
  page.ticks(1.08345);
  assert.deepEqual(page.fired, ['x 1 1.08345']);
});

test('a fall below 0 and a change from a negative price fire', (c) => {
  c.after(() => useInstruments([]));
  useInstruments([{ symbol: 'A', name: '', sector: '', value: 0, negative: true }]);
  const page = new Page(alert({ id: 'low', kind: 'below', level: -40 }), alert({ id: 'up', kind: 'within', level: 5, minutes: 1 }));
  page.snapshot(10);
  page.ticks(-39.99, -40.32);
  assert.deepEqual(page.fired, ['low 1 -40.32']);
  const span = new Span(1);
  assert.ok(Number.isNaN(span.move(0, 0, true)), 'there is no percentage from 0');
  span.clear();
  span.move(-40, 0, true);
  assert.equal(span.move(-38, 1e6, true), 5);
});

test('an alert is armed again exactly beyond the level that is displayed', () => {
  const levels = (/** @type {any} */ kind, /** @type {number[]} */ ...all) => all.map((level) => rearmLevel({ S: 'A', kind, level }));
  assert.deepEqual(levels('above', 230.87, 105, 5, 0.02), [230.64, 104.9, 4.98, 0.01]);
  assert.deepEqual(levels('below', 230.87, 5), [231.1, 5.02]);
  assert.deepEqual(levels('day', 3, -2, 0.1), [2.7, -1.8, 0.08]);
  assert.deepEqual(levels('within', -0.01), [0.01]);
  const page = new Page(alert({ level: 230.87, every: true }));
  page.snapshot(230);
  page.ticks(230.9, 230.64, 231);
  assert.equal(page.fired.length, 1, 'at the level it is not armed');
  page.ticks(230.63, 231);
  assert.equal(page.fired.length, 2);
});

test('an alert that is true already is known before it is created', () => {
  const page = new Page();
  page.snapshot(104);
  const is = (/** @type {any} */ kind, /** @type {number} */ level) => reached({ kind, level }, page.store.get('A'));
  assert.deepEqual([is('above', 104), is('above', 104.01), is('below', 104), is('below', 103.99)], [true, false, true, false]);
  assert.deepEqual([is('day', 4), is('day', 4.01), is('day', -1), is('within', 0.01)], [true, false, false, false]);
  assert.equal(reached({ kind: 'above', level: 1 }, undefined), false, 'without a quote nothing is known');
});

test('the state of an alert', () => {
  const of = (/** @type {Partial<Alert>} */ a) => stateOf(alert(a));
  assert.deepEqual([of({}), of({ epoch: 'e', armed: true }), of({ epoch: 'e' }), of({ epoch: 'e', done: true })], ['unknown', 'armed', 'waiting', 'done']);
});

test('percentage since the last close, in both directions', () => {
  const page = new Page(alert({ kind: 'day', level: 3 }), alert({ id: 'y', kind: 'day', level: -2 }));
  page.ticks(50);
  assert.deepEqual(page.fired, [], 'the change is unknown without a close');
  page.snapshot(101);
  page.ticks(102.9, 103, 97.9);
  assert.deepEqual(page.fired, ['x 1 103', 'y 1 97.9']);
});

test('percentage within minutes is measured from their lowest or highest price', () => {
  const page = new Page(alert({ kind: 'within', level: 1, minutes: 1, every: true }), alert({ id: 'y', kind: 'within', level: -1, minutes: 1 }));
  page.snapshot(100);
  page.ticks(...Array.from({ length: 300 }, (_, k) => 100 + k * 0.01)); // 0.6 % a minute
  assert.equal(page.fired.length, 0, 'too slow');
  page.ticks(...Array.from({ length: 20 }, (_, k) => 103 + k * 0.1));
  assert.deepEqual(page.fired.map((s) => s.slice(0, 3)), ['x 1']);
  page.ticks(104.9, 103);
  assert.deepEqual(page.fired.map((s) => s.slice(0, 3)), ['x 1', 'y 1']);
});

test('a span has the lowest and highest price of its minutes', () => {
  let seed = 5;
  const next = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const span = new Span(1);
  /** @type {{ p: number, s: number }[]} */
  const seen = [];
  let t = 0;
  for (let k = 0; k < 5000; k++) {
    t += Math.floor(next() * 3) * 400_000;
    const p = Math.round(10_000 + 500 * Math.sin(k / 90) + 200 * next()) / 100;
    seen.push({ p, s: Math.floor(t / 1e6) });
    const inside = seen.filter((x) => x.s >= Math.floor(t / 1e6) - 60).map((x) => x.p);
    const percent = (/** @type {number} */ from) => Math.round((p / from - 1) * 1e11) / 1e9;
    assert.equal(span.move(p, t, true), percent(Math.min(...inside)));
    assert.equal(span.move(p, t, false), percent(Math.max(...inside)), 'the same price again has no effect');
  }
});

test('snapshots, gaps and repeated seqs do not repeat an alert', () => {
  const page = new Page(alert({ every: true }));
  page.snapshot(100);
  page.ticks(106);
  page.snapshot(106);
  page.take(page.quote(100, 1)); // an older quote neither arms nor fires
  page.take(page.quote(106, 2));
  page.snapshot(107, 2);
  page.snapshot(108);
  assert.deepEqual(page.fired, ['x 1 106']);
});

test('a crossing within a gap fires once, with the snapshot after it', () => {
  const page = new Page(alert());
  page.snapshot(100);
  page.hello('e1', 'gap');
  page.snapshot(120, 900);
  page.snapshot(121, 901);
  assert.deepEqual(page.fired, ['x 1 120']);
});

test('the first quote of another log fires nothing', () => {
  const page = new Page(alert({ every: true }), alert({ id: 'y', kind: 'below', level: 95 }));
  page.snapshot(100);
  page.ticks(106);
  page.hello('e2', 'reset');
  page.i = 0;
  page.snapshot(90); // the prices of another log have not crossed the levels
  page.ticks(91, 90);
  assert.deepEqual(page.fired, ['x 1 106']);
  page.ticks(106, 90);
  assert.deepEqual(page.fired, ['x 1 106', 'x 2 106', 'y 1 90'], 'crossings in the new log count');
});

test('between the hello of another log and its quotes, old quotes are not checked', () => {
  const page = new Page(alert({ every: true }));
  page.snapshot(100, 5000);
  page.hello('e2', 'reset');
  page.alerts.load(page.alerts.list); // as after a change in another tab
  page.alerts.check(page.store.get('A'));
  page.i = 0;
  page.snapshot(100);
  page.ticks(106);
  assert.deepEqual(page.fired, ['x 1 106'], 'seqs of the old log are not compared');
});

test('a reload continues from the stored state', () => {
  const first = new Page(alert({ every: true }), alert({ id: 'y', level: 130 }));
  first.snapshot(100);
  first.ticks(106, 107);
  const stored = JSON.parse(JSON.stringify(first.alerts.list));
  const second = new Page(...stored);
  second.i = first.i;
  second.snapshot(107);
  second.ticks(107.5, 106.5);
  assert.deepEqual(second.fired, [], 'reported before');
  const third = new Page(...stored);
  third.snapshot(131, 50);
  assert.deepEqual(third.fired, ['y 1 131'], 'a crossing in the meantime fires');
});

test("only a symbol's own quotes check its alerts, and load replaces the list", () => {
  const page = new Page(alert(), alert({ id: 'y', S: 'B', level: 10 }));
  assert.deepEqual(page.alerts.symbols, ['A', 'B']);
  page.snapshot(100);
  page.ticks(106);
  assert.deepEqual(page.fired, ['x 1 106']);
  page.alerts.load([]);
  assert.deepEqual([page.alerts.symbols, page.alerts.list], [[], []]);
  page.ticks(100, 110);
  assert.equal(page.fired.length, 1);
});

// Through a feed: prices rise by a cent per tick, so each level is crossed once, however often the lane disconnects,
// replays, switches or restarts.
test('disconnects, replays, lane switches and restarts repeat no alert', () => {
  const server = new FakeServer();
  const feed = new Feed({ ...server.options, lane: 'sse', topics: ['*'] });
  const store = new QuoteStore();
  /** @type {string[]} */
  const fired = [];
  const alerts = new Alerts({ fired: (a) => fired.push(`${a.id} ${a.n}`), changed: () => {} });
  alerts.load([10.05, 10.12, 10.2, 10.31].map((level) => alert({ id: String(level), level, every: true })));
  feed.on('message', (m) => {
    store.apply(m, 0);
    alerts.take(m, (S) => store.get(S));
  });
  const ticks = (/** @type {number} */ n) => {
    for (let k = 0; k < n; k++) server.tick('A');
  };
  ticks(1);
  feed.start();
  server.pump();
  ticks(7); // 10.08
  server.pump();
  server.conn.cut();
  ticks(6); // 10.14, while the connection is down
  server.advance(3_000);
  server.pump();
  assert.deepEqual(fired, ['10.05 1', '10.12 1'], 'replayed ticks count once');
  feed.switchLane('ws');
  ticks(8); // 10.22, on both connections
  server.pump();
  assert.equal(feed.lane, 'ws');
  assert.deepEqual(fired, ['10.05 1', '10.12 1', '10.2 1']);
  server.conn.cut();
  ticks(12); // 10.34
  server.oldest = 30; // the log no longer has the missed ticks
  server.advance(3_000);
  server.pump();
  assert.equal(feed.counters.gaps, 1);
  assert.deepEqual(fired, ['10.05 1', '10.12 1', '10.2 1', '10.31 1']);
  server.restart('beef');
  ticks(40); // 10.01 to 10.40 in another log, before the page connects
  server.advance(3_000);
  server.pump();
  assert.equal(feed.counters.resets, 1);
  assert.deepEqual(fired.length, 4, 'another log repeats no alert');
  feed.stop();
});

test('a symbol is needed while one of its alerts is not done', () => {
  const page = new Page(alert({ id: 'once' }), alert({ id: 'every', S: 'B', every: true }), alert({ id: 'done', S: 'C', done: true }));
  assert.deepEqual(page.alerts.symbols, ['A', 'B']);
  page.snapshot(100);
  page.ticks(105);
  assert.deepEqual(page.fired, ['once 1 105']);
  assert.deepEqual(page.alerts.symbols, ['B'], 'it fires once and has fired');
  page.alerts.load(page.alerts.list.map((a) => (a.id === 'once' ? { ...a, done: false, epoch: '' } : a)));
  assert.deepEqual(page.alerts.symbols, ['A', 'B'], 'it is active again');
});
