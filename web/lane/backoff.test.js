import assert from 'node:assert/strict';
import { test } from 'node:test';
import { begin, settled } from '../test/fakeServer.js';

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
  assert.deepEqual(events, ['Could not connect over SSE: server full']);
  server.advance(2_500);
  server.pump();
  assert.equal(feed.state.name, 'live');
  assert.equal(feed.state.reason, undefined);
});

for (const lane of /** @type {const} */ (['sse', 'ws'])) {
  test(`${lane}: a server that stays full is tried at its times only, whatever the user or the network does`, () => {
    const { server, feed } = begin({ lane });
    for (let k = 0; k < 6; k++) {
      const tries = server.conns.length;
      server.conn.send({ T: 'bye', reason: 'overload', retry: 8_000 });
      assert.deepEqual([feed.state.name, feed.state.reason, feed.state.attempt], ['waiting', 'overload', 0]);
      assert.equal(feed.state.retryAt, server.time + 8_500, 'the wait does not grow: the server spreads its clients');
      feed.retry(); // as after the event online
      feed.switchLane(feed.lane === 'sse' ? 'ws' : 'sse');
      server.advance(7_999);
      assert.equal(server.conns.length, tries, 'no try before');
      server.advance(501);
      assert.equal(server.conns.length, tries + 1);
      assert.equal(feed.state.reason, 'overload', 'also while it tries');
    }
    feed.stop();
  });
}

test('a wall clock that is set back by an hour does not prolong the wait for a full server', () => {
  const { server, feed } = begin({});
  server.conn.send({ T: 'bye', reason: 'overload', retry: 8_000 });
  server.shift = -3_600_000;
  feed.retry();
  server.advance(8_000);
  assert.equal(server.conns.length, 2);
});

test("an error status with Retry-After, such as a proxy's 503, is obeyed; one without it is retried as ever", async () => {
  for (const [status, header, wait] of /** @type {const} */ ([[503, '12', 12_500], [429, '3', 3_500], [503, '', 500], [404, '12', 500]])) {
    const { server, feed, events } = begin({ lane: 'sse', fetch: async (_, init) => new Response(init?.method === 'HEAD' ? null : '', { status, headers: header ? { 'Retry-After': header } : {} }) });
    server.conn.cut({ gaveUp: true });
    for (let k = 0; k < 5; k++) await settled();
    assert.equal(Number(feed.state.retryAt) - server.time, wait, `${status} ${header}`);
    assert.equal(feed.state.reason, wait > 500 ? 'unavailable' : 'closed');
    if (wait > 500) assert.deepEqual(events, ['Could not connect over SSE: service unavailable']);
  }
});

test('a change of topics that is refused for the rate of requests is sent again when the server allows it', async () => {
  const { server, feed } = begin({ lane: 'sse', topics: ['AAPL'], fetch: async (...args) => {
    const allowed = server.time >= 1_700_000_007_000;
    return allowed ? server.options.fetch(...args) : new Response('{"title":"Too Many Requests"}', { status: 429, headers: { 'Retry-After': '7' } });
  } });
  server.pump();
  const changed = feed.setTopics(['AAPL', 'MSFT']);
  for (let k = 0; k < 5; k++) await settled();
  server.advance(6_900);
  for (let k = 0; k < 5; k++) await settled();
  assert.deepEqual(server.conn.topics, ['AAPL']);
  server.advance(200);
  await changed;
  assert.deepEqual(server.conn.topics, ['AAPL', 'MSFT']);
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
