import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaults, format, isAA, noiseKey, pace, parse, query, sideNames } from './setup.js';

/** @typedef {import('./types.js').Setup} Setup */

test('the default setup needs no query', () => {
  assert.deepEqual(parse(''), { setup: defaults(), problems: [] });
  assert.equal(format(defaults()), '');
});

test('a link reproduces any setup', () => {
  /** @type {Setup} */
  const setup = {
    topics: ['AAPL', 'sector:technology', 'BRK.B'], mode: 'latest', interval: 250, encoding: { a: 'json', b: 'json' }, compress: { a: 'on', b: 'off' },
    engine: { a: 'shard', b: 'stream' }, sides: ['sse', 'ws'], rate: 0.5, background: { sse: 500, ws: 0 }, delay: { a: 0, b: 2.5 },
  };
  const link = format(setup);
  assert.equal(
    link,
    '?topics=AAPL,sector:technology,BRK.B&mode=latest&interval=250&compress=on,off&engine=shard,stream&rate=0.5&background=500,0&delay=0,2.5',
  );
  assert.deepEqual(parse(link), { setup, problems: [] });
  for (const sides of /** @type {Setup['sides'][]} */ ([['sse', 'sse'], ['ws', 'ws']])) {
    const aa = { ...defaults(), sides };
    assert.deepEqual(parse(format(aa)), { setup: aa, problems: [] });
  }
  const still = { ...defaults(), background: { sse: 0, ws: 0 }, interval: 0 };
  assert.deepEqual(parse(format(still)).setup, still);
});

test('a single value applies to both sides', () => {
  assert.deepEqual(parse('?delay=2').setup.delay, { a: 2, b: 2 });
  assert.deepEqual(parse('?engine=stream').setup.engine, { a: 'stream', b: 'stream' });
  assert.deepEqual(parse('?background=20').setup.background, { sse: 20, ws: 20 });
  assert.deepEqual(parse('?topics=A,A,%20B').setup.topics, ['A', 'B']);
});

for (const [search, key] of [
  ['topics=', 'topics'],
  ['topics=A,,B', 'topics'],
  ['topics=A%0AB', 'topics'],
  [`topics=${'A,'.repeat(60)}${Array.from({ length: 51 }, (_, k) => `S${k}`)}`, 'topics'],
  ['mode=some', 'mode'],
  ['interval=-1', 'interval'],
  ['interval=5001', 'interval'],
  ['interval=1e3', 'interval'],
  ['encoding=xml', 'encoding'],
  ['compress=maybe', 'compress'],
  ['compress=on,off,on', 'compress'],
  ['encoding=protobuf,json', 'encoding'],
  ['encoding=json,json,json', 'encoding'],
  ['engine=turbo', 'engine'],
  ['engine=body', 'engine'],
  ['engine=stream,stream,stream', 'engine'],
  ['sides=ws,sse', 'sides'],
  ['sides=sse', 'sides'],
  ['rate=0', 'rate'],
  ['rate=1000001', 'rate'],
  ['rate=NaN', 'rate'],
  ['background=2001', 'background'],
  ['background=1.5', 'background'],
  ['background=1,2,3', 'background'],
  ['delay=1001', 'delay'],
  ['delay=,', 'delay'],
]) {
  test(`${String(search).slice(0, 30)} falls back to the default with a problem`, () => {
    const { setup, problems } = parse(`?${search}`);
    assert.deepEqual(setup, defaults());
    assert.equal(problems.length, 1, problems.join());
    assert.match(problems[0] ?? '', new RegExp(`^${key}: “.*” is not valid; use `, 's'));
    assert.ok((problems[0] ?? '').length < 200);
  });
}

test('names and queries of sides', () => {
  const setup = parse('?engine=shard,stream&delay=0,2').setup;
  assert.deepEqual(sideNames(setup), ['SSE shard', 'WebSocket stream']);
  assert.deepEqual(query(setup, 0), { engine: 'shard' });
  assert.deepEqual(query(setup, 1), { engine: 'stream', delay: '2ms' });
  assert.equal(isAA(setup), false);
  const aa = parse('?sides=ws,ws').setup;
  assert.deepEqual(sideNames(aa), ['WebSocket A', 'WebSocket B']);
  assert.deepEqual(query(aa, 0), {});
  assert.ok(isAA(aa));
  const names = (/** @type {string} */ search) => [isAA(parse(search).setup), ...sideNames(parse(search).setup)];
  assert.deepEqual(names('?sides=sse,sse&engine=stream,shard'), [false, 'SSE stream', 'SSE shard']);
  assert.deepEqual(names('?sides=sse,sse&engine=,shard&delay=0,2'), [false, 'SSE default +0 ms', 'SSE shard +2 ms']);
  assert.deepEqual(names('?sides=ws,ws&delay=0,2'), [false, 'WebSocket +0 ms', 'WebSocket +2 ms']);
  assert.deepEqual(names('?sides=sse,sse&engine=,stream'), [true, 'SSE A', 'SSE B'], 'stream is the default engine');
  assert.deepEqual(names('?compress=on,off'), [false, 'SSE compressed', 'WebSocket uncompressed']);
  assert.deepEqual(names('?sides=ws,ws&compress=on,off'), [false, 'WebSocket compressed', 'WebSocket uncompressed']);
  assert.deepEqual(names('?sides=ws,ws&compress=on'), [true, 'WebSocket A', 'WebSocket B']);
  assert.deepEqual(names('?engine=stream,shard&encoding=json,protobuf'), [false, 'SSE stream', 'WebSocket shard protobuf']);
  assert.deepEqual(parse('?encoding=protobuf').setup.encoding, { a: 'json', b: 'protobuf' }, 'SSE is text');
  assert.deepEqual(names('?sides=ws,ws&encoding=protobuf'), [true, 'WebSocket A', 'WebSocket B']);
  assert.equal(format(parse('?sides=ws,ws&encoding=json,protobuf').setup), '?sides=ws,ws&encoding=json,protobuf');
  assert.deepEqual(names('?engine=stream,shard'), [false, 'SSE stream', 'WebSocket shard']);
  assert.deepEqual(names('?engine=shard'), [false, 'SSE', 'WebSocket']);
  assert.deepEqual(query(parse('?compress=on,').setup, 0), { compress: 'on' });
  assert.deepEqual(query(parse('?compress=on,').setup, 1), {});
  assert.deepEqual(names('?sides=ws,ws&delay=2'), [true, 'WebSocket A', 'WebSocket B']);
  assert.deepEqual(['', '?mode=latest', '?mode=latest&interval=0', '?interval=40'].map((s) => pace(parse(s).setup)), [0, 250, 0, 40]);
});

test('noiseKey ignores the other side and delays', () => {
  const of = (/** @type {string} */ search, /** @type {0 | 1} */ side = 0) => noiseKey(parse(search).setup, side);
  assert.equal(of('?sides=sse,sse'), of(''));
  assert.equal(of('?sides=ws,ws'), of('', 1));
  assert.equal(of('?topics=A,B'), of('?topics=B,A'));
  assert.equal(of('?engine=stream,shard&compress=,on'), of(''), 'the default engine by name');
  assert.equal(of('?engine=,stream&delay=0,2'), of(''), "the other side's engine doesn't matter, nor does a delay");
  for (const other of ['?sides=ws,ws', '?mode=latest', '?interval=0', '?topics=A', '?rate=5', '?engine=shard', '?compress=on', '?background=1']) {
    assert.notEqual(of(other), of(''), other);
  }
});
