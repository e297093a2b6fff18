import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decimals, sizeDecimals, useInstruments } from '../model/instruments.js';
import { decode } from './protobuf.js';

/** @param {number} x @returns {number[]} a varint of 64 bits */
function varint(x) {
  const bytes = [];
  for (let rest = BigInt.asUintN(64, BigInt(x)); ; rest >>= 7n) {
    bytes.push(Number(rest & 127n) | (rest > 127n ? 128 : 0));
    if (rest <= 127n) return bytes;
  }
}
const zigzag = (/** @type {number} */ x) => varint(x < 0 ? -2 * x - 1 : 2 * x);
const field = (/** @type {number} */ number, /** @type {number[]} */ value) => [...varint(number * 8), ...value];
const message = (/** @type {number} */ number, /** @type {number[]} */ value) => [...varint(number * 8 + 2), ...varint(value.length), ...value];

/** A quote: prices are units above the bid. @param {string} S @param {{ bid: number, ask: number, last: number, size: number, close?: number, decimals?: number, sizes?: number, received?: number, n?: number }} q */
const quote = (S, { bid, ask, last, size, close, decimals, sizes, received, n = 2 }) => [
  ...message(1, [...Buffer.from(S)]), ...field(2, varint(bid)), ...field(3, varint(size)), ...field(4, zigzag(ask - bid)), ...field(5, varint(size)), ...field(6, zigzag(last - bid)),
  ...field(7, varint(size)), ...field(8, varint(1_793_021_400_000_000)), ...field(9, varint(n)), ...field(10, varint(7)),
  ...(close === undefined ? [] : field(14, zigzag(close - bid))), ...(decimals === undefined ? [] : field(15, varint(decimals))), ...(sizes === undefined ? [] : field(16, varint(sizes))),
  ...(received === undefined ? [] : field(17, zigzag(received))),
];
const read = (/** @type {number[]} */ bytes) => /** @type {any} */ (decode(Uint8Array.from(bytes)));

test('ticks have the decimals that the snapshot of their instrument had', (c) => {
  c.after(() => useInstruments([]));
  const snapshot = read(message(3, [
    ...field(1, varint(7)), ...message(2, quote('EURUSD', { bid: 108345, ask: 108347, last: 108346, size: 1e6, close: 108300, decimals: 5 })),
    ...message(2, quote('BTC', { bid: 6415025, ask: 6415026, last: 6415025, size: 1, close: 6400000, sizes: 4 })),
    ...message(2, quote('N225', { bid: 39000, ask: 39010, last: 39005, size: 3, close: 38000, decimals: 0, sizes: 0 })),
    ...message(2, quote('CL', { bid: -4040, ask: -4032, last: -4032, size: 3, close: 1000 })),
  ]));
  assert.deepEqual(snapshot.quotes.map((/** @type {any} */ q) => [q.S, q.bp, q.ap, q.p, q.bs, q.v, q.c]), [
    ['EURUSD', 1.08345, 1.08347, 1.08346, 1e6, 1e6, 1.083], ['BTC', 64150.25, 64150.26, 64150.25, 0.0001, 0.0001, 64000],
    ['N225', 39000, 39010, 39005, 3, 3, 38000], ['CL', -40.4, -40.32, -40.32, 3, 3, 10],
  ]);
  assert.ok(snapshot.quotes.every((/** @type {any} */ q) => !('decimals' in q)), 'the same object as of JSON');
  const tick = read(message(1, quote('EURUSD', { bid: 108340, ask: 108342, last: 108341, size: 5 })));
  assert.deepEqual([tick.bp, tick.ap, tick.p, tick.as], [1.0834, 1.08342, 1.08341, 5]);
  assert.equal(read(message(1, quote('BTC', { bid: 1, ask: 2, last: 1, size: 12_345 }))).bs, 1.2345);
  read(message(3, message(2, quote('EURUSD', { bid: 1, ask: 1, last: 1, size: 1, close: 1 }))));
  assert.deepEqual([decimals('EURUSD'), sizeDecimals('EURUSD')], [2, 0], 'absent decimals are the usual ones');
});

test('the first tick of a new symbol, which has no snapshot, has its decimals', (c) => {
  c.after(() => useInstruments([]));
  const first = read(message(1, quote('NEW', { n: 1, bid: 108345, ask: 108347, last: 108346, size: 15, decimals: 5, sizes: 1 })));
  assert.deepEqual([first.bp, first.p, first.v, 'decimals' in first], [1.08345, 1.08346, 1.5, false]);
  assert.equal(read(message(1, quote('NEW', { bid: 108340, ask: 108347, last: 108346, size: 15 }))).bp, 1.0834);
  assert.equal(read(message(1, quote('NEW', { n: 1, bid: 108340, ask: 108347, last: 108346, size: 15 }))).bp, 1083.4, 'another log has other instruments');
});

test('after a resume, which has no snapshot, decimals are those of the list of symbols', (c) => {
  c.after(() => useInstruments([]));
  useInstruments([{ symbol: 'DOGE', name: '', sector: '', value: 0, decimals: 5, size_decimals: 2 }]);
  const tick = read(message(1, quote('DOGE', { bid: 31600, ask: 31611, last: 31600, size: 100_050 })));
  assert.deepEqual([tick.bp, tick.ap, tick.v], [0.316, 0.31611, 1000.5]);
});

test('the largest price is exact, and so is the time at which a tick was received', () => {
  const most = Number.MAX_SAFE_INTEGER; // the nearest float, as of JSON
  for (const bid of [most, -most]) assert.equal(read(message(1, quote('A', { bid, ask: bid, last: bid, size: most }))).bp, bid / 100);
  assert.equal(read(message(1, quote('A', { bid: 1, ask: 1, last: 1, size: 1, received: 1500 }))).r, 1_793_021_400_001_500);
  assert.ok(!('r' in read(message(1, quote('A', { bid: 1, ask: 1, last: 1, size: 1 })))));
});
