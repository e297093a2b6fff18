import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaults, format, isStep, parse, restore } from './urlState.js';

test('an empty address gives the defaults, and vice versa', () => {
  assert.deepEqual(parse(''), defaults);
  assert.equal(format(defaults), '');
});

test('a formatted view is parsed unchanged', () => {
  const view = { symbol: 'BRK.B', interval: '10s', kind: /** @type {const} */ ('line'), charts: 'AAPL:1m,BRK.B:10s:line', lane: /** @type {const} */ ('auto'), prefer: /** @type {const} */ ('ws'), encoding: /** @type {const} */ ('protobuf'), sort: '-change', sector: 'real-estate', q: 'a&b=c é', list: 'MSFT,BRK.B', name: 'Mine, & 我的', listId: 'x7_-', cols: 'age,last', panel: 'trades', trades: 'symbol', least: '50000' };
  assert.deepEqual(parse(format(view)), view);
});

test('several charts are in the address, and the first is focused by default', () => {
  const first = parse('?charts=MSFT:5m:line,AAPL:1m');
  assert.deepEqual([first.symbol, first.interval, first.kind, first.charts], ['MSFT', '5m', 'line', 'MSFT:5m:line,AAPL:1m']);
  const second = parse('?symbol=AAPL&charts=MSFT:5m:line,AAPL:1m');
  assert.deepEqual([second.symbol, second.interval, second.kind], ['AAPL', '1m', 'candles']);
  assert.equal(parse('?charts=A:1m,B:1m,C:1m,D:1m,E:1m').charts, 'A:1m,B:1m,C:1m,D:1m');
  for (const bad of ['AAPL:1m', 'AAPL:9m,MSFT', ',,,', '<b>:1m,x:1m', 'AAPL:1m:pie,MSFT:1m']) assert.deepEqual(parse(`?charts=${encodeURIComponent(bad)}`), defaults, bad);
});

test('symbols with signs are parsed unchanged, also in charts', () => {
  for (const symbol of ['^GSPC', 'EUR/USD', 'ES=F', 'binance:BTC-USDT', '@ES', 'a_b', 'x:1m', 'x:5m:line']) {
    const charts = `${symbol}:1m,${symbol}:5m:line`;
    const view = { ...defaults, symbol, charts, list: `AAPL,${symbol}`, name: 'Mine' };
    assert.deepEqual(parse(format(view)), view, symbol);
    assert.deepEqual(parse(`?charts=${encodeURIComponent(charts)}`).symbol, symbol);
  }
  const long = { ...defaults, symbol: 'A', charts: Array.from({ length: 4 }, (_, k) => `${'x'.repeat(31)}${k}:10s:line`).join() };
  assert.deepEqual(parse(format(long)), long);
});

test('a preferred lane is only valid with auto', () => {
  assert.deepEqual([parse('?lane=auto').lane, parse('?lane=auto').prefer, format({ ...defaults, lane: 'auto' })], ['auto', 'sse', '?lane=auto']);
  assert.deepEqual(parse('?prefer=ws'), defaults);
  assert.equal(parse('?lane=auto&prefer=pigeon').prefer, 'sse');
});

test("trades are of all symbols, of the list or of the chart's symbol", () => {
  for (const trades of ['', 'list', 'symbol']) assert.equal(parse(format({ ...defaults, trades })).trades, trades);
});

test('invalid values become the defaults', () => {
  assert.deepEqual(parse('?symbol=%3Cb%3E&interval=7m&lane=carrier-pigeon&encoding=morse&sort=-shoe&sort=x&cols=shoe,,&panel=shoe&trades=all&least=7'), defaults);
  assert.equal(parse(`?q=${'x'.repeat(500)}`).q.length, 40);
});

test('another symbol, interval, panel or list is a step; what refines the view is not', () => {
  const is = (/** @type {any} */ patch) => isStep({ ...defaults, ...patch }, defaults);
  for (const patch of [{ symbol: 'A' }, { interval: '1h' }, { panel: 'alerts' }, { listId: 'x', list: 'A', name: 'B' }, { name: 'B', list: 'A' }]) assert.equal(is(patch), true, JSON.stringify(patch));
  for (const patch of [{ q: 'a' }, { sort: 'last' }, { sector: 'energy' }, { lane: 'ws' }, { cols: 'age' }, { charts: 'A:1m,B:1m' }, { list: 'A' }, { kind: 'line' }, { trades: 'list' }]) assert.equal(is(patch), false, JSON.stringify(patch));
});

test('an entry of the history restores the view, but neither the lane nor the columns', () => {
  const now = { ...defaults, symbol: 'B', lane: /** @type {const} */ ('ws'), cols: 'age', q: 'x' };
  assert.deepEqual(restore('?symbol=A&panel=alerts&lane=auto&cols=last&encoding=protobuf', now), { ...defaults, symbol: 'A', panel: 'alerts', lane: 'ws', cols: 'age' });
});
