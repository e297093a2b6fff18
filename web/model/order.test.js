import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filter, find, nextSort, order, sectorName } from './order.js';

const listings = [
  { symbol: 'NVDA', name: 'NVIDIA', sector: 'technology', value: 3 },
  { symbol: 'V', name: 'Visa', sector: 'financials', value: 2 },
  { symbol: 'LVS', name: 'Las Vegas Sands', sector: 'leisure', value: 1 },
  { symbol: 'KO', name: 'Coca-Cola', sector: 'consumer-staples', value: 1 },
];
/** @type {Record<string, any>} */
const records = { NVDA: { changePct: 1, t: 30 }, V: { changePct: -2, t: 10 }, LVS: { changePct: NaN, t: 20 } };
const get = (/** @type {string} */ s) => records[s];
const symbols = (/** @type {{symbol: string}[]} */ list) => list.map((l) => l.symbol);

test('a search finds symbols and names ignoring case, symbols that start with it first', () => {
  assert.deepEqual(symbols(filter(listings, { q: 'v', sector: '' })), ['V', 'NVDA', 'LVS']);
  assert.deepEqual(symbols(filter(listings, { q: ' COLA ', sector: '' })), ['KO']);
  assert.deepEqual(symbols(filter(listings, { q: 'zzz', sector: '' })), []);
});

test('a sector narrows the search', () => {
  assert.deepEqual(symbols(filter(listings, { q: 'v', sector: 'financials' })), ['V']);
});

test('unknown figures come last in both directions', () => {
  assert.deepEqual(symbols(order(listings, 'change', get)), ['V', 'NVDA', 'LVS', 'KO']);
  assert.deepEqual(symbols(order(listings, '-change', get)), ['NVDA', 'V', 'LVS', 'KO']);
});

test('ages are sorted from the newest tick', () => {
  assert.deepEqual(symbols(order(listings, 'age', get)), ['NVDA', 'LVS', 'V', 'KO']);
});

test("without a sort the server's order is kept, in a new array", () => {
  const out = order(listings, '', get);
  assert.deepEqual(out, listings);
  assert.notEqual(out, listings);
  assert.deepEqual(symbols(order(listings, '-symbol', get)), ['V', 'NVDA', 'LVS', 'KO']);
});

test('clicks on a header cycle: descending, ascending, none; names start ascending', () => {
  assert.deepEqual(['', '-change', 'change'].map((s) => nextSort(s, 'change')), ['-change', 'change', '']);
  assert.deepEqual(['', 'symbol', '-symbol'].map((s) => nextSort(s, 'symbol')), ['symbol', '-symbol', '']);
  assert.equal(nextSort('-volume', 'change'), '-change');
});

test("a sector's name is derived from its id", () => assert.equal(sectorName('consumer-staples'), 'Consumer staples'));

test('an open list shows its symbols in its order; a search covers all symbols, those on the list first', () => {
  const all = ['AAPL', 'MSFT', 'KO', 'XOM'].map((symbol, i) => ({ symbol, name: `${symbol} Inc`, sector: i < 2 ? 'technology' : 'other', value: 0 }));
  const of = (/** @type {string} */ q, /** @type {string} */ sector, /** @type {string[] | null} */ list) => find(all, { q, sector }, list).map((l) => l.symbol).join();
  assert.equal(of('', '', null), 'AAPL,MSFT,KO,XOM');
  assert.equal(of('', '', ['KO', 'GONE', 'AAPL']), 'KO,AAPL');
  assert.equal(of('', 'technology', ['KO', 'AAPL']), 'AAPL');
  assert.equal(of('inc', '', ['XOM', 'MSFT']), 'MSFT,XOM,AAPL,KO');
  assert.equal(of('', '', []), '');
});
