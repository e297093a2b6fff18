import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from '../../core/setup.js';
import { lack } from '../setupform.js';

const lab = { rate: 100, background: { sse: 0, ws: 0 }, engines: { sse: ['stream', 'shard'], ws: ['stream'] } };

test('what a link asks for and the lab lacks is told; what it has, or nobody asks, is not', () => {
  const of = (/** @type {string} */ link, /** @type {any} */ has = lab) => lack(has, parse(link).setup);
  assert.equal(of('?engine=shard,stream&compress=off'), '');
  assert.equal(of('?engine=stream,shard'), 'This server has no engine shard for WebSocket.');
  assert.equal(of('?engine=stream', { ...lab, engines: { sse: ['shard'], ws: ['stream'] } }), 'This server has no engine stream for SSE.');
  assert.match(of('?compress=off,on'), /compresses no stream/);
  assert.match(of('?compress=on,'), /compresses no stream/);
  assert.equal(of('?compress=on,off', { ...lab, compress: ['off', 'on'] }), '');
  assert.equal(of('?engine=shard&compress=on', null), '', 'without a lab nothing of it is heard, and nothing refused');
});
