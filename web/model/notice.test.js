import assert from 'node:assert/strict';
import { test } from 'node:test';
import { notice } from './notice.js';

const calm = { shown: 'live', retryAt: undefined, newest: 0, silent: false, stale: 0, delay: 0, missing: null, symbols: null, wall: 1_000_000 };

test('nothing is said while the feed is live and the symbols are there', () => {
  assert.equal(notice(calm), null);
  assert.equal(notice({ ...calm, shown: 'waiting', retryAt: 1_003_000 }), null);
});

test('a full server is no unreachable one: the time that it gave counts down, without a button', () => {
  const full = { ...calm, shown: 'full', retryAt: 1_008_000 };
  assert.deepEqual(notice(full), { text: 'Server full, next try in 8\u202fs. ', button: '', action: 'retry', level: 'warn' });
  assert.match(notice({ ...full, newest: 999_000 })?.text ?? '', /^Server full, next try in 8\u202fs\. Quotes as of \d\d:\d\d:\d\d\.$/);
  assert.equal(notice({ ...full, retryAt: undefined })?.text.trim(), 'Server full, trying again.');
});

test('the end of a replay is reported, with the time of the last quotes, instead of a silent feed', () => {
  const text = notice({ ...calm, shown: 'replayed', newest: 999_000, silent: true })?.text ?? '';
  assert.match(text, /^The replay ended at \d\d:\d\d:\d\d: no more quotes follow\.$/);
});

test('a delayed feed that has no quotes yet is not called silent', () => {
  assert.match(notice({ ...calm, delay: 900_000, silent: true })?.text ?? '', /^No quotes yet: they are delayed by 15.min, and the server started less than that ago\.$/);
});

test('a feed that the server calls stale is reported with the time, and only while the page is connected', () => {
  const stale = { ...calm, stale: 999_000, silent: true };
  for (const shown of ['live', 'paused']) assert.match(notice({ ...stale, shown })?.text ?? '', /^Feed stale since \d\d:\d\d:\d\d: the server gets no quotes\.$/);
  assert.match(notice({ ...stale, shown: 'unreachable' })?.text ?? '', /^Server unreachable\./);
  assert.equal(notice({ ...stale, shown: 'connecting' }), null);
});

test('the next try to load the list of symbols counts down, also on a live feed', () => {
  const failed = { ...calm, symbols: { at: 1_004_000 } };
  assert.deepEqual(notice(failed), { text: 'The list of symbols could not be loaded. Retrying in 4\u202fs.', button: 'Retry now', action: 'symbols', level: 'warn' });
  assert.equal(notice({ ...failed, wall: 1_004_000 })?.text, 'The list of symbols could not be loaded. Retrying now.');
  assert.equal(notice({ ...failed, shown: 'unreachable', retryAt: 1_002_000 })?.text.trim(), 'Server unreachable. Retrying in 2\u202fs.', 'the connection comes first');
});

test('a symbol of the address that the page cannot show is named, after problems of the connection and before the state of the feed', () => {
  const missing = { wanted: ['MSFT', 'X'], shown: 'AAPL', narrowed: false };
  assert.deepEqual(notice({ ...calm, missing }), { text: 'This server has no MSFT, X. The page shows AAPL instead.', button: 'Close', action: 'close', level: 'warn' });
  assert.equal(notice({ ...calm, missing: { ...missing, narrowed: true } })?.text, 'Not covered by your access, or unknown here: MSFT, X. The page shows AAPL instead.');
  for (const state of [{ stale: 999_000 }, { silent: true }, { delay: 900_000 }, { shown: 'replayed' }, { shown: 'paused' }]) assert.equal(notice({ ...calm, missing, ...state })?.action, 'close');
  for (const state of [{ shown: 'unreachable' }, { shown: 'offline' }, { shown: 'full' }, { symbols: { at: 0 } }]) assert.notEqual(notice({ ...calm, missing, ...state })?.action, 'close');
});
