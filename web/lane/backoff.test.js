import assert from 'node:assert/strict';
import { test } from 'node:test';
import { begin } from '../test/fakeServer.js';

test('the delay has full jitter with a limit that doubles from 1 s to 15 s, and is reset after a stable connection', () => {
  for (const [random, share] of /** @type {const} */ ([[() => 0, 0], [() => 0.999999, 1]])) {
    const { server, feed } = begin({ random });
    server.pump();
    server.answering = false;
    server.conn.cut();
    /** @type {number[]} */
    const waits = [];
    for (let k = 0; k < 7; k++) {
      waits.push(Math.round(((feed.state.retryAt ?? NaN) - server.time) / 10) * 10);
      server.advance((feed.state.retryAt ?? 0) - server.time);
      server.conn.cut();
    }
    assert.deepEqual(waits, [1, 2, 4, 8, 15, 15, 15].map((s) => s * 1000 * share));
    server.answering = true;
    server.advance((feed.state.retryAt ?? 0) - server.time);
    server.pump();
    server.advance(10_000);
    server.conn.cut();
    assert.equal(Math.round(((feed.state.retryAt ?? NaN) - server.time) / 10) * 10, 1000 * share);
  }
});

test('a disconnect right after the hello does not reset the delay', () => {
  const { server, feed } = begin({ random: () => 0.999999 });
  for (let k = 0; k < 5; k++) {
    server.pump();
    server.conn.cut();
    server.advance((feed.state.retryAt ?? 0) - server.time);
  }
  server.pump();
  server.conn.cut();
  assert.equal(Math.round((feed.state.retryAt ?? 0) - server.time), 15_000);
});

test('the reconnect to an overloaded server waits for its retry', () => {
  const { server, feed, events } = begin({ lane: 'sse' });
  server.conn.send({ T: 'bye', reason: 'overload', retry: 2_000 });
  assert.equal(feed.state.retryAt, server.time + 2_500);
  assert.deepEqual(events, ['Could not connect over SSE: server overloaded']);
  server.advance(2_500);
  server.pump();
  assert.equal(feed.state.name, 'live');
});

test('the loss of a trusted connection starts with the shortest delay', () => {
  const { server, feed } = begin({});
  const wait = () => Number(feed.state.retryAt) - server.time;
  feed.trust(); // nothing is open yet
  server.pump();
  server.conn.cut();
  assert.equal(wait(), 500);
  server.advance(500);
  server.pump();
  server.conn.cut();
  assert.equal(wait(), 1_000, 'lost soon after: the limit doubles');
  server.advance(1_000);
  server.pump();
  feed.trust();
  server.conn.cut();
  assert.equal(wait(), 500);
});
