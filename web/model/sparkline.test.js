import assert from 'node:assert/strict';
import { test } from 'node:test';
import { path } from './sparkline.js';

test('a sparkline fills its box and stays within it', () => {
  assert.equal(path([1, 3, 2, 1, 3, 2, 1, 3, 2, 1], 90, 18), 'M0.0 16.0L10.0 2.0L20.0 9.0L30.0 16.0L40.0 2.0L50.0 9.0L60.0 16.0L70.0 2.0L80.0 9.0L90.0 16.0');
  assert.equal(path(Array(10).fill(5), 9, 18), 'M0.0 9.0L1.0 9.0L2.0 9.0L3.0 9.0L4.0 9.0L5.0 9.0L6.0 9.0L7.0 9.0L8.0 9.0L9.0 9.0');
});

test('a sparkline waits for ten points', () => {
  for (const n of [0, 1, 2, 9]) assert.equal(path(Array.from({ length: n }, (_, k) => k), 66, 18), '', `${n}`);
  assert.notEqual(path(Array.from({ length: 10 }, (_, k) => k), 66, 18), '');
});
