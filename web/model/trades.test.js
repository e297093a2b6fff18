import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useInstruments } from './instruments.js';
import { Trades } from './trades.js';

/** @returns {import('../types.js').Quote} */
const q = (/** @type {string} */ S, /** @type {number} */ p, /** @type {number} */ v, t = 0) =>
  ({ T: 'q', S, p, v, t, bp: p, bs: 1, ap: p, as: 1, n: 1, i: 1 });

test("a trade is an increase of the day's volume or a changed last price", () => {
  const trades = new Trades();
  assert.equal(trades.take(q('A', 10, 500)), false, 'the first tick sets the base');
  assert.equal(trades.take(q('A', 10, 500)), false, 'only bid and ask changed');
  assert.equal(trades.take(q('A', 11, 700)), true);
  assert.equal(trades.take(q('A', 11, 800)), true);
  assert.equal(trades.take(q('A', 10.5, 800)), true, 'a feed without volume');
  assert.deepEqual(trades.market.map(({ p, size, dir }) => ({ p, size, dir })), [
    { p: 10.5, size: NaN, dir: -1 }, { p: 11, size: 100, dir: 1 }, { p: 11, size: 200, dir: 1 },
  ]);
});

test('a snapshot is not a trade, even if the price changed', () => {
  const trades = new Trades();
  trades.setBase(q('A', 10, 100));
  trades.setBase(q('A', 20, 900));
  assert.equal(trades.take(q('A', 20, 900)), false);
  assert.deepEqual(trades.market, []);
});

test('a new day restarts its volume', () => {
  const trades = new Trades();
  trades.setBase(q('A', 10, 90_000));
  trades.take(q('A', 10, 300));
  assert.equal(trades.market[0]?.size, 300);
});

test('a new day whose first volume exceeds the old one is counted from 0', () => {
  const trades = new Trades();
  const midnight = Date.UTC(2026, 0, 2) * 1000;
  trades.setBase(q('A', 10, 100, midnight - 1));
  trades.take(q('A', 10, 500, midnight));
  trades.take(q('A', 10, 600, midnight + 1));
  assert.deepEqual(trades.market.map(({ size }) => size), [100, 500]);
});

test('the selected symbol has its own list, filled with the recent trades', () => {
  const trades = new Trades();
  for (const s of ['A', 'B']) trades.setBase(q(s, 10, 0));
  trades.take(q('B', 10, 100));
  trades.select('B');
  for (let k = 1; k <= 200; k++) trades.take(q('A', 10, k));
  trades.take(q('B', 10, 300));
  assert.deepEqual(trades.symbol.map((t) => t.size), [200, 100]);
  trades.select('A');
  assert.equal(trades.symbol.length, 64, 'including trades that left the other lists');
  assert.equal(trades.market.length, 64);
});

test('small trades can be left out, and the recent ones shown again', () => {
  const trades = new Trades();
  trades.setBase(q('A', 100, 0));
  trades.select('A');
  for (let v = 10, k = 0; k < 600; k++) trades.take(q('A', 100, (v += k % 100 ? 10 : 2000)));
  trades.setMinimum(200_000);
  assert.deepEqual(trades.market.map((t) => t.size), [2000, 2000, 2000, 2000, 2000]);
  assert.deepEqual(trades.symbol, trades.market);
  assert.equal(trades.take(q('A', 100, 17_950)), false);
  assert.equal(trades.take(q('A', 101, 20_000)), true);
  assert.equal(trades.market[0]?.size, 2050);
  assert.equal(trades.take(q('A', 102, 20_000)), false, 'an unknown size is not large');
  trades.setMinimum(0);
  assert.equal(trades.market.length, 64);
  assert.ok(Number.isNaN(trades.market[0]?.size));
});

test("the watchlist's symbols have a list, which follows changes", () => {
  const trades = new Trades();
  for (const s of ['A', 'B', 'C']) trades.setBase(q(s, 10, 0));
  trades.take(q('B', 10, 100));
  trades.take(q('C', 10, 100));
  assert.equal(trades.list.length, 0);
  trades.setListed(new Set(['A', 'C']));
  for (const s of ['A', 'B', 'C']) trades.take(q(s, 11, 400));
  assert.deepEqual(trades.list.map((t) => t.S + t.size), ['C300', 'A400', 'C100']);
  trades.setMinimum(4000);
  assert.deepEqual(trades.list.map((t) => t.S + t.size), ['A400']);
  trades.setMinimum(0);
  trades.setListed(new Set(['B']));
  assert.deepEqual(trades.list.map((t) => t.S + t.size), ['B300', 'B100']);
  for (let k = 1; k <= 200; k++) trades.take(q('B', 12, 400 + k));
  assert.equal(trades.list.length, 64);
});

test('sizes are exact, and the value of a trade at a negative price is positive', (c) => {
  c.after(() => useInstruments([]));
  useInstruments([{ symbol: 'BTC', name: '', sector: '', value: 0, size_decimals: 4 }]);
  const trades = new Trades();
  trades.setBase(q('BTC', 64_150, 0.3));
  trades.take(q('BTC', 64_150, 0.3001));
  assert.equal(trades.market[0]?.size, 0.0001);
  trades.setMinimum(10_000);
  trades.setBase(q('CL', -40, 0));
  assert.deepEqual([trades.take(q('CL', -40, 249)), trades.take(q('CL', -40, 499))], [false, true]);
});

/** @returns {import('../types.js').TradeReport} */
const report = (/** @type {string} */ S, /** @type {number} */ p, /** @type {number} */ s, more = {}) => ({ T: 'trade', S, p, s, t: 5, n: 1, i: 1, ...more });
const shown = (/** @type {import('./trades.js').Trade[]} */ list) => list.map(({ S, p, size, dir }) => `${S} ${p} ${size} ${dir}`);

test("a symbol whose trades the feed sends shows those alone, others those derived from quotes", () => {
  const trades = new Trades();
  for (const s of ['A', 'B']) trades.setBase(q(s, 10, 0));
  assert.equal(trades.takeReport(report('A', 11, 30, { id: '1', c: ['@', 'T'], x: 'V' })), true);
  assert.equal(trades.take(q('A', 11, 30)), false);
  assert.equal(trades.take(q('B', 11, 5)), true);
  assert.equal(trades.takeReport(report('A', 10.5, 0)), true);
  assert.equal(trades.take(q('A', 10.5, 30)), false);
  assert.deepEqual(shown(trades.market), ['A 10.5 NaN -1', 'B 11 5 1', 'A 11 30 1']);
  assert.deepEqual(trades.market[2], { t: 5, S: 'A', p: 11, size: 30, dir: 1, id: '1', conditions: ['@', 'T'], venue: 'V' });
  assert.equal('venue' in (trades.market[0] ?? {}), false);
});

test('a correction replaces the trade that it names, and a cancel removes it, in every list', () => {
  const trades = new Trades();
  trades.select('A');
  trades.setListed(new Set(['A', 'B']));
  for (const s of ['A', 'B']) for (const id of ['1', '2', '3']) trades.takeReport(report(s, 10, Number(id), { id }));
  assert.equal(trades.takeReport(report('A', 10, 50, { id: '2b', corrects: '2' })), true);
  assert.equal(trades.takeReport(report('A', 10, 3, { cancels: '3' })), true);
  assert.equal(trades.takeReport(report('A', 10, 4, { cancels: '9' })), false, 'a trade that is not shown any more');
  const own = ['A 10 50 0', 'A 10 1 0'];
  assert.deepEqual(shown(trades.symbol), own);
  assert.deepEqual(shown(trades.market), ['B 10 3 0', 'B 10 2 0', 'B 10 1 0', ...own]);
  assert.deepEqual(trades.list, trades.market);
  trades.takeReport(report('A', 10, 60, { corrects: '2b' }));
  trades.setMinimum(500);
  assert.deepEqual(shown(trades.market), ['A 10 60 0'], 'the corrected value decides');
  trades.setMinimum(0);
  assert.deepEqual(shown(trades.symbol), ['A 10 60 0', 'A 10 1 0'], 'what is void stays so');
});
