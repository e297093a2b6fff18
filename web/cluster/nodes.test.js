import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useFormat } from '../model/formats.js';
import { stateOf, summary, troubles } from './nodes.js';

/** @import { ClusterNode, ClusterView } from './types.js' */

useFormat({ numbers: 'space', volume: 'short', tz: 'utc', locale: 'en', units: { s: 's', min: 'min', h: 'h', d: 'd', large: '1000 k M B T' } });

const AT = 1_793_021_400_000_000; // 2026-10-26 13:30:00 UTC

/** @param {Partial<ClusterNode>} [other] @returns {ClusterNode} */
export const node = (other) => ({
  name: 'a', version: '1', address: ':3000', role: 'standby', ready: true, reason: '', started: AT, epoch: 'e', term: 1, head: 10, lag: 0, behind: 0, sse: 1, ws: 2, ticks: 0, bytes: 0,
  read: { p50: 1, p99: 2 }, ack: { p50: 0, p99: 0 }, server: '', connected: true, stale: 0, error: '', state: 'up', reported: AT, self: false, duplicate: false, points: [], ...other,
});

/** @param {ClusterNode[]} nodes @param {Partial<ClusterView>} [other] @returns {ClusterView} */
const view = (nodes, other) => ({ bus: 'nats', self: 'a', connected: true, now: AT, writer: 'a', nodes, changes: [], differences: [], ...other });

const writer = node({ role: 'writer' });

test('the state of a node', () => {
  for (const [other, look, text] of /** @type {[Partial<ClusterNode>, string, string][]} */ ([
    [{}, 'good', 'Ready'],
    [{ stale: AT }, 'warn', 'Stale since 13:30:00'],
    [{ ready: false, reason: 'reading' }, 'warn', 'Reading the log'],
    [{ ready: false, reason: 'stopping' }, 'warn', 'Stopping'],
    [{ connected: false, stale: AT }, 'bad', 'Not connected to NATS'],
    [{ state: 'lost', connected: false }, 'bad', 'No report since 13:30:00'],
    [{ state: 'left', ready: false }, 'gone', 'Stopped at 13:30:00'],
  ])) {
    assert.deepEqual(stateOf(node(other)), { look, text });
  }
});

test('nothing needs attention while all nodes are up to date', () => {
  assert.deepEqual(troubles(view([writer, node({ name: 'b' }), node({ name: 'c', state: 'left', epoch: 'old', version: '0' })])), []);
  assert.equal(summary(view([writer, node({ name: 'b' })])), '2 nodes run, 2 of them without a fault. a runs the feed. Open streams: 6.');
});

test('a node that reports an error is not without a fault', () => {
  assert.match(summary(view([writer, node({ name: 'b', error: 'the log is not written' })])), /^2 nodes run, 1 of them/);
});

test('each trouble is a sentence, the most urgent first', () => {
  const texts = (/** @type {ClusterView} */ v) => troubles(v).map((trouble) => [trouble.text, trouble.english ?? ''].join(' ').trim());
  assert.deepEqual(texts(view([writer, node({ name: 'b', state: 'lost' })])), ['No report for 5 seconds from b: failed, stopped, or without NATS.']);
  assert.match(String(texts(view([node()], { writer: '' }))), /^No node runs the feed, so/);
  assert.match(String(texts(view([node({ role: 'reader' })], { writer: '' }))), /and none may/);
  assert.deepEqual(texts(view([node({ connected: false }), node({ name: 'b', state: 'lost' })], { connected: false, writer: '' })).map((s) => s.slice(0, 20)), ['a has lost its conne']);
  assert.match(String(texts(view([writer, node({ name: 'b', epoch: 'f' }), node({ name: 'c' })]))), /have 2 epochs\. Not yet in that of the writer: b\./);
  assert.match(String(texts(view([writer, node({ name: 'b', duplicate: true }), node({ name: 'b', duplicate: true })]))), /have the name b\./);
  assert.match(String(texts(view([writer, node({ name: 'b', stale: AT }), node({ name: 'c', stale: AT + 9e6 })]))), /^b, c may not .* since 13:30:00\.$/);
  assert.match(String(texts(view([writer, node({ name: 'b', version: '2' })]))), /2 different versions/);
});

test('without a writer the reason is that of this node, or else of another one that may run the feed', () => {
  const reader = node({ name: 'r', role: 'reader', error: 'x' });
  const b = node({ name: 'b', error: 'the store is full' });
  const here = node({ name: 'c', self: true, error: 'NATS doesn’t store' });
  assert.deepEqual(troubles(view([reader, b], { writer: '' })), [{ text: 'No node runs the feed, so there are no new ticks. b reports:', english: 'the store is full' }]);
  assert.deepEqual(troubles(view([reader, b, here], { writer: '' })), [{ text: 'No node runs the feed, so there are no new ticks. c reports:', english: 'NATS doesn’t store' }]);
});

test('a setting that differs is shown with all values and nodes, a secret with the nodes', () => {
  const topics = { setting: 'limits.topics', here: '1', node: 'b', there: '2', effect: 'it is refused' };
  const path = { setting: 'server.base_path', here: '', node: 'b', there: '/q', effect: 'links differ' };
  const tokens = { setting: 'auth.tokens', here: '', node: 'b', there: '', effect: 'sessions are refused' };
  const differences = [topics, { ...topics, node: 'c', there: '3' }, { ...topics, node: 'd' }, path, tokens, { ...tokens, node: 'c' }];
  assert.deepEqual(troubles(view([writer], { differences })), [
    { text: 'limits.topics isn’t the same on all nodes (1 on a; 2 on b, d; 3 on c):', english: 'it is refused' },
    { text: 'server.base_path isn’t the same on all nodes (empty on a; /q on b):', english: 'links differ' },
    { text: 'auth.tokens on a isn’t the same as on b, c:', english: 'sessions are refused' },
  ]);
});
