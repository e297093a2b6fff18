import assert from 'node:assert/strict';
import { test } from 'node:test';
import { path } from './sparkline.js';

test('a sparkline fills its box and stays within it', () => {
  assert.equal(path([], 66, 18), '');
  assert.equal(path([5], 66, 18), ''); // a flat line would mean an unchanged price
  assert.equal(path([1, 3, 2], 66, 18), 'M0.0 16.0L33.0 2.0L66.0 9.0');
});
