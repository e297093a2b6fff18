import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandError } from '../lane/command.js';
import { Wanted } from './subscriptions.js';

const symbols = [
  { symbol: 'AAPL', sector: 'technology' }, { symbol: 'MSFT', sector: 'technology' },
  { symbol: 'XOM', sector: 'energy' }, { symbol: 'CVX', sector: 'energy' }, { symbol: 'KO', sector: 'staples' },
];

/** @param {import('node:test').TestContext} t @param {number} [most] */
function setup(t, most = 512) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  /** @type {string[][]} */
  const asked = [];
  const host = { refuse: '' };
  const wanted = new Wanted({
    most,
    set: async (topics) => {
      asked.push(topics);
      if (host.refuse && topics.includes(host.refuse)) throw new CommandError('unknown_topic', 'no such topic');
    },
  });
  return { wanted, asked, host, tick: (/** @type {number} */ ms) => t.mock.timers.tick(ms) };
}

test('nothing is asked for before the server told what it has', (t) => {
  const { wanted, asked, tick } = setup(t);
  wanted.want('list', ['AAPL']);
  tick(10_000);
  assert.deepEqual(asked, []);
  wanted.universe(symbols);
  tick(1499);
  assert.deepEqual(asked, [], 'giving up waits');
  tick(1);
  assert.deepEqual(asked, [['AAPL']]);
});

test('several wishes are one command, their union without doubles', (t) => {
  const { wanted, asked, tick } = setup(t);
  wanted.universe(symbols);
  wanted.want('list', ['MSFT', 'AAPL', 'NOPE', 'sector:none']);
  wanted.want('chart', ['AAPL']);
  wanted.want('alerts', ['KO']);
  tick(1500);
  assert.deepEqual(asked, [['AAPL', 'KO', 'MSFT']]);
});

test('what is missing comes at once, what is left over goes later', (t) => {
  const { wanted, asked, tick } = setup(t);
  wanted.universe(symbols);
  wanted.want('chart', ['AAPL']);
  tick(1500);
  wanted.want('chart', ['MSFT']);
  tick(50);
  assert.deepEqual(asked.at(-1), ['AAPL', 'MSFT']);
  wanted.want('chart', ['KO']);
  tick(50);
  assert.deepEqual(asked.at(-1), ['AAPL', 'MSFT', 'KO']);
  tick(1500);
  assert.deepEqual(asked.at(-1), ['KO']);
  assert.equal(asked.length, 4);
});

test('going back before the others are given up asks for nothing', (t) => {
  const { wanted, asked, tick } = setup(t);
  wanted.universe(symbols);
  wanted.want('list', ['*']);
  wanted.want('list', ['KO']);
  tick(1000);
  wanted.want('list', ['*']);
  tick(10_000);
  assert.deepEqual(asked, []);
});

test('the fewest topics: a sector covers its symbols, "*" everything, and all of them together are "*"', (t) => {
  const { wanted, asked, tick } = setup(t);
  wanted.universe(symbols);
  wanted.want('list', ['sector:technology']);
  wanted.want('chart', ['AAPL']);
  tick(1500);
  assert.deepEqual(asked.at(-1), ['sector:technology']);
  wanted.want('chart', ['XOM']);
  tick(50);
  assert.deepEqual(asked.at(-1), ['sector:technology', 'XOM']);
  wanted.want('alerts', ['sector:energy', 'KO']);
  tick(50);
  tick(1500);
  assert.deepEqual(asked.at(-1), ['*']);
  wanted.want('alerts', []);
  tick(1500);
  assert.deepEqual(asked.at(-1), ['XOM', 'sector:technology']);
  wanted.want('heatmap', ['*']);
  tick(50);
  assert.deepEqual(asked.at(-1), ['*']);
});

test('more than the server allows is everything; a union that is too large only for a while is not held', (t) => {
  const { wanted, asked, tick } = setup(t, 2);
  wanted.universe(symbols);
  wanted.want('list', ['AAPL', 'XOM']);
  tick(1500);
  assert.deepEqual(asked.at(-1), ['AAPL', 'XOM']);
  wanted.want('list', ['KO', 'CVX']);
  tick(50);
  assert.deepEqual(asked.at(-1), ['CVX', 'KO']);
  wanted.want('chart', ['AAPL']);
  tick(50);
  assert.deepEqual(asked.at(-1), ['*']);
});

test('nothing wanted leaves the topics as they are', (t) => {
  const { wanted, asked, tick } = setup(t);
  wanted.universe(symbols);
  wanted.want('list', ['KO']);
  tick(1500);
  wanted.want('list', []);
  wanted.want('chart', ['NOPE']);
  tick(10_000);
  assert.deepEqual(asked, [['KO']]);
});

test('a refusal falls back to everything', async (t) => {
  const { wanted, asked, host, tick } = setup(t);
  host.refuse = 'KO';
  wanted.universe(symbols);
  wanted.want('list', ['KO']);
  tick(1500);
  await new Promise((r) => setImmediate(r));
  assert.deepEqual(asked, [['KO'], ['*']]);
});

test('it knows which symbols the stream brings, and tells when that changes', (t) => {
  const { wanted } = setup(t);
  let told = 0;
  wanted.on(() => { told++; });
  assert.equal(wanted.has('KO'), true, 'a stream begins with everything');
  wanted.universe(symbols);
  wanted.told(['sector:energy', 'AAPL']);
  assert.deepEqual(symbols.map((s) => wanted.has(s.symbol)), [true, false, true, true, false]);
  wanted.told(['*']);
  assert.equal(wanted.has('KO'), true);
  assert.equal(told, 2);
});

test('what a server that came back lacks is asked for no more, and comes again with it', (t) => {
  const { wanted, asked, tick } = setup(t);
  wanted.universe(symbols);
  wanted.want('list', ['AAPL', 'KO']);
  tick(1500);
  assert.deepEqual(asked, [['AAPL', 'KO']]);
  wanted.universe(symbols.filter((s) => s.symbol !== 'KO'));
  assert.ok(!wanted.knows('KO') && wanted.knows('AAPL') && wanted.knows('sector:energy') && !wanted.knows('sector:staples'));
  tick(10_000);
  assert.equal(asked.length, 1, 'the feed dropped it, too');
  wanted.want('chart', ['XOM']);
  tick(50);
  assert.deepEqual(asked.at(-1), ['AAPL', 'XOM']);
  wanted.universe(symbols);
  tick(50);
  assert.deepEqual(asked.at(-1), ['AAPL', 'XOM', 'KO']);
});
