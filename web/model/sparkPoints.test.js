import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Spark } from './sparkPoints.js';

test('a sparkline has the last price of each interval, and repeats it in quiet ones', () => {
  const s = new Spark(4, 1000);
  for (const [p, t] of /** @type {const} */ ([[1, 0], [2, 900], [3, 1000], [4, 3500]])) s.add(p, t);
  assert.deepEqual(s.values(), [2, 3, 3, 4]);
  s.add(5, 4000);
  assert.deepEqual(s.values(), [3, 3, 4, 5]);
  s.add(9, 2000);
  assert.deepEqual(s.values(), [3, 3, 4, 5], 'an older price is ignored');
  s.add(6, 1e9);
  assert.deepEqual(s.values(), [5, 5, 5, 6], 'a long quiet time fills the window once');
  s.seed([{ t: 0, p: 7 }, { t: 1000, p: 8 }]);
  assert.deepEqual(s.values(), [7, 8]);
  assert.equal(s.length, 2);
});
