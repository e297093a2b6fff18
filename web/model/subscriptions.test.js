import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandError } from '../lane/commandError.js';
import { Subscriptions } from './subscriptions.js';

const symbols = [
  { symbol: 'AAPL', sector: 'technology' }, { symbol: 'MSFT', sector: 'technology' },
  { symbol: 'XOM', sector: 'energy' }, { symbol: 'CVX', sector: 'energy' }, { symbol: 'KO', sector: 'staples' },
];

/** @param {import('node:test').TestContext} t @param {number} [most] */
function setup(t, most = 512) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  /** @type {string[][]} */
  const requests = [];
  const host = { refuse: '' };
  const subscriptions = new Subscriptions({
    most,
    set: async (topics) => {
      requests.push(topics);
      if (host.refuse && topics.includes(host.refuse)) throw new CommandError('unknown_topic', 'no such topic');
    },
  });
  return { subscriptions, requests, host, tick: (/** @type {number} */ ms) => t.mock.timers.tick(ms) };
}

test("nothing is requested before the server's symbols are known", (t) => {
  const { subscriptions, requests, tick } = setup(t);
  subscriptions.require('list', ['AAPL']);
  tick(10_000);
  assert.deepEqual(requests, []);
  subscriptions.setSymbols(symbols);
  tick(1499);
  assert.deepEqual(requests, [], 'removal is delayed');
  tick(1);
  assert.deepEqual(requests, [['AAPL']]);
});

test('several changes are one command with their union', (t) => {
  const { subscriptions, requests, tick } = setup(t);
  subscriptions.setSymbols(symbols);
  subscriptions.require('list', ['MSFT', 'AAPL', 'NOPE', 'sector:none']);
  subscriptions.require('chart', ['AAPL']);
  subscriptions.require('alerts', ['KO']);
  tick(1500);
  assert.deepEqual(requests, [['AAPL', 'KO', 'MSFT']]);
});

test('missing topics are added at once, unused ones removed later', (t) => {
  const { subscriptions, requests, tick } = setup(t);
  subscriptions.setSymbols(symbols);
  subscriptions.require('chart', ['AAPL']);
  tick(1500);
  subscriptions.require('chart', ['MSFT']);
  tick(50);
  assert.deepEqual(requests.at(-1), ['AAPL', 'MSFT']);
  subscriptions.require('chart', ['KO']);
  tick(50);
  assert.deepEqual(requests.at(-1), ['AAPL', 'MSFT', 'KO']);
  tick(1500);
  assert.deepEqual(requests.at(-1), ['KO']);
  assert.equal(requests.length, 4);
});

test('returning before the removal requests nothing', (t) => {
  const { subscriptions, requests, tick } = setup(t);
  subscriptions.setSymbols(symbols);
  subscriptions.require('list', ['*']);
  subscriptions.require('list', ['KO']);
  tick(1000);
  subscriptions.require('list', ['*']);
  tick(10_000);
  assert.deepEqual(requests, []);
});

test('the fewest topics: a sector covers its symbols, "*" covers all, and all symbols together are "*"', (t) => {
  const { subscriptions, requests, tick } = setup(t);
  subscriptions.setSymbols(symbols);
  subscriptions.require('list', ['sector:technology']);
  subscriptions.require('chart', ['AAPL']);
  tick(1500);
  assert.deepEqual(requests.at(-1), ['sector:technology']);
  subscriptions.require('chart', ['XOM']);
  tick(50);
  assert.deepEqual(requests.at(-1), ['sector:technology', 'XOM']);
  subscriptions.require('alerts', ['sector:energy', 'KO']);
  tick(50);
  tick(1500);
  assert.deepEqual(requests.at(-1), ['*']);
  subscriptions.require('alerts', []);
  tick(1500);
  assert.deepEqual(requests.at(-1), ['XOM', 'sector:technology']);
  subscriptions.require('heatmap', ['*']);
  tick(50);
  assert.deepEqual(requests.at(-1), ['*']);
});

test('more topics than allowed become "*"; a union that is too large for a moment is avoided', (t) => {
  const { subscriptions, requests, tick } = setup(t, 2);
  subscriptions.setSymbols(symbols);
  subscriptions.require('list', ['AAPL', 'XOM']);
  tick(1500);
  assert.deepEqual(requests.at(-1), ['AAPL', 'XOM']);
  subscriptions.require('list', ['KO', 'CVX']);
  tick(50);
  assert.deepEqual(requests.at(-1), ['CVX', 'KO']);
  subscriptions.require('chart', ['AAPL']);
  tick(50);
  assert.deepEqual(requests.at(-1), ['*']);
});

test('without required topics nothing changes', (t) => {
  const { subscriptions, requests, tick } = setup(t);
  subscriptions.setSymbols(symbols);
  subscriptions.require('list', ['KO']);
  tick(1500);
  subscriptions.require('list', []);
  subscriptions.require('chart', ['NOPE']);
  tick(10_000);
  assert.deepEqual(requests, [['KO']]);
});

test('a refusal falls back to all topics', async (t) => {
  const { subscriptions, requests, host, tick } = setup(t);
  host.refuse = 'KO';
  subscriptions.setSymbols(symbols);
  subscriptions.require('list', ['KO']);
  tick(1500);
  await new Promise((r) => setImmediate(r));
  assert.deepEqual(requests, [['KO'], ['*']]);
});

test("has reports the stream's symbols, and listeners are called on a change", (t) => {
  const { subscriptions } = setup(t);
  let calls = 0;
  subscriptions.on(() => { calls++; });
  assert.equal(subscriptions.has('KO'), true, 'a stream starts with all topics');
  subscriptions.setSymbols(symbols);
  subscriptions.confirm(['sector:energy', 'AAPL']);
  assert.deepEqual(symbols.map((s) => subscriptions.has(s.symbol)), [true, false, true, true, false]);
  subscriptions.confirm(['*']);
  assert.equal(subscriptions.has('KO'), true);
  assert.equal(calls, 2);
});

test('topics unknown to a restarted server are not requested until it knows them again', (t) => {
  const { subscriptions, requests, tick } = setup(t);
  subscriptions.setSymbols(symbols);
  subscriptions.require('list', ['AAPL', 'KO']);
  tick(1500);
  assert.deepEqual(requests, [['AAPL', 'KO']]);
  subscriptions.setSymbols(symbols.filter((s) => s.symbol !== 'KO'));
  assert.ok(!subscriptions.knows('KO') && subscriptions.knows('AAPL') && subscriptions.knows('sector:energy') && !subscriptions.knows('sector:staples'));
  tick(10_000);
  assert.equal(requests.length, 1, 'the feed has dropped it, too');
  subscriptions.require('chart', ['XOM']);
  tick(50);
  assert.deepEqual(requests.at(-1), ['AAPL', 'XOM']);
  subscriptions.setSymbols(symbols);
  tick(50);
  assert.deepEqual(requests.at(-1), ['AAPL', 'XOM', 'KO']);
});
