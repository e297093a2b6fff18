import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sentence, sentenceText } from './sentence.js';
import { defaults, parse, sideNames } from './setup.js';
import { cut, row, sample } from '../test/samples.js';

/** @typedef {import('./types.js').Result} Result */

const place = { wall: 1_180_000, local: true };
/** @param {Result} r @param {import('./types.js').DrillRow[]} [drills] */
const text = (r, drills = []) => sentenceText(sentence(r, drills, place));

test('a difference within the noise is none', () => {
  const s = sentence(sample(), [], place);
  assert.equal(s.state, 'ready');
  assert.equal(
    sentenceText(s),
    'On this machine, at 200 ticks/s, neither lane is faster: the same tick arrives 0.02 ms apart (noise ± 0.40 ms). SSE costs 32 % more bytes.',
  );
  assert.deepEqual(s.parts.filter((p) => p.strong).map((p) => [p.text, p.lane]), [
    ['neither lane is faster', undefined], ['SSE', 'sse'], ['32 % more bytes', undefined],
  ]);
  assert.deepEqual(s.small, [
    'Computed from this run', '9\u202f000 paired ticks', 'clock ± 0.30 ms', 'excluded: 11\u202fs hidden',
    'A/A run 3\u202fmin ago: difference 0.01 ms ± 0.03',
  ]);
});

test('a larger one names the faster lane with the error', () => {
  const r = sample();
  Object.assign(r.pairs.typical, { value: 2.04, error: 0.1 });
  r.noise.value = 0.15;
  assert.match(text(r), /ticks\/s, WebSocket is faster by 2\.0 ms ± 0\.1\. SSE costs/);
  r.pairs.typical.value = -2.04;
  assert.match(text(r), /ticks\/s, SSE is faster by 2\.0 ms ± 0\.1\./);
  assert.deepEqual(sentence(r, [], place).parts[1], { text: 'SSE', strong: true, lane: 'sse' });
  r.pairs.typical.value = 0.12; // outside its interval, within the noise of an A/A run
  assert.match(text(r), /neither lane is faster: the same tick arrives 0\.12 ms apart \(noise ± 0\.15 ms\)/);
});

test('an A/A run states the size of noise', () => {
  const r = sample();
  r.setup = parse('?sides=ws,ws').setup;
  r.sides[0] = { ...r.sides[1], index: 0, name: 'WebSocket A' };
  r.sides[1].name = 'WebSocket B';
  assert.equal(
    text(r),
    'On this machine, at 200 ticks/s, both sides are WebSocket: the same tick arrives 0.0 ms ± 0.4 apart. Ignore smaller differences between the lanes.',
  );
  Object.assign(r.pairs.typical, { value: 0.9, error: 0.2 });
  r.noise.value = 0.2;
  assert.match(text(r), /0\.9 ms ± 0\.2 apart, more than chance explains/);
});

test('without enough data it states the remaining time', () => {
  const r = sample();
  Object.assign(r.pairs, { count: 900 });
  r.look = null;
  r.pairs.typical.error = NaN;
  r.noise.value = NaN;
  r.measuredMs = 4_500;
  const s = sentence(r, cut(), place);
  assert.equal(s.state, 'waiting');
  assert.equal(sentenceText(s), 'Measuring: about 11 s more until differences can be separated from noise (900 paired ticks so far).');
  Object.assign(r.pairs, { count: 20 }); // 4 a second: 180 more
  r.measuredMs = 5_000;
  assert.match(text(r), /about 55 s more/, 'at the next look');
  Object.assign(r.pairs, { count: 150 });
  r.pairs.typical.error = 0.1;
  r.look = { typical: r.pairs.typical, noise: r.noise, measuredMs: 30_000, pairs: 150 };
  r.measuredMs = 30_000;
  assert.match(text(r), /about 15 s more/, 'an interval of few pairs is not enough');
  Object.assign(r.pairs, { count: 0 });
  r.pairs.typical.error = NaN;
  assert.match(text(r), /No tick has arrived on both sides yet/);
  r.state = 'connecting';
  assert.match(text(r), /^Connecting/);
  r.state = 'stopped';
  assert.match(text(r), /^Stopped/);
});

test('lost or duplicated ticks invalidate latencies', () => {
  const r = sample();
  r.sound = false;
  r.sides[1].lost = 3;
  const s = sentence(r, [], place);
  assert.equal(s.state, 'void');
  assert.match(sentenceText(s), /^A stream is not intact: WebSocket: 3 lost, 0 duplicated, 0 unreadable\. The latencies of this run are not valid/);
  assert.doesNotMatch(sentenceText(s), /faster/);
});

test('bytes: the side that costs more, none within 0.5 %, nothing without enough data', () => {
  const r = sample();
  Object.assign(r.sides[0].bytes, { wire: 41 });
  Object.assign(r.sides[1].bytes, { wire: 39 });
  assert.match(text(r), /SSE costs 5\.1 % more bytes\.$/);
  r.sides[1].bytes.wire = 157;
  assert.match(text(r), / WebSocket costs 283 % more bytes\.$/);
  r.sides[0].bytes.wire = 156.9;
  assert.match(text(r), / Both cost the same bytes\.$/);
  r.sides[0].bytes.ticks = 20;
  assert.doesNotMatch(text(r), /bytes/);
});

test('after a cut it states how each stream recovered and what was missed', () => {
  assert.match(
    text(sample(), cut()),
    / After a cut, SSE recovered in 0\.41\u202fs through our connector, WebSocket in 0\.38\u202fs through our connector and a plain EventSource in 1\.02\u202fs on its own; no stream lost a tick \(one cut; our connector waits up to 1 s at random\)\.$/,
  );
  const [a, b, plain] = cut();
  assert.ok(a && b && plain);
  assert.match(text(sample(), [a, b, { ...plain, missed: 7 }]), /; 7 ticks were missed \(one cut/);
  assert.match(text(sample(), [a, { ...b, recoveredMs: null, recoveredBy: 'none', missed: null }, plain]), /WebSocket did not recover .*; not every stream recovered \(one cut/);
  assert.doesNotMatch(text(sample(), [row({ drill: 'stall', stream: 'a' })]), /After a cut/);
});

test('footnotes: time left out, timer step, replay', () => {
  const r = sample();
  r.aa = null;
  r.leftOut = { settling: 9_000, hidden: 0, frozen: 3_000, drill: 65_000 };
  r.noise.from = 'timer';
  const small = sentence(r, [], place).small.join(' · ');
  assert.match(small, /timer resolution of this browser: 0\.10 ms · excluded: 3\u202fs frozen, 1\u202fmin in drills · No A\/A run yet\./);
  r.timed = false;
  assert.match(sentence(r, [], place).small.join(' · '), /latency not measured/);
  assert.match(text({ ...r }), /^On this machine/);
  assert.match(sentenceText(sentence(r, [], { ...place, local: false })), /^Over this network, /);
});

test('without an A/A run no lane is called faster', () => {
  const r = sample();
  r.aa = null;
  Object.assign(r.pairs.typical, { value: 0.11, error: 0.03 });
  r.noise.value = 0.03;
  assert.match(text(r), /, WebSocket is 0\.11 ms ± 0\.03 earlier; run A\/A to see whether that is more than noise\./);
  assert.doesNotMatch(text(r), /faster/);
  r.setup = { ...defaults(), delay: { a: 2, b: 0 } };
  assert.match(text(r), /^With 2 ms of delay injected on SSE, on this machine, at .* WebSocket is faster by 0\.11 ms ± 0\.03/, 'not needed with an injected delay');
});

test('the error is the noise where it exceeds the interval, as in the table', () => {
  const r = sample();
  r.aa = null;
  Object.assign(r.pairs.typical, { value: -0.09, error: 0.01 });
  r.noise.value = 0.03;
  assert.match(text(r), /SSE is 0\.09 ms ± 0\.03 earlier/);
});

test('a difference that is shown no larger than its error is none', () => {
  const r = sample();
  Object.assign(r.pairs.typical, { value: 0.14, error: 0.11 });
  r.noise.value = 0.11;
  assert.match(text(r), /neither lane is faster/, '0.1 ± 0.1');
  Object.assign(r.pairs.typical, { value: 0.012, error: 0.001 });
  r.noise.value = 0.005;
  assert.match(text(r), /neither lane is faster/, '0.01 ± 0.01');
});

test('a wide error allows no conclusion', () => {
  const r = sample();
  Object.assign(r.pairs.typical, { value: 0.3, error: 1.4 });
  r.noise.value = 1.4;
  assert.match(text(r), /ticks\/s, differences below 1\.4 ms cannot be measured\. SSE costs/);
  assert.doesNotMatch(text(r), /neither/);
  for (const s of r.sides) s.latency.p50 = 20;
  assert.match(text(r), /neither lane is faster/, '1.4 ms is small compared with 20 ms');
});

test('sides of one lane with different options are compared', () => {
  const r = sample();
  r.setup = parse('?sides=sse,sse&engine=stream,shard').setup;
  r.sides[1] = { ...r.sides[0], index: 1, name: 'SSE shard' };
  r.sides[0].name = 'SSE stream';
  Object.assign(r.pairs.typical, { value: -2.04, error: 0.1 });
  r.noise.value = 0.15;
  assert.match(text(r), /^On this machine, .* SSE stream is faster by 2\.0 ms ± 0\.1\./);
  r.pairs.typical.value = 0.1;
  assert.match(text(r), /neither side is faster/);
  const lanes = sample();
  lanes.setup = parse('?engine=shard,').setup;
  [lanes.sides[0].name, lanes.sides[1].name] = sideNames(lanes.setup);
  assert.match(text(lanes), /^On this machine, at .* neither side is faster: .* SSE shard costs 32 % more bytes/, 'names contain the options');
});
