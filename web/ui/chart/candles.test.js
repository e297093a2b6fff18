import assert from 'node:assert/strict';
import { test } from 'node:test';
import { spacing } from './candles.js';

test('few bars are wider, so that they fill a large chart; many are as narrow as ever', () => {
  assert.equal(spacing(500, 1600), 8);
  assert.equal(spacing(156, 1600), 10);
  assert.equal(spacing(3, 1600), 16, 'three are no reason for beams');
  assert.equal(spacing(120, 0), 8, 'a chart that has no size yet');
});
