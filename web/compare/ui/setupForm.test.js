import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from '../core/setup.js';
import { missing } from './setupForm.js';

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
