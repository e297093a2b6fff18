import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Feed } from './feed.js';
import { begin, settled, sound, FakeServer } from '../test/fakeServer.js';

for (const lane of /** @type {const} */ (['sse', 'ws'])) {
  test(`${lane}: starts with a snapshot and continues without gaps`, () => {
    const { server, feed, seen, events, states } = begin({ lane, user: 'ann', topics: ['*'] });
    assert.equal(feed.state.name, 'connecting');
    assert.equal(feed.position, undefined);
    assert.equal(server.conn.url.pathname, `/${lane}/subscribe`);
    assert.deepEqual(Object.fromEntries(server.conn.url.searchParams), { user: 'ann', topics: '*', mode: 'all' });
    server.pump();
    assert.equal(feed.position, 'a1-3');
    assert.equal(feed.conn, 'c1');
    server.tick('AAPL');
    server.tick('MSFT');
    server.pump();
    assert.deepEqual(seen, [4, 5]);
    assert.equal(feed.position, 'a1-5');
    assert.deepEqual(states, ['connecting', 'live']);
    assert.deepEqual(events, ['Snapshot of 3 symbols, live from 3']);
    assert.equal(feed.counters.ticks, 2);
    assert.equal(feed.counters.messages, 4);
    sound(feed);
  });

  test(`${lane}: resumes after a disconnect and reports the replayed ticks`, () => {
    const { server, feed, seen, events } = begin({ lane });
    server.pump();
    server.conn.cut();
    assert.equal(feed.state.name, 'waiting');
    assert.equal(feed.state.retryAt, server.time + 500, 'half of the first limit');
    for (let k = 0; k < 4; k++) server.tick('NVDA');
    server.advance(499);
    assert.equal(feed.state.name, 'waiting');
    server.advance(1);
    assert.equal(server.conn.from, 'a1-3');
    server.pump();
    assert.deepEqual(seen, [4, 5, 6, 7]);
    assert.deepEqual(events.slice(1), ['Connection lost', 'Reconnected in 0.50\u202fs, 4 ticks replayed']);
    assert.equal(feed.counters.reconnects, 1);
    assert.equal(feed.counters.replayed, 4);
    sound(feed);
  });

  test(`${lane}: closes a connection after 2.5 heartbeat intervals without a message`, () => {
    const { server, feed, events } = begin({ lane });
    server.pump();
    server.advance(30_000);
    server.conn.send({ T: 'hb', t: server.time * 1000, head: 3 });
    server.advance(37_499);
    assert.equal(feed.state.name, 'live');
    const dead = server.conn;
    server.advance(1);
    assert.equal(feed.state.name, 'waiting');
    assert.equal(dead.open, false, 'the silent connection is closed');
    assert.equal(events.at(-1), 'Connection lost: no data received');
    server.advance(500);
    server.pump();
    assert.equal(feed.state.name, 'live');
    sound(feed);
  });

  test(`${lane}: a page that was suspended handles queued messages before it closes the connection`, () => {
    const { server, feed, events } = begin({ lane });
    server.pump();
    const held = () => {
      server.time += 60_000;
      server.advance(0); // the timer runs first
    };
    held();
    server.tick('AAPL');
    server.pump();
    server.advance(7_500);
    assert.equal(feed.state.name, 'live');
    held();
    assert.equal(feed.state.name, 'live');
    server.advance(7_500);
    assert.equal(feed.state.name, 'waiting', 'no message was queued');
    assert.equal(events.at(-1), 'Connection lost: no data received');
  });

  test(`${lane}: a slow replay of all topics is reported when it is complete`, () => {
    const { server, feed, events } = begin({ lane });
    server.pump();
    server.conn.cut();
    for (let k = 0; k < 4; k++) server.tick('NVDA');
    server.advance(500);
    server.conn.pump(1);
    assert.equal(feed.state.name, 'live');
    server.advance(10_000);
    assert.equal(events.at(-1), 'Connection lost');
    server.pump();
    assert.equal(events.at(-1), 'Reconnected in 0.50\u202fs, 4 ticks replayed');
    sound(feed);
  });

  test(`${lane}: a gap is reported with its count, and the snapshot resets the position`, () => {
    const { server, feed, seen, events } = begin({ lane });
    server.pump();
    server.conn.cut();
    for (let k = 0; k < 1204; k++) server.tick('AAPL');
    server.oldest = 1000;
    server.advance(500);
    server.pump();
    server.tick('AAPL');
    server.pump();
    assert.deepEqual(seen, [1208]);
    assert.equal(events.at(-1), 'Missed 1\u202f204 ticks (position expired); snapshot received');
    assert.equal(feed.counters.gaps, 1);
    assert.equal(feed.counters.missed, 1204);
    sound(feed);
  });

  test(`${lane}: disconnected between gap and snapshot, it resumes from before the gap`, () => {
    const { server, feed } = begin({ lane });
    server.pump();
    server.conn.cut();
    for (let k = 0; k < 50; k++) server.tick('AAPL');
    server.oldest = 40;
    server.advance(500);
    server.conn.pump(2); // hello, gap
    assert.equal(feed.position, 'a1-3');
    server.conn.cut();
    server.advance(5_000);
    assert.equal(server.conn.from, 'a1-3');
    server.pump();
    assert.equal(feed.position, 'a1-53');
    assert.equal(feed.counters.missed, 50, 'counted once');
    sound(feed);
  });

  test(`${lane}: a restarted server causes a reset`, () => {
    const { server, feed, seen, events } = begin({ lane });
    server.tick('AAPL');
    server.pump();
    server.restart('b2');
    server.tick('AAPL');
    server.advance(500);
    server.pump();
    server.tick('AAPL');
    server.pump();
    assert.deepEqual(server.resumes, ['none', 'reset']);
    assert.equal(feed.position, 'b2-2');
    assert.equal(feed.counters.resets, 1);
    assert.deepEqual(seen, [2]);
    assert.equal(events.at(-1), 'Sequence reset; snapshot of 1 symbol');
    sound(feed);
  });

  test(`${lane}: drops and counts a duplicate tick`, () => {
    const { server, feed, seen } = begin({ lane });
    server.pump();
    server.tick('AAPL');
    server.pump();
    server.conn.pos--;
    server.pump();
    assert.deepEqual(seen, [4]);
    assert.equal(feed.counters.doubled, 1);
  });

  test(`${lane}: counts ticks lost without a gap message, by i for all topics and by n for some`, () => {
    const all = begin({ lane });
    all.server.pump();
    for (let k = 0; k < 3; k++) all.server.tick('AAPL');
    all.server.conn.pos += 2;
    all.server.pump();
    assert.equal(all.feed.counters.lost, 2);
    assert.equal(all.events.at(-1), '2 ticks lost before 6 (no gap reported)');

    const some = begin({ lane, topics: ['AAPL'] });
    some.server.pump();
    for (const s of ['MSFT', 'MSFT', 'AAPL', 'MSFT', 'AAPL']) some.server.tick(s);
    some.server.conn.pump(1);
    sound(some.feed);
    some.server.tick('AAPL');
    some.server.conn.pos = 8;
    some.server.pump();
    assert.deepEqual(some.seen, [6, 9]);
    assert.equal(some.feed.counters.lost, 1);
  });

  test(`${lane}: a final bye ends the feed`, () => {
    const { server, feed, events } = begin({ lane });
    server.pump();
    server.conn.send({ T: 'bye', reason: 'limit', retry: 0 });
    server.advance(60_000);
    assert.equal(feed.state.name, 'ended');
    assert.equal(server.conns.length, 1);
    assert.equal(events.at(-1), 'Stream ended: requested number of ticks reached');
  });

  test(`${lane}: revoked access ends the feed until it is started again`, () => {
    const { server, feed, seen, events } = begin({ lane });
    server.pump();
    server.conn.send({ T: 'bye', reason: 'revoked', retry: 0 });
    server.advance(600_000);
    assert.deepEqual([feed.state.name, feed.state.reason], ['denied', 'revoked']);
    assert.equal(server.conns.length, 1);
    assert.equal(events.at(-1), 'Stream closed: access revoked');
    server.tick('AAPL');
    feed.start();
    server.pump();
    assert.equal(feed.state.name, 'live');
    assert.deepEqual(seen, [4], 'it resumed from its position');
    sound(feed);
  });

  test(`${lane}: expired access is no end: the feed reconnects after the time that the server gave, from its position`, () => {
    const { server, feed, seen } = begin({ lane });
    server.pump();
    server.conn.send({ T: 'bye', reason: 'expired', retry: 2_000 });
    server.tick('AAPL');
    assert.deepEqual([feed.state.name, feed.state.reason], ['waiting', 'expired']);
    server.advance(2_500);
    server.pump();
    assert.deepEqual(seen, [4]);
    sound(feed);
  });

  test(`${lane}: a narrowed "*" has holes in its seqs, which are no losses`, () => {
    const server = new FakeServer();
    server.readable = ['AAPL'];
    const feed = new Feed({ ...server.options, lane });
    feed.start();
    server.pump();
    for (const s of ['AAPL', 'MSFT', 'AAPL', 'MSFT', 'AAPL']) server.tick(s);
    server.pump();
    server.conn.send({ T: 'hb', t: 0, head: 5 });
    assert.equal(feed.counters.ticks, 3);
    sound(feed);
    server.tick('AAPL');
    server.tick('AAPL');
    server.conn.pos = 6;
    server.pump();
    assert.equal(feed.counters.lost, 1, 'a lost tick is still found by its own number');
  });

  test(`${lane}: the bye of a shutdown sets the delay of the reconnect`, () => {
    const { server, feed, events } = begin({ lane });
    server.pump();
    server.conn.send({ T: 'bye', reason: 'shutdown', retry: 4_000 });
    assert.equal(feed.state.retryAt, server.time + 4_500);
    assert.equal(events.at(-1), 'Connection lost: server shutting down');
    server.advance(4_499);
    assert.equal(server.conns.length, 1);
    server.advance(1);
    assert.equal(server.conns.length, 2);
  });

  test(`${lane}: a connection without a hello is closed after 10 s`, () => {
    const { server, feed, events } = begin({ lane });
    server.answering = false;
    server.advance(10_000);
    assert.equal(feed.state.name, 'waiting');
    assert.match(events.at(-1) ?? '', /^Could not connect over/);
  });

  test(`${lane}: changes topics on the open stream; a reconnect requests the new ones`, async () => {
    const { server, feed } = begin({ lane, topics: ['AAPL', 'NVDA'] });
    server.pump();
    const done = feed.setTopics(['AAPL', 'MSFT']);
    for (let k = 0; k < 4; k++) {
      await settled();
      server.pump();
    }
    await done;
    assert.deepEqual(server.conn.topics, ['AAPL', 'MSFT']);
    assert.equal(server.conns.length, 1, 'the stream stays');
    server.tick('MSFT');
    server.tick('NVDA');
    server.pump();
    server.conn.cut();
    server.tick('MSFT');
    server.advance(500);
    assert.equal(server.conn.url.searchParams.get('topics'), 'AAPL,MSFT');
    server.pump();
    assert.equal(feed.counters.ticks, 2);
    sound(feed);
  });

  test(`${lane}: a change larger than the limit of a command is sent as several commands`, async () => {
    const { server, feed } = begin({ lane, topics: ['*'], commandBytes: 128 });
    server.pump();
    const topics = Array.from({ length: 9 }, (_, k) => `SYM${k}`); // 7 bytes each with the comma, of 32
    const done = feed.setTopics(topics);
    /** @type {string[]} */
    const commands = [];
    const take = server.conn.command.bind(server.conn);
    server.conn.command = (c) => {
      commands.push(`${c.action} ${c.topics.length}`);
      return take(c);
    };
    for (let k = 0; k < 4; k++) {
      await settled();
      server.pump();
    }
    await done;
    assert.deepEqual(commands, ['subscribe 4', 'subscribe 4', 'subscribe 1', 'unsubscribe 1']);
    assert.deepEqual(server.conn.topics, topics);
    sound(feed);
  });

  test(`${lane}: topics set while offline are added by a command, so that they get a snapshot`, async () => {
    const { server, feed, events } = begin({ lane, topics: ['AAPL'] });
    /** @type {string[]} */
    const snapshots = [];
    feed.on('message', (m) => m.T === 'snapshot' && snapshots.push(m.quotes.map((q) => q.S).join()));
    server.pump();
    server.conn.cut();
    const done = feed.setTopics(['AAPL', 'MSFT']);
    server.advance(500);
    assert.equal(server.conn.url.searchParams.get('topics'), 'AAPL');
    for (let k = 0; k < 3; k++) {
      server.pump();
      await settled();
    }
    await done;
    assert.deepEqual(snapshots, ['AAPL', 'MSFT']);
    assert.equal(events.at(-1), 'Snapshot of 1 symbol added at 3');
    sound(feed);
  });

  test(`${lane}: disconnected between added topics and their snapshot, it requests them again`, async () => {
    const { server, feed } = begin({ lane, topics: ['AAPL'] });
    server.pump();
    const done = feed.setTopics(['AAPL', 'MSFT']);
    await settled();
    server.conn.pump(1); // the subscription, not the snapshot
    await settled();
    server.conn.cut();
    server.advance(500);
    assert.equal(server.conn.url.searchParams.get('topics'), 'AAPL');
    for (let k = 0; k < 3; k++) {
      server.pump();
      await settled();
    }
    await done;
    assert.deepEqual(server.conn.topics, ['AAPL', 'MSFT']);
    server.conn.cut();
    server.advance(1_000);
    assert.equal(server.conn.url.searchParams.get('topics'), 'AAPL,MSFT');
  });

  test(`${lane}: a server that restarted without a topic accepts the stream once the topic is dropped`, async () => {
    const { server, feed } = begin({ lane, topics: ['AAPL', 'MSFT'] });
    server.pump();
    feed.retainTopics(() => false);
    assert.deepEqual(feed.topics, ['AAPL', 'MSFT'], 'an open stream keeps its topics');
    server.unknown.add('MSFT');
    server.restart('b2');
    for (let k = 0; k < 5; k++) {
      server.advance(15_000);
      await settled();
    }
    assert.equal(server.live.length, 0, 'every try is refused');
    feed.retainTopics((topic) => topic !== 'MSFT');
    server.advance(15_000);
    server.pump();
    await settled();
    assert.equal(feed.state.name, 'live');
    assert.deepEqual([server.conn.topics, feed.topics], [['AAPL'], ['AAPL']]);
    assert.equal(server.resumes.at(-1), 'reset');

    server.unknown.add('AAPL');
    server.restart('c3');
    server.advance(15_000);
    await settled();
    feed.retainTopics((topic) => topic === '*');
    server.advance(15_000);
    server.pump();
    assert.deepEqual(server.conn.topics, ['*'], 'without topics left, all are requested');
    sound(feed);
  });

  test(`${lane}: after a refusal the old topics remain`, async () => {
    const { server, feed, events } = begin({ lane, topics: ['AAPL'] });
    server.pump();
    const done = assert.rejects(feed.setTopics(['NOPE']), { name: 'CommandError', code: 'unknown_topic' });
    await settled();
    server.pump();
    await done;
    assert.deepEqual(feed.topics, ['AAPL']);
    assert.equal(events.at(-1), 'Topics not changed: unknown topic NOPE');
  });
}

test('ws: topics refused for the command rate, by an error without an id, are requested again', async () => {
  const { server, feed } = begin({ lane: 'ws', topics: ['AAPL'] });
  server.pump();
  const { conn } = server;
  const { command } = conn;
  conn.command = () => {
    conn.command = command;
    return { T: 'error', code: 'rate', msg: 'too many messages' };
  };
  const done = feed.setTopics(['AAPL', 'MSFT']);
  await settled();
  server.pump(); // the error
  await settled();
  assert.deepEqual(conn.topics, ['AAPL']);
  server.advance(1_000);
  for (let k = 0; k < 3; k++) {
    server.pump();
    await settled();
  }
  await done;
  assert.deepEqual(conn.topics, ['AAPL', 'MSFT']);
  assert.equal(server.conns.length, 1, 'the stream stays');
  sound(feed);
});

test('a malformed message is counted; a message of an unknown type is ignored', () => {
  const { server, feed, events } = begin();
  server.pump();
  server.conn.send({ T: 'hb' });
  assert.equal(feed.counters.malformed, 1);
  assert.match(events.at(-1) ?? '', /hb: field "t" is not number/);
  const before = events.length;
  const later = begin({ lane: 'ws' });
  later.server.pump();
  later.server.conn.send({ T: 'weather', rain: true });
  assert.equal(later.feed.counters.malformed, 0);
  assert.equal(events.length, before);
});

test('an error thrown by a handler affects neither other handlers nor the feed', (t) => {
  const reported = t.mock.fn();
  globalThis.reportError = reported;
  const { server, feed, seen } = begin();
  feed.on('message', () => {
    throw new Error('a bad view');
  });
  server.pump();
  server.tick('AAPL');
  server.pump();
  assert.deepEqual(seen, [4]);
  assert.equal(reported.mock.callCount(), 3);
  assert.equal(reported.mock.calls[0]?.arguments[0].message, 'a bad view');
});

test('stop keeps the position and start resumes from it', () => {
  const { server, feed, seen } = begin();
  server.pump();
  feed.stop();
  assert.equal(feed.state.name, 'closed');
  assert.equal(server.timers.size, 0, 'no timer is left');
  server.tick('AAPL');
  feed.start();
  server.pump();
  assert.deepEqual(seen, [4]);
  sound(feed);
});

test('a feed can start from a position', () => {
  const server = new FakeServer();
  for (let k = 0; k < 5; k++) server.tick('AAPL');
  const feed = new Feed({ ...server.options, from: 'a1-2' });
  feed.start();
  server.pump();
  assert.equal(feed.counters.ticks, 3);
  assert.throws(() => new Feed({ from: 'A1-2' }), /from: "A1-2" is not a position/);
  assert.throws(() => new Feed({ topics: [] }), /topics: need a list/);
  assert.throws(() => new Feed({ lane: /** @type {any} */ ('tcp') }), /lane: "tcp"/);
});

test("the closed event has the browser's details, and query parameters reach the server", async () => {
  for (const lane of /** @type {const} */ (['sse', 'ws'])) {
    const { server, feed } = begin({ lane, user: 'ann', query: { delay: '2ms', user: 'never' } });
    assert.equal(server.conn.url.searchParams.get('delay'), '2ms');
    assert.equal(server.conn.url.searchParams.get('user'), 'ann');
    /** @type {object[]} */
    const ends = [];
    feed.on('closed', (e) => ends.push(e));
    server.pump();
    server.refusing.add(`${lane} ann`);
    server.conn.cut({ code: 1001 });
    server.advance(500);
    await settled();
    const details = lane === 'sse' ? [{ gaveUp: false }, { gaveUp: true }] : [{ code: 1001 }, { code: 1006 }];
    assert.deepEqual(ends, [
      { lane, reason: 'closed', opened: true, ...details[0] },
      { lane, reason: 'closed', opened: false, ...details[1] },
    ]);
    assert.equal(feed.state.name, 'waiting');
    feed.on('closed', () => feed.stop());
    server.advance(1_000);
    server.pump();
    server.conn.cut();
    server.advance(60_000);
    assert.equal(feed.state.name, 'closed');
    assert.equal(server.live.length, 0, 'a feed stopped by its handler stays stopped');
  }
});
