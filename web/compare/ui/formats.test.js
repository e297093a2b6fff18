import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useFormat } from '../../model/formats.js';
import { axis, byteDifference, difference, elapsed, ms, pace, perTick, quote } from './formats.js';

const THIN = '\u202f';

test('a latency below the clock error is not 0', () => {
  assert.equal(ms(1.23), `1.2${THIN}ms`);
  assert.equal(ms(0, 0.3), `<0.30${THIN}ms`);
  assert.equal(ms(-0.2, 0.3), `<0.30${THIN}ms`);
  assert.equal(ms(NaN), '–');
});

test('a difference within its error is none; a larger one has the decimals of the error', () => {
  assert.deepEqual(difference({ value: 0.2, error: 0.4 }), { text: 'none', error: `±${THIN}0.40`, noise: true });
  assert.deepEqual(difference({ value: -0.4, error: 0.4 }), { text: 'none', error: `±${THIN}0.40`, noise: true });
  assert.deepEqual(difference({ value: -2, error: 0.1 }), { text: '−2.00', error: `±${THIN}0.10`, noise: false });
  assert.deepEqual(difference({ value: 49, error: 12 }), { text: '+49', error: `±${THIN}12`, noise: false });
  assert.deepEqual(difference({ value: 0.02, error: 0.004 }), { text: '+0.020', error: `±${THIN}0.004`, noise: false });
});

test('a difference below the noise is none', () => {
  assert.equal(difference({ value: 0.3, error: 0.05 }, 0.4).text, 'none');
  assert.equal(difference({ value: 0.5, error: 0.05 }, 0.4).text, '+0.50');
});

test('without an interval there is no difference', () => {
  assert.deepEqual(difference({ value: 3, error: NaN }), { text: 'too few ticks', error: '', noise: true });
  assert.deepEqual(difference({ value: NaN, error: NaN }), { text: '–', error: '', noise: true });
});

test('bytes below 100 have a decimal', () => {
  assert.equal(perTick(157.4), `157${THIN}B`);
  assert.equal(perTick(30.1), `30.1${THIN}B`);
  assert.equal(perTick(2), `2${THIN}B`);
  assert.equal(byteDifference(-28.14), `−28.1${THIN}B`);
  assert.equal(byteDifference(38), `+38${THIN}B`);
  assert.equal(byteDifference(0.01), '0');
  assert.equal(byteDifference(NaN), '–');
});

test('rates, durations and axis values', () => {
  assert.equal(pace(200.34), '200.3');
  assert.equal(pace(4812.4), `4${THIN}812`);
  assert.equal(pace(NaN), '–');
  assert.equal(elapsed(48_900), `48${THIN}s`);
  assert.equal(elapsed(134_000), `2${THIN}min 14${THIN}s`);
  assert.equal(elapsed(3_900_000), `1${THIN}h 5${THIN}min`);
  assert.deepEqual([0, 0.01, 0.3, 1, 30, 1000, -0.1, -10].map(axis), ['0', '0.01', '0.3', '1', '30', '1000', '−0.1', '−10']);
});

test('every figure follows the number format', () => {
  const units = { s: 's', min: 'min', h: 'h', d: 'd', large: '1000 k M B T' };
  const format = (/** @type {'space' | 'point'} */ numbers) => useFormat({ numbers, volume: 'short', tz: 'utc', locale: 'en-GB', units });
  format('point');
  try {
    assert.equal(quote({ S: 'BRK', p: 1204.5 }), 'BRK 1.204,50');
    assert.deepEqual(difference({ value: -2, error: 0.1 }), { text: '−2,00', error: `±${THIN}0,10`, noise: false });
    assert.equal(perTick(30.1), `30,1${THIN}B`);
    assert.equal(byteDifference(-28.14), `−28,1${THIN}B`);
    assert.equal(pace(200.3), '200,3');
    assert.equal(pace(12204), '12.204');
  } finally {
    format('space');
  }
  assert.equal(quote({ S: 'BRK', p: 1204.5 }), `BRK 1${THIN}204.50`);
});
