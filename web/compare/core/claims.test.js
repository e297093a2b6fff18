import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { claims } from './claims.js';
import { connectorFiles, connectorLines, countLines } from './connectorLines.js';
import { parse } from './setup.js';
import { cut, probe, row, sample, topicTimes } from '../test/samples.js';

/** @typedef {import('./types.js').Evidence} Evidence */
/** @typedef {import('./types.js').Claim} Claim */

/** @param {Partial<Evidence>} [e] @returns {Record<string, Claim>} */
const judge = (e = {}) =>
  Object.fromEntries(claims({ result: sample(), drills: [], topicTimes: null, probe: null, ...e }).map((c) => [c.id, c]));

/** A run that has only begun. */
function young() {
  const r = sample();
  for (const s of r.sides) Object.assign(s, { ticks: 10, messages: 10, latency: { ...s.latency, count: 10 }, bytes: { ...s.bytes, ticks: 5 } });
  Object.assign(r.pairs, { count: 10 });
  r.pairs.typical.error = NaN;
  r.noise.value = NaN;
  r.look = null;
  return r;
}

test('without data there is no verdict, and every claim names an action', () => {
  const all = Object.values(judge({ result: young() })).filter((c) => c.id !== 'by-hand'); // which needs no measurement
  assert.ok(all.length >= 12);
  for (const c of all) {
    assert.equal(c.verdict, 'not measured yet', c.id);
    assert.ok(c.press.length > 2, c.id);
  }
});

test('low-latency: no difference within the noise, otherwise the faster lane', () => {
  assert.equal(judge()['low-latency']?.verdict, 'no difference');
  const r = sample();
  Object.assign(r.pairs.typical, { value: 2, error: 0.1 });
  r.noise.value = 0.1;
  assert.deepEqual([judge({ result: r })['low-latency']?.verdict, judge({ result: r })['low-latency']?.measured], ['depends', 'WebSocket is faster by 2.0 ms ± 0.1']);
  r.pairs.typical.value = -2;
  assert.equal(judge({ result: r })['low-latency']?.verdict, 'holds');
  r.sound = false;
  assert.equal(judge({ result: r })['low-latency']?.verdict, 'not measured yet', 'not with a stream that lost ticks');
  assert.equal(judge()['real-time']?.verdict, 'holds');
  const slow = sample();
  slow.sides[0].latency.p50 = 900;
  assert.equal(judge({ result: slow })['real-time']?.verdict, 'depends');
});

test('an A/A run has no verdicts that need both lanes', () => {
  const r = sample();
  r.setup = parse('?sides=sse,sse').setup;
  r.sides[1] = { ...r.sides[0], index: 1 };
  for (const id of ['low-latency', 'real-time', 'support', 'binary']) {
    assert.deepEqual([judge({ result: r })[id]?.verdict, judge({ result: r })[id]?.press], ['not measured yet', 'SSE | WS'], id);
  }
});

test('reconnects: the verdict needs a cut and a rejected attempt', () => {
  const gone = row({ drill: '503', stream: 'plain', recoveredMs: null, recoveredBy: 'none', missed: null });
  const only = judge({ drills: cut() }).reconnects;
  assert.deepEqual([only?.verdict, only?.press], ['not measured yet', 'Reply 503']);
  assert.match(only?.measured ?? '', /after a cut in 1\.02/);
  assert.deepEqual(judge({ drills: [gone] }).reconnects?.press, 'Cut');
  const both = judge({ drills: [...cut(), gone] }).reconnects;
  assert.equal(both?.verdict, 'half true');
  assert.equal(both?.measured, 'a plain EventSource recovered after a cut in 1.02\u202fs, after status 503 never');
  assert.equal(judge({ drills: [...cut(), { ...gone, recoveredMs: 900 }] }).reconnects?.verdict, 'holds');
  const dead = cut().map((r) => (r.stream === 'plain' ? { ...r, recoveredMs: null } : r));
  assert.equal(judge({ drills: [...dead, gone] }).reconnects?.verdict, 'no longer true');
});

test('latency claims stay open with an injected delay, a wide error or without an A/A run', () => {
  const of = (/** @type {Partial<import('./types.js').Result>} */ patch, id = 'low-latency') => {
    const c = judge({ result: { ...sample(), ...patch } })[id];
    return [c?.verdict, c?.press];
  };
  for (const id of ['low-latency', 'real-time']) {
    assert.deepEqual(of({ setup: parse('?delay=0,2').setup }, id), ['not measured yet', 'remove the injected delay']);
    assert.deepEqual(of({ setup: parse('?engine=shard,').setup }, id), ['not measured yet', 'use the same engine on both lanes']);
    assert.deepEqual(of({ setup: parse('?engine=,stream').setup }, id)[1] === 'use the same engine on both lanes', false, 'the default engine by name');
    assert.deepEqual(of({ setup: parse('?compress=on,').setup }, id), ['not measured yet', 'use the same compression on both lanes']);
  }
  const wide = { typical: { value: 0.1, error: 3 }, measuredMs: 15_000, pairs: 900 };
  assert.deepEqual(of({ look: { ...wide, noise: { value: 3, from: 'interval' } } }), ['not measured yet', 'measure longer']);
  assert.deepEqual(of({ look: { ...wide, noise: { value: 100, from: 'phase' } } }), ['not measured yet', 'set the interval to none']);
  const apart = { ...wide, typical: { value: 2, error: 0.1 }, noise: { value: 0.1, from: /** @type {const} */ ('interval') } };
  assert.deepEqual(of({ look: apart, aa: null }), ['not measured yet', 'SSE | SSE']);
  assert.deepEqual(of({ look: apart }), ['depends', '']);
});

test('by-hand: the verdict follows from the API, in an A/A run too', () => {
  const r = sample();
  r.setup = parse('?sides=sse,sse').setup;
  const c = judge({ result: r })['by-hand'];
  assert.deepEqual([c?.verdict, c?.press], ['holds', '']);
  assert.match(c?.measured ?? '', /^the WebSocket API has no reconnect/);
});

test('the newest drill of a kind is used', () => {
  const old = row({ drill: 'cut', stream: 'b', recoveredMs: 9_000 });
  const c = judge({ drills: [old, ...cut()] })['by-hand'];
  assert.equal(c?.verdict, 'holds');
  assert.match(c?.measured ?? '', /recovered in 0\.38/);
});

test('one-way and two-way rest on measured times', () => {
  const j = judge({ topicTimes: topicTimes() });
  assert.deepEqual([j['one-way']?.verdict, j['two-way']?.verdict], ['holds', 'holds']);
  assert.match(j['one-way']?.measured ?? '', /separate POST, 1\.9 ms, or a new stream, 5\.2 ms/);
  assert.match(j['two-way']?.measured ?? '', /in 0\.80 ms; SSE needs a separate POST, 1\.9 ms/);
  const failed = judge({ topicTimes: { ...topicTimes(), post: NaN, command: NaN } });
  assert.equal(failed['one-way']?.press, 'Measure topics');
  assert.equal(failed['two-way']?.verdict, 'not measured yet');
});

test('plain HTTP, any language, auth and little code rest on the probe', () => {
  const j = judge({ probe: probe() });
  assert.equal(j['plain-http']?.verdict, 'holds');
  assert.match(j['plain-http']?.measured ?? '', /200, text\/event-stream, over http\/1\.1/);
  assert.equal(j['any-language']?.verdict, 'holds');
  assert.equal(j.auth?.verdict, 'half true');
  assert.equal(judge({ probe: { ...probe(), headers: true } }).auth?.verdict, 'holds');
  assert.equal(j['little-code']?.verdict, 'half true', 'fewer lines on the smallest page, as many with resume');
  assert.match(j['little-code']?.measured ?? '', /SSE 20 lines, WebSocket 33/);
  assert.equal(judge({ probe: { ...probe(), lines: { sse: 30, ws: 33 } } })['little-code']?.verdict, 'no difference');
  assert.equal(judge({ probe: { ...probe(), lines: { sse: NaN, ws: 33 } } })['little-code']?.verdict, 'not measured yet');
  const html = { ...probe(), plain: { status: 200, type: 'text/html', protocol: '', ticks: 0, accelBuffering: '' } };
  assert.equal(judge({ probe: html })['plain-http']?.verdict, 'no longer true');
  assert.equal(judge({ probe: html })['any-language']?.verdict, 'not measured yet');
});

test('proxies: rests on the buffer drill', () => {
  const held = row({ drill: 'buffer', stream: 'a', recoveredBy: 'not needed', recoveredMs: 5_020 });
  const c = judge({ drills: [held], probe: probe() }).proxies;
  assert.equal(c?.verdict, 'depends');
  assert.match(c?.measured ?? '', /the lab’s buffer, which holds a stream for 5 s, .* again after 5\.02\u202fs; this server sends X-Accel-Buffering: no, /);
  assert.equal(judge({ drills: [{ ...held, recoveredMs: null, note: 'no effect seen' }] }).proxies?.verdict, 'not measured yet');
});

test('support: published figures, after both lanes ran here', () => {
  const c = judge().support;
  assert.equal(c?.verdict, 'no longer true');
  assert.match(c?.measured ?? '', /published, not measured here: 97\.40 % and 97\.57 %/);
});

test('binary: needs protobuf messages', () => {
  const j = judge();
  assert.equal(j.binary?.verdict, 'not measured yet');
  assert.equal(j['text-only']?.verdict, 'holds');
  assert.match(j['text-only']?.measured ?? '', /^EventSource delivers only strings/);
  const r = sample();
  r.setup = { ...r.setup, encoding: { a: 'json', b: 'protobuf' } };
  assert.equal(judge({ result: r }).binary?.verdict, 'not measured yet', 'requested, but not measured');
  r.sides[1] = { ...r.sides[1], encoding: 'protobuf', bytes: { ...r.sides[1].bytes, wire: 35 } };
  assert.equal(judge({ result: r }).binary?.verdict, 'holds');
  assert.match(judge({ result: r }).binary?.measured ?? '', /^binary here: 9.110 protobuf messages, 35 B per tick on the wire$/);
  assert.equal(judge({ result: r })['low-latency']?.press, 'use json on both lanes');
  r.sides[1].bytes.ticks = 0;
  assert.equal(judge({ result: r }).binary?.verdict, 'not measured yet', 'no tick yet');
});

test('countLines skips blank lines and comments', () => {
  assert.equal(countLines('// a\n\n/* b\n c */\n/** d */\nlet x = 1; // e\n  /*\n   * f\n   */\nx++;\n'), 2);
});

test('connectorLines matches the files', async () => {
  const lines = async (/** @type {readonly string[]} */ files) => {
    const texts = await Promise.all(files.map((f) => readFile(new URL(`../../lane/${f}`, import.meta.url), 'utf8')));
    return texts.reduce((n, text) => n + countLines(text), 0);
  };
  assert.equal(await lines(connectorFiles.sse), connectorLines.sse, 'core/connectorLines.js: sse');
  assert.equal(await lines(connectorFiles.ws), connectorLines.ws, 'core/connectorLines.js: ws');
  const shared = await lines(connectorFiles.shared);
  assert.ok(Math.abs(shared / connectorLines.shared - 1) < 0.1, `core/connectorLines.js: shared is about ${shared}`);
});
