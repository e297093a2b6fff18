import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from '../core/setup.js';
import { missing, topicProblem } from './setupForm.js';

const lab = { rate: 100, background: { sse: 0, ws: 0 }, engines: { sse: ['stream'], ws: ['stream'] } };

test('options that the lab does not offer are reported', () => {
  const of = (/** @type {string} */ link, /** @type {any} */ has = lab) => missing(has, parse(link).setup);
  assert.equal(of('?engine=stream,stream&compress=off'), '');
  assert.equal(of('?engine=stream,shard'), 'This server does not offer engine shard for WebSocket.');
  assert.equal(of('?sides=sse,sse&engine=shard'), 'This server does not offer engine shard for SSE.');
  assert.match(of('?compress=off,on'), /Compression is disabled/);
  assert.match(of('?compress=on,'), /Compression is disabled/);
  assert.equal(of('?compress=on,off', { ...lab, compress: ['off', 'on'] }), '');
  assert.equal(of('?engine=shard&compress=on', null), '', 'nothing without a lab');
});

test('topics that the server rejects are named in a sentence of the page', () => {
  const of = (/** @type {number} */ status, /** @type {string} */ message) => topicProblem({ status, message });
  assert.equal(of(400, 'topics: unknown topic "X": want a symbol ("AAPL"), a sector ("sector:technology") or "*"; /api/symbols lists all.'), 'Unknown here: X.');
  assert.equal(of(403, 'topics: no right to read the topics "MSFT", "X": /api/symbols lists what you may read, and "*" stands for all of it.'), 'Not covered by your access, or unknown here: MSFT, X.');
  assert.equal(of(400, 'topics: 600 topics; want at most 512.'), 'The server rejected these topics. Check their names and number.');
  for (const status of [0, 401, 429, 503]) assert.equal(of(status, 'something "else"'), '', 'not about the topics');
  assert.equal(topicProblem(new TypeError('Failed to fetch')), '');
});
