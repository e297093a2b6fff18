import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changePercent, difference, fromUnits, isExact, MOST, round, units } from './units.js';

test('a decimal is the same after it was counted in units', () => {
  for (const [text, decimals, n] of /** @type {const} */ ([
    ['0', 0, 0], ['1.08345', 5, 108345], ['-40.32', 2, -4032], ['0.31600', 5, 31600], ['151.357', 3, 151357], ['0.000000001', 9, 1], ['9999999999999.99', 2, MOST],
    ['-999999.999999999', 9, -MOST], ['999999999999999', 0, MOST], ['450359962737.049', 3, 450359962737049],
  ])) {
    const x = Number(text);
    assert.equal(units(x, decimals), n, text);
    assert.equal(fromUnits(n, decimals), x, text);
    assert.ok(isExact(x, decimals), text);
  }
});

test('all decimals survive, for every number of decimals', () => {
  for (let decimals = 0; decimals <= 9; decimals++) {
    for (let k = 1; k <= 2000; k++) {
      const n = Math.round(MOST / k ** 2.7) * (k % 2 ? 1 : -1);
      const text = `${n < 0 ? '-' : ''}${String(Math.abs(n)).padStart(decimals + 1, '0').replace(new RegExp(`(\\d{${decimals}})$`), '.$1')}`;
      const x = Number(text);
      assert.deepEqual([units(x, decimals), fromUnits(n, decimals)], [n, x], `${text} ${decimals}`);
    }
  }
});

test('differences are exact, and unknown prices stay unknown', () => {
  assert.equal(difference(0.3, 0.1, 2), 0.2);
  assert.equal(difference(1.08347, 1.08345, 5), 0.00002);
  assert.equal(difference(10.01, -37.63, 2), 47.64);
  assert.ok([difference(NaN, 1, 2), difference(1, NaN, 5), units(NaN, 0)].every(Number.isNaN));
});

test('a number with more decimals is recognised', () => {
  assert.deepEqual([isExact(184.27, 2), isExact(184.275, 2), isExact(100, 0), isExact(0.1, 0), isExact(NaN, 2)], [true, false, true, false, false]);
  assert.deepEqual([round(184.275, 2), round(-2.996, 2), round(1.083456, 5)], [184.28, -3, 1.08346]);
});

test('a change from a negative price has the sign of its direction, one from 0 is unknown', () => {
  assert.equal(changePercent(1, 50), 2);
  assert.equal(changePercent(-50.32, 10), -503.2);
  assert.equal(changePercent(10, -40), 25);
  for (let cents = 1; cents < 5000; cents++) assert.equal(changePercent(cents / 100, cents), 1, `${cents}`);
  assert.equal(changePercent(0, -40), 0);
  for (const before of [0, -0, NaN]) assert.ok(Number.isNaN(changePercent(5, before)), `${before}`);
  assert.ok(Number.isNaN(changePercent(NaN, 10)));
});
