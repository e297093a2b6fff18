import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AutoLane } from './autoLane.js';
import { Feed } from './feed.js';
import { sentence } from './sentences.js';
import { settled, FakeServer } from '../test/fakeServer.js';

/** @import { Lane } from '../types.js' */

/** @param {Lane} lane @param {(server: FakeServer) => void} [before] */
function begin(lane, before = () => {}) {
  const server = new FakeServer();
  for (const s of ['AAPL', 'MSFT', 'NVDA']) server.tick(s);
  before(server);
  const feed = new Feed({ ...server.options, lane, auto: true });
  /** @type {number[]} */
  const seen = [];
  /** @type {string[]} */
  const events = [];
  feed.on('message', (m) => m.T === 'q' && seen.push(m.i));
  feed.on('event', (e) => events.push(sentence(e)));
  feed.start();
  /** @param {number} ms */
  const run = async (ms) => {
    for (let left = ms; left > 0; left -= 500) {
      await settled();
      server.pump();
      server.advance(Math.min(500, left));
      for (const c of server.live) if (c.established && !server.blocked.has(c.lane)) c.send({ T: 'hb', t: 0, head: c.pos });
    }
    await settled();
  };
  return { server, feed, seen, events, run };
}

/** @param {FakeServer} server @param {Lane} lane */
const tries = (server, lane) => server.conns.filter((c) => c.lane === lane).length;

for (const [lane, to, name, toName] of /** @type {[Lane, Lane, string, string][]} */ ([['sse', 'ws', 'SSE', 'WebSocket'], ['ws', 'sse', 'WebSocket', 'SSE']])) {
  test(`${lane} refused: falls back after two tries, and returns to ${lane} when it opens`, async () => {
    const { server, feed, seen, events, run } = begin(lane, (w) => w.blocked.set(lane, 'refused'));
    await run(3_000);
    assert.equal(feed.lane, to);
    assert.equal(feed.state.name, 'live');
    assert.deepEqual(events, [`Could not connect over ${name}: server unreachable`, `No data over ${name}; trying ${toName}`, 'Snapshot of 3 symbols, live from 3']);
    assert.deepEqual({ ...feed.auto?.fallen, retryAt: 0 }, { reason: 'closed', retryAt: 0 });
    server.tick('AAPL');
    await run(5_000);
    assert.equal(events.at(-1), `Could not open ${name}; staying on ${toName}`);
    assert.equal(feed.lane, to);
    server.blocked.clear();
    server.tick('AAPL');
    await run(32_000);
    assert.equal(feed.lane, lane);
    assert.equal(feed.auto?.fallen, null);
    assert.equal(events.at(-1), `Switched ${toName} → ${name} at 5, nothing lost`);
    server.tick('AAPL');
    await run(1_000);
    assert.deepEqual(seen, [4, 5, 6]);
    assert.equal(server.live.length, 1);
    assert.equal(feed.counters.lost + feed.counters.doubled, 0);
  });

  test(`${lane} buffered: falls back after ten seconds without data, and retries at growing intervals`, async () => {
    const { server, feed, events, run } = begin(lane, (w) => w.blocked.set(lane, 'buffered'));
    await run(12_000);
    assert.equal(feed.lane, to);
    assert.deepEqual(events.slice(0, 2), [`Could not connect over ${name}: no data received`, `No data over ${name}: no data received; trying ${toName}`]);
    await run(30 * 60_000);
    assert.equal(feed.state.name, 'live');
    assert.equal(feed.lane, to);
    assert.ok(tries(server, lane) >= 5 && tries(server, lane) <= 8, `${tries(server, lane)} tries in half an hour`);
    assert.equal(tries(server, to), 1, 'the other lane stays connected');
    assert.equal(feed.counters.reconnects, 0);
  });
}

test('a lane that opens and stalls repeatedly is left, and not returned to at every hello', async () => {
  const { server, feed, run } = begin('sse');
  await run(1_000);
  server.blocked.set('sse', 'muted'); // hello and snapshot pass, then nothing
  let flips = 0;
  let last = feed.lane;
  feed.on('state', () => {
    if (feed.lane !== last) flips++;
    last = feed.lane;
  });
  await run(10 * 60_000);
  assert.equal(feed.lane, 'ws');
  assert.ok(flips >= 2 && flips <= 10, `${flips} changes of lanes in ten minutes`);
});

test('an unreachable server does not block a lane: both are tried alternately, one event reports it, and the preferred one soon returns', async () => {
  const { server, feed, events, run } = begin('ws');
  await run(1_000);
  server.blocked.set('sse', 'refused').set('ws', 'refused');
  for (const c of server.live) c.cut();
  await run(60_000);
  const [sse, ws] = [tries(server, 'sse'), tries(server, 'ws')];
  assert.ok(sse >= 2 && ws >= 2 && Math.abs(sse - ws) <= 3, `${sse} and ${ws} tries`);
  assert.equal(events.filter((s) => s.startsWith('No data over')).length, 1, String(events));
  server.blocked.clear();
  await run(25_000);
  assert.equal(feed.state.name, 'live');
  assert.equal(feed.lane, 'ws');
  assert.equal(feed.counters.lost, 0);
});

test('an end by the server does not block a lane', () => {
  const { options } = new FakeServer();
  const auto = new AutoLane('sse', options, () => {});
  for (const reason of ['shutdown', 'slow', 'overload', 'unknown']) assert.equal(auto.ended('sse', { reason, lived: 10, online: true }), 'sse');
  for (let k = 0; k < 5; k++) assert.equal(auto.ended('sse', { reason: 'closed', lived: null, online: false }), 'sse', 'no network');
  for (let k = 0; k < 5; k++) assert.equal(auto.ended('sse', { reason: 'closed', lived: 20_000, online: true }), 'sse', 'ended after a while');
  assert.equal(auto.ended('sse', { reason: 'closed', lived: 20, online: true }), 'sse');
  assert.equal(auto.ended('sse', { reason: 'closed', lived: 20, online: true }), 'ws');
});

test("a minute of uptime clears a lane's failures", () => {
  const { options } = new FakeServer();
  const auto = new AutoLane('sse', options, () => {});
  assert.equal(auto.ended('sse', { reason: 'closed', lived: 20, online: true }), 'sse');
  assert.equal(auto.ended('sse', { reason: 'closed', lived: 60_000, online: true }), 'sse');
  assert.equal(auto.ended('sse', { reason: 'closed', lived: 20, online: true }), 'sse');
  assert.equal(auto.ended('sse', { reason: 'closed', lived: null, online: true }), 'ws');
});

test('a lane chosen by the user has no fallback; auto starts with the lane in use', async () => {
  const { server, feed, run } = begin('ws', (w) => w.blocked.set('ws', 'refused'));
  await run(3_000);
  assert.equal(feed.lane, 'sse');
  feed.setAuto(null);
  assert.deepEqual([feed.auto], [null]);
  const before = server.conns.length;
  await run(60_000);
  assert.equal(server.conns.length, before);
  feed.setAuto(feed.lane);
  assert.deepEqual(feed.auto, { preferred: 'sse', fallen: null });
  feed.setAuto('ws');
  assert.ok(feed.auto?.fallen, 'the preferred lane is tried beside the one in use');
  server.blocked.clear();
  await run(6_000);
  assert.equal(feed.lane, 'ws');
});

test('a page that is put into the back/forward cache tries nothing', async () => {
  const { server, feed, run } = begin('ws', (w) => w.blocked.set('ws', 'refused'));
  await run(3_000);
  feed.stop();
  assert.equal(feed.auto?.fallen, null);
  const before = server.conns.length;
  await run(60_000);
  assert.equal(server.conns.length, before);
});
