import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Feed } from './feed.js';
import { sentence } from './sentences.js';
import { random, FakeServer } from '../test/fakeServer.js';

/** @import { Lane } from '../types.js' */

/** @param {Partial<import('../types.js').FeedOptions>} [options] */
function begin(options = {}) {
  const server = new FakeServer();
  for (const s of ['AAPL', 'MSFT', 'NVDA']) server.tick(s);
  const feed = new Feed({ ...server.options, ...options });
  /** @type {number[]} */
  const seen = [];
  /** @type {string[]} */
  const events = [];
  feed.on('message', (m) => m.T === 'q' && seen.push(m.i));
  feed.on('event', (e) => events.push(sentence(e)));
  feed.start();
  server.pump();
  return { server, feed, seen, events };
}

/** @param {number} a @param {number} b */
const range = (a, b) => Array.from({ length: b - a + 1 }, (_, k) => a + k);

test("the old lane delivers until the new one's hello; ticks that both carry are dropped once", () => {
  const { server, feed, seen, events } = begin({ lane: 'ws' });
  const [old] = server.live;
  feed.switchLane('sse');
  assert.equal(feed.switching, 'sse');
  assert.equal(feed.lane, 'ws');
  const next = server.conn;
  assert.equal(next.from, 'a1-3');
  for (let k = 0; k < 6; k++) server.tick('AAPL');
  old?.pump(4);
  assert.deepEqual(seen, range(4, 7));
  next.pump();
  assert.equal(feed.lane, 'sse');
  assert.equal(feed.switching, null);
  assert.equal(old?.open, false);
  assert.deepEqual(seen, range(4, 9));
  assert.equal(events.at(-1), 'Switched WebSocket → SSE at 7, nothing lost');
  const { overlap, replayed, switches, lost, doubled } = feed.counters;
  assert.deepEqual({ overlap, replayed, switches, lost, doubled }, { overlap: 4, replayed: 2, switches: 1, lost: 0, doubled: 0 });
});

test('a hundred switches under load lose and duplicate nothing', () => {
  const { server, feed, seen } = begin();
  const rnd = random(1);
  for (let k = 0; k < 100; k++) {
    feed.switchLane(feed.lane === 'sse' ? 'ws' : 'sse');
    while (feed.switching) {
      for (let t = 0; t < rnd() * 20; t++) server.tick('MSFT');
      for (const c of server.live) c.pump(Math.floor(rnd() * 12));
    }
    server.advance(50);
  }
  server.pump();
  assert.deepEqual(seen, range(4, server.head));
  assert.equal(feed.counters.switches, 100);
  assert.equal(feed.counters.lost + feed.counters.doubled, 0);
  assert.equal(server.live.length, 1);
});

test('messages of a closed connection are ignored', () => {
  const { server, feed, seen } = begin({ lane: 'ws' });
  const [old] = server.live;
  feed.switchLane('sse');
  server.conn.pump();
  const { messages } = feed.counters;
  server.tick('AAPL');
  old?.send({ ...(old.next() ?? {}) }); // a WebSocket delivers until its closing handshake is done
  old?.broke();
  assert.deepEqual(seen, []);
  assert.equal(feed.counters.messages, messages);
  assert.equal(feed.state.name, 'live');
});

test('when a lane cannot be opened, the old one stays', () => {
  const { server, feed, seen, events } = begin({ lane: 'sse' });
  feed.switchLane('ws');
  server.conn.cut();
  assert.equal(feed.lane, 'sse');
  assert.equal(feed.switching, null);
  assert.equal(events.at(-1), 'Could not open WebSocket; staying on SSE');
  server.tick('AAPL');
  server.pump();
  assert.deepEqual(seen, [4]);
  assert.equal(feed.state.name, 'live');
});

test('when the old lane disconnects during a switch, the new one takes over', () => {
  const { server, feed, seen } = begin({ lane: 'sse' });
  const [old] = server.live;
  feed.switchLane('ws');
  for (let k = 0; k < 5; k++) server.tick('AAPL');
  old?.pump(3);
  old?.cut();
  assert.equal(feed.lane, 'ws');
  assert.equal(feed.state.name, 'connecting');
  server.pump();
  assert.equal(feed.state.name, 'live');
  assert.deepEqual(seen, range(4, 8));
  assert.equal(feed.counters.lost + feed.counters.doubled, 0);
});

test('switching to the lane in use cancels a switch', () => {
  const { server, feed } = begin({ lane: 'sse' });
  feed.switchLane('ws');
  feed.switchLane('sse');
  assert.equal(feed.switching, null);
  assert.equal(server.live.length, 1);
  server.pump();
  assert.equal(feed.lane, 'sse');
  assert.throws(() => feed.switchLane(/** @type {any} */ ('tcp')), /lane: "tcp"/);
});

test('a switch during a reconnect delay tries the other lane at once', () => {
  const { server, feed, seen } = begin({ lane: 'sse' });
  server.conn.cut();
  server.tick('AAPL');
  feed.switchLane('ws');
  assert.equal(feed.lane, 'ws');
  server.pump();
  assert.equal(feed.state.name, 'live');
  assert.deepEqual(seen, [4]);
  server.advance(20_000);
  assert.equal(server.conns.length, 2, 'the pending reconnect is cancelled');
});

test('a switch from an expired position reports the gap after the delivered ticks', () => {
  const { server, feed, seen } = begin({ lane: 'sse' });
  const [old] = server.live;
  feed.switchLane('ws');
  for (let k = 0; k < 20; k++) server.tick('AAPL');
  old?.pump(5); // up to 8
  server.oldest = 15;
  server.pump();
  assert.equal(feed.counters.missed, 0, 'the old lane delivered everything before the new hello');
  server.tick('AAPL');
  server.pump();
  assert.deepEqual(seen, range(4, 24));
  assert.equal(feed.counters.lost + feed.counters.doubled, 0);

  feed.switchLane('sse');
  for (let k = 0; k < 20; k++) server.tick('AAPL');
  server.live[0]?.pump(5); // up to 29
  server.oldest = 40;
  server.conn.pump();
  assert.equal(feed.counters.missed, 44 - 29);
  assert.equal(feed.counters.lost + feed.counters.doubled, 0);
});

for (const topics of [['*'], ['AAPL', 'NVDA']]) {
  test(`1,000 random disconnects and switches of a stream of ${topics} lose and duplicate nothing`, () => {
    const { server, feed, seen } = begin({ topics, random: random(2) });
    const rnd = random(3);
    /** @type {Lane[]} */
    const lanes = ['sse', 'ws'];
    const symbols = ['AAPL', 'MSFT', 'NVDA'];
    for (let cuts = 0; cuts < 1000; ) {
      for (let k = rnd() * 8; k > 0; k--) server.tick(symbols[Math.floor(rnd() * 3)] ?? '');
      for (const c of server.live) c.pump(Math.floor(rnd() * 6));
      if (rnd() < 0.1) feed.switchLane(lanes[Math.floor(rnd() * 2)] ?? 'sse');
      if (rnd() < 0.2) server.live.at(-1)?.send({ T: 'time', received: 1, sent: 2 });
      const victim = server.live[Math.floor(rnd() * server.live.length)];
      if (victim && rnd() < 0.3) {
        victim.cut();
        cuts++;
      }
      server.advance(rnd() * 400);
    }
    for (let k = 0; k < 20; k++) {
      server.advance(1_000);
      server.pump();
    }
    const wanted = server.ticks.filter((k) => k.i > 3 && (topics.includes('*') || topics.includes(k.S))).map((k) => k.i);
    assert.deepEqual(seen, wanted);
    assert.equal(feed.state.name, 'live');
    const { lost, doubled, gaps, resets, malformed } = feed.counters;
    assert.deepEqual({ lost, doubled, gaps, resets, malformed }, { lost: 0, doubled: 0, gaps: 0, resets: 0, malformed: 0 });
    assert.ok(feed.counters.reconnects > 100 && feed.counters.switches > 10, JSON.stringify(feed.counters));
  });
}
