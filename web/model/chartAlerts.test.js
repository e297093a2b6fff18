import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alertAt, linePrice, movedTo, nearest } from './chartAlerts.js';
import { useInstruments } from './instruments.js';

test("an alert's line is at its price, or at the day's change from the last close", () => {
  assert.equal(linePrice({ kind: 'above', level: 231 }, 200), 231);
  assert.equal(linePrice({ kind: 'below', level: 190 }, NaN), 190);
  assert.equal(linePrice({ kind: 'day', level: -3 }, 200), 194);
  assert.ok(Number.isNaN(linePrice({ kind: 'day', level: -3 }, NaN)));
  assert.ok(Number.isNaN(linePrice({ kind: 'within', level: 1 }, 200)));
});

test('a click means an alert on the side of the last price', () => {
  assert.deepEqual(alertAt('A', 231.004, 230), { kind: 'above', level: 231 });
  assert.deepEqual(alertAt('A', 229.996, 230), { kind: 'above', level: 230 });
  assert.deepEqual(alertAt('A', 229.994, 230), { kind: 'below', level: 229.99 });
  assert.deepEqual(alertAt('A', -4, 230), { kind: 'below', level: 0.01 });
});

test('a moved line changes the level, and the side of a price alert', () => {
  assert.deepEqual(movedTo({ S: 'A', kind: 'above', level: 231 }, 225.5, 230, 200), { kind: 'below', level: 225.5 });
  assert.deepEqual(movedTo({ S: 'A', kind: 'day', level: 2 }, 195, 230, 200), { level: -2.5 });
  assert.deepEqual(movedTo({ S: 'A', kind: 'day', level: 2 }, 200.001, 230, 200), { level: 2 }, 'no change is no level');
  assert.deepEqual(movedTo({ S: 'A', kind: 'day', level: 2 }, 900, 230, 200), { level: 50 });
});

test('the nearest line within reach is found', () => {
  const lines = [{ id: 'a', price: 10 }, { id: 'b', price: 13 }, { id: 'c', price: NaN }];
  const find = (/** @type {number} */ y) => nearest(lines, y, 5, (price) => price * 2)?.id;
  assert.deepEqual([find(20), find(22), find(24), find(31), find(32)], ['a', 'a', 'b', 'b', undefined]);
});

test('lines have the decimals of the instrument, and may be below 0 where its prices may', (c) => {
  c.after(() => useInstruments([]));
  const listing = { name: '', sector: '', value: 0 };
  useInstruments([{ ...listing, symbol: 'EURUSD', decimals: 5 }, { ...listing, symbol: 'CL', negative: true }]);
  assert.deepEqual(alertAt('EURUSD', 1.0834549, 1.08), { kind: 'above', level: 1.08345 });
  assert.deepEqual(alertAt('EURUSD', -1, 1.08), { kind: 'below', level: 0.00001 });
  assert.deepEqual(alertAt('CL', -40.318, -37), { kind: 'below', level: -40.32 });
  assert.equal(linePrice({ kind: 'day', level: -5 }, -40), -42, 'a fall from a negative close');
  assert.deepEqual(movedTo({ S: 'CL', kind: 'day', level: -5 }, -38, -40, -40), { level: 5 });
  assert.deepEqual(movedTo({ S: 'CL', kind: 'day', level: -5 }, -38, -40, 0), { level: -5 }, 'there is no percentage from 0');
});
