// The shared connection of the tabs when events happen in an unusual order.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Feed } from '../feed.js';
import { SharedConnections } from '../sharedConnections.js';
import { Hub } from './hub.js';
import { FakeBrowser, range, sound } from '../../test/fakeBrowser.js';
import { settled } from '../../test/fakeServer.js';

/** @param {import('../feed.js').Feed} feed @returns {any[]} its snapshots */
function snapshots(feed) {
  /** @type {any[]} */
  const all = [];
  feed.on('message', (m) => m.T === 'snapshot' && all.push(m));
  return all;
}

/** @param {any} snapshot */
const days = (snapshot) => snapshot?.quotes.map((/** @type {any} */ q) => [q.S, q.n, q.o, q.h, q.l, q.c]);

for (const [lane, other] of /** @type {const} */ ([['sse', 'ws'], ['ws', 'sse']])) {
  test(`${lane}: a connection opened by a lane switch has a complete snapshot for the next tab`, async () => {
    const b = new FakeBrowser();
    const one = b.tab({ lane: other });
    await b.run();
    one.feed.switchLane(lane);
    await b.run();
    assert.equal(one.feed.lane, lane);
    b.ticks(2, 'MSFT');
    await b.run();
    const fetched = () => b.server.fetched.filter((path) => path !== '/api/symbols');
    assert.deepEqual(fetched(), [], 'no tab needs a snapshot yet');
    const two = b.tab({ lane });
    const seen = snapshots(two.feed);
    await b.run();
    b.ticks(3);
    await b.run();
    assert.deepEqual(days(seen[0]).sort(), [['AAPL', 1, 9, 99, 8, 10], ['MSFT', 3, 9, 99, 8, 10], ['NVDA', 1, 9, 99, 8, 10]]);
    assert.deepEqual(two.seen, range(6, 8));
    assert.equal(b.server.live.length, 1);
    const three = b.tab({ lane });
    await b.run();
    assert.equal(three.feed.state.name, 'live');
    assert.deepEqual(fetched(), ['/api/quotes'], 'once');
    sound(one, two, three);
  });

  test(`${lane}: added topics of such a connection have complete quotes, too`, async () => {
    const b = new FakeBrowser();
    const [one, two] = [b.tab({ lane: other }), b.tab({ lane: other, topics: ['MSFT'] })];
    await b.run();
    one.feed.switchLane(lane);
    two.feed.switchLane(lane);
    await b.run();
    const seen = snapshots(two.feed);
    const changed = two.feed.setTopics(['MSFT', 'NVDA']);
    await b.run();
    await changed;
    assert.deepEqual(days(seen[0]), [['NVDA', 1, 9, 99, 8, 10]]);
    b.ticks(2, 'NVDA');
    await b.run();
    assert.deepEqual(two.seen, [4, 5]);
    sound(one, two);
  });

  test(`${lane}: fetched quotes that are ahead of the stream wait for it`, async () => {
    const b = new FakeBrowser();
    const one = b.tab({ lane: other });
    await b.run();
    one.feed.switchLane(lane);
    await b.run();
    b.server.conn.heldUntil = b.server.time + 400;
    b.ticks(5, 'MSFT');
    const two = b.tab({ lane });
    const seen = snapshots(two.feed);
    await b.run(300);
    assert.equal(seen.length, 0);
    await b.run(300);
    assert.deepEqual([seen[0].i, ...seen[0].quotes.map((/** @type {any} */ q) => q.i).sort()], [8, 1, 3, 8]);
    sound(one, two);
  });

  test(`${lane}: when quotes cannot be fetched, the tab connects separately`, async () => {
    const b = new FakeBrowser();
    const one = b.tab({ lane: other });
    await b.run();
    one.feed.switchLane(lane);
    await b.run();
    b.server.failing.add('/api/quotes');
    const two = b.tab({ lane });
    const seen = snapshots(two.feed);
    await b.run();
    assert.equal(two.feed.state.name, 'live');
    assert.equal(seen[0].quotes.length, 3);
    assert.equal(b.server.live.length, 2);
    sound(one, two);
  });

  test(`${lane}: a failure of the worker loses no tick`, async () => {
    const b = new FakeBrowser();
    const one = b.tab({ lane });
    await b.run();
    b.ticks(5);
    await b.run();
    assert.deepEqual(one.seen, range(4, 8));
    b.ticks(5);
    one.worker.onerror(new Event('error'));
    for (let k = 0; k < 20; k++) await b.run(100);
    b.ticks(1);
    await b.run();
    assert.equal(one.feed.state.name, 'live');
    assert.deepEqual(one.seen, range(4, 14), 'ticks during the failure are replayed');
    sound(one);
  });

  test(`${lane}: after a restart with other symbols a sector includes the new one`, async () => {
    const b = new FakeBrowser();
    for (const s of ['AAPL', 'MSFT']) b.server.sectors.set(s, 'technology');
    b.server.sectors.set('NVDA', 'energy');
    const one = b.tab({ lane, topics: ['sector:technology'] });
    const all = b.tab({ lane });
    await b.run();
    b.server.sectors.set('ACME', 'technology');
    b.server.restart('b2');
    b.ticks(3, 'NVDA');
    for (let k = 0; k < 20; k++) await b.run(100);
    b.ticks(2, 'ACME');
    b.ticks(2, 'NVDA');
    await b.run();
    assert.equal(all.feed.state.name, 'live');
    assert.deepEqual(one.seen, [4, 5]);
    sound(one, all);
  });

  test(`${lane}: a sector whose symbols cannot be fetched gets the ticks of all sectors`, async () => {
    const b = new FakeBrowser();
    b.server.sectors.set('AAPL', 'technology');
    b.server.failing.add('/api/symbols');
    const one = b.tab({ lane, topics: ['sector:technology'] });
    b.tab({ lane });
    await b.run();
    b.ticks(2);
    await b.run();
    assert.deepEqual(one.seen, [4, 5]);
    sound(one);
  });

  test(`${lane}: a request for the sectors that hangs delays a tab by 2 s, and is repeated until it succeeds`, async () => {
    const b = new FakeBrowser();
    for (const s of ['AAPL', 'MSFT']) b.server.sectors.set(s, 'technology');
    b.server.sectors.set('NVDA', 'energy');
    const { fetch } = b.server.options;
    /** @type {((err: Error) => void) | null} */
    let timeLimit = null;
    let hung = true;
    b.hub = new Hub({ ...b.server.options, fetch: (/** @type {any} */ url, /** @type {any} */ init) => (hung && /symbols/.test(url) ? new Promise((_, reject) => (timeLimit = reject)) : fetch(url, init)) });
    const one = b.tab({ lane, topics: ['sector:technology'] });
    const all = b.tab({ lane });
    await b.run(2_100);
    await b.run();
    assert.equal(one.feed.state.name, 'live');
    b.ticks(1);
    b.ticks(1, 'NVDA');
    await b.run();
    assert.deepEqual(one.seen, [4, 5], 'ticks of unknown sectors are passed on');

    hung = false;
    /** @type {any} */ (timeLimit)(new DOMException('time-out', 'TimeoutError'));
    await b.run(1_200);
    b.ticks(1, 'NVDA'); // of another sector, as the worker knows by now
    b.ticks(1, 'MSFT');
    await b.run();
    assert.deepEqual(one.seen, [4, 5, 7]);
    assert.deepEqual(all.seen, [4, 5, 6, 7]);
    assert.equal(b.server.conns.length, 1);
    sound(one, all);
  });
}

test('a tab that joins while the last one leaves shares its connection with the next one', async () => {
  const b = new FakeBrowser();
  b.server.sectors.set('AAPL', 'technology');
  const first = b.tab();
  await b.run();
  /** @type {() => void} */
  let answer = () => {};
  b.server.gate = new Promise((resolve) => (answer = resolve));
  const late = b.tab({ topics: ['sector:technology'] }); // its sectors are fetched first
  await settled();
  first.feed.stop();
  answer();
  await b.run();
  const next = b.tab();
  await b.run();
  assert.equal(late.feed.state.name, 'live');
  assert.equal(next.feed.state.name, 'live');
  assert.equal(b.server.live.length, 1);
  sound(late, next);
});

test('sse: a truncated answer to a command changes no topics and throws no error', async () => {
  const b = new FakeBrowser();
  const { server } = b;
  const feed = new Feed({ ...server.options, share: new SharedConnections(() => { throw new Error('none'); }, server.options), fetch: async () => new Response('{"T":"subscr') });
  feed.start();
  server.pump();
  const changed = feed.setTopics(['AAPL']);
  for (let k = 0; k < 5; k++) await settled();
  const other = assert.rejects(Promise.all([changed, feed.setTopics(['MSFT'])]), { code: 'closed' });
  for (let k = 0; k < 5; k++) await settled();
  feed.stop();
  await other;
});

test('setting the wall clock back by an hour does not stop the heartbeats of quiet topics', async () => {
  const b = new FakeBrowser();
  const quiet = b.tab({ topics: ['NVDA'] });
  const busy = b.tab({ topics: ['AAPL'] });
  await b.run();
  b.server.shift = -3_600_000;
  for (let k = 0; k < 100; k++) {
    b.ticks(1);
    await b.run(1_000);
  }
  assert.deepEqual([quiet.feed.counters.reconnects, quiet.events.slice(1)], [0, []]);
  assert.equal(quiet.feed.state.name, 'live');
  sound(quiet, busy);
});
