import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dayOf, dayStart, decimals, fileName, fullName, isSymbol, setDecimals, negative, scaleOf, sizeDecimals, useInstruments } from './instruments.js';

const known = { name: '', sector: 's', value: 0 };
const utc = (/** @type {number[]} */ ...parts) => Date.UTC(.../** @type {[number, number]} */ (parts)) * 1000; // µs

test('an unknown instrument is a share: prices in cents, whole sizes', () => {
  useInstruments([{ ...known, symbol: 'EURUSD', decimals: 5 }, { ...known, symbol: 'BTC', size_decimals: 4 }, { ...known, symbol: 'CL', negative: true }, { ...known, symbol: 'N225', decimals: 0 }]);
  assert.deepEqual(['EURUSD', 'BTC', 'CL', 'N225', 'X'].map((s) => [decimals(s), sizeDecimals(s), negative(s)]), [[5, 0, false], [2, 4, false], [2, 0, true], [0, 0, false], [2, 0, false]]);
});

test('decimals are learnt from snapshots, until the list is loaded', () => {
  useInstruments([]);
  setDecimals('A', 5, 1);
  setDecimals('B');
  assert.deepEqual([decimals('A'), sizeDecimals('A'), scaleOf('A'), decimals('B'), scaleOf('B')], [5, 1, { decimals: 5, size_decimals: 1 }, 2, {}]);
  setDecimals('A');
  assert.deepEqual([decimals('A'), sizeDecimals('A')], [2, 0], 'another log has another instrument of this name');
  useInstruments([{ ...known, symbol: 'A', decimals: 3 }]);
  assert.equal(decimals('A'), 3);
});

test("a day is the session's where there is one, else UTC's", () => {
  useInstruments([
    { ...known, symbol: 'NY', session: { zone: 'America/New_York', open: '09:30', close: '16:00' } },
    { ...known, symbol: 'ES', session: { zone: 'America/Chicago', open: '17:00', close: '16:00' } },
    { ...known, symbol: 'ODD', session: { zone: 'Nowhere/Land', open: '00:00', close: '00:00' } },
  ]);
  assert.deepEqual([dayStart('X', utc(2026, 0, 5, 13)), dayOf('X', utc(2026, 0, 5, 23, 59)) - dayOf('X', utc(2026, 0, 5))], [utc(2026, 0, 5), 0]);
  assert.equal(dayStart('NY', utc(2026, 0, 6, 14, 29)), utc(2026, 0, 5, 14, 30), 'before the open it is still the day before');
  assert.equal(dayStart('NY', utc(2026, 0, 6, 14, 30)), utc(2026, 0, 6, 14, 30));
  assert.equal(dayStart('NY', utc(2026, 6, 6, 13, 30)), utc(2026, 6, 6, 13, 30), 'in summer an hour earlier');
  assert.equal(dayStart('NY', utc(2026, 2, 8, 12)), utc(2026, 2, 7, 14, 30), 'the clocks went forward in between');
  assert.equal(dayStart('NY', utc(2026, 2, 9, 12)), utc(2026, 2, 8, 13, 30));
  assert.equal(dayStart('ES', utc(2026, 0, 6, 5)), utc(2026, 0, 5, 23), 'a session may span midnight');
  assert.equal(dayOf('ES', utc(2026, 0, 5, 23)) - dayOf('ES', utc(2026, 0, 5, 22, 59)), 1);
  assert.equal(dayStart('ODD', utc(2026, 0, 5, 13)), utc(2026, 0, 5), 'in a zone that the browser lacks, UTC');
});

test('symbols have letters, digits and some signs', () => {
  for (const s of ['A', 'BRK.B', '^GSPC', 'EUR/USD', 'ES=F', 'binance:BTC-USDT', '@ES', 'a_b', 'x'.repeat(32), 'sector']) assert.ok(isSymbol(s), s);
  for (const s of ['', 'x'.repeat(33), 'A B', 'A,B', '<b>', '*', 'sector:tech', 'é', 'A\n', '"', 7, null, undefined]) assert.ok(!isSymbol(s), `${s}`);
});

test('a symbol becomes part of a file name that every system allows', () => {
  assert.deepEqual(['BRK.B', '^GSPC', 'EUR/USD', 'x:BTC/USD', '.HID', 'ES=F'].map(fileName), ['BRK.B', '^GSPC', 'EUR-USD', 'x-BTC-USD', '_HID', 'ES=F']);
});

test('currency and venue follow the name', () => {
  assert.equal(fullName({ symbol: 'AAPL', name: 'Apple' }), 'Apple');
  assert.equal(fullName({ symbol: 'EURUSD', name: 'Euro', currency: 'USD', venue: 'EBS' }), 'Euro · USD · EBS');
  assert.equal(fullName({ symbol: 'A', name: '', currency: 'USD', venue: '' }), 'USD');
  assert.equal(fullName({ symbol: 'A', name: 'A' }), '', 'a feed without names');
});
