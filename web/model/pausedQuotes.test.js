import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QuoteStore } from './quotes.js';
import { PausedQuotes } from './pausedQuotes.js';

/** @returns {import('../types.js').Quote} */
const q = (/** @type {number} */ p, /** @type {number} */ i) =>
  ({ T: 'q', S: 'A', p, v: 0, t: i * 60e6, bp: p, bs: 1, ap: p, as: 1, n: i, i });

test('a pause keeps the quotes of its beginning, while the store continues', () => {
  const store = new QuoteStore();
  const quotes = new PausedQuotes(store);
  store.apply(q(10, 1), 0);
  quotes.pause();
  store.apply(q(11, 2), 0);
  assert.equal(quotes.get('A')?.p, 10);
  assert.deepEqual(quotes.get('A')?.spark.values(), [10]);
  assert.deepEqual([...quotes.values()].map((r) => r.p), [10]);
  quotes.resume();
  assert.equal(quotes.get('A')?.p, 11);
  assert.deepEqual(quotes.get('A')?.spark.values(), [10, 11]);
});

test('pausing twice changes nothing', () => {
  const store = new QuoteStore();
  const quotes = new PausedQuotes(store);
  quotes.pause();
  quotes.behind = 7;
  store.apply(q(10, 1), 0);
  quotes.pause();
  assert.equal(quotes.behind, 7);
  assert.equal(quotes.get('A'), undefined);
});
