import assert from 'node:assert/strict';
import { test } from 'node:test';
import { spacing } from './candles.js';

test('few bars are spaced wider to fill a large chart; many keep the normal spacing', () => {
  assert.equal(spacing(500, 1600), 8);
  assert.equal(spacing(156, 1600), 10);
  assert.equal(spacing(3, 1600), 16, 'the spacing is limited');
  assert.equal(spacing(120, 0), 8, 'a chart without a size yet');
});
