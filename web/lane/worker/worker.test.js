import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Feed } from '../feed.js';
import { SharedConnections } from '../sharedConnections.js';
import { FakeBrowser, range, sound, SYMBOLS } from '../../test/fakeBrowser.js';
import { random, settled, FakeServer } from '../../test/fakeServer.js';

for (const lane of /** @type {const} */ (['sse', 'ws'])) {
  test(`${lane}: twenty tabs share one connection, and the last one closes it`, async () => {
    const b = new FakeBrowser();
    const tabs = Array.from({ length: 20 }, () => b.tab({ lane }));
    await b.run();
    assert.equal(b.server.conns.length, 1);
    b.ticks(50);
    await b.run();
    for (const t of tabs) {
      assert.equal(t.feed.state.name, 'live');
      assert.deepEqual(t.seen, range(4, 53));
      assert.deepEqual(t.events, ['Snapshot of 3 symbols, live from 3']);
      assert.equal(t.share.tabs, 20);
    }
    for (const t of tabs.slice(1)) t.feed.stop();
    assert.equal(b.server.live.length, 1);
    assert.equal(tabs[0]?.share.tabs, 1);
    tabs[0]?.feed.stop();
    assert.equal(b.server.live.length, 0);
    sound(...tabs);
  });

  test(`${lane}: a tab that joins later gets the present snapshot, then every tick`, async () => {
    const b = new FakeBrowser();
    const first = b.tab({ lane });
    await b.run();
    b.ticks(10, 'MSFT');
    await b.run();
    const late = b.tab({ lane });
    /** @type {any} */
    let snapshot;
    late.feed.on('message', (m) => m.T === 'snapshot' && (snapshot = m));
    await b.run();
    b.ticks(5);
    await b.run();
    assert.equal(snapshot.i, 13);
    assert.deepEqual(snapshot.quotes.map((/** @type {any} */ q) => [q.S, q.n, q.i, q.o, q.h, q.l, q.c]), [
      ['AAPL', 1, 1, 9, 99, 8, 10], ['MSFT', 11, 13, 9, 99, 8, 10], ['NVDA', 1, 3, 9, 99, 8, 10],
    ]);
    assert.deepEqual(late.seen, range(14, 18));
    assert.equal(b.server.conns.length, 1);
    sound(first, late);
  });

  test(`${lane}: the topics are the union of the tabs' topics, and each tab gets its own`, async () => {
    const b = new FakeBrowser();
    const apple = b.tab({ lane, topics: ['AAPL'] });
    const micro = b.tab({ lane, topics: ['MSFT', 'AAPL'] });
    await b.run();
    assert.deepEqual(b.server.conn.topics, ['AAPL', 'MSFT']);
    for (const s of ['AAPL', 'MSFT', 'NVDA', 'AAPL']) b.server.tick(s);
    await b.run();
    assert.deepEqual(apple.seen, [4, 7]);
    assert.deepEqual(micro.seen, [4, 5, 7]);
    const all = b.tab({ lane });
    await b.run();
    assert.deepEqual(b.server.conn.topics, ['AAPL', 'MSFT', '*']);
    assert.equal(all.events[0], 'Snapshot of 3 symbols, live from 7');
    b.ticks(2, 'NVDA');
    await b.run();
    assert.deepEqual(all.seen, [8, 9]);
    assert.deepEqual(apple.seen, [4, 7]);
    all.feed.stop();
    micro.feed.stop();
    await b.run();
    assert.deepEqual(b.server.conn.topics, ['AAPL']);
    assert.equal(b.server.conns.length, 1);
    sound(apple, micro, all);
  });

  test(`${lane}: a tab changes its topics; a refusal goes only to that tab`, async () => {
    const b = new FakeBrowser();
    const one = b.tab({ lane, topics: ['AAPL'] });
    const two = b.tab({ lane, topics: ['MSFT'] });
    await b.run();
    const changed = one.feed.setTopics(['AAPL', 'NVDA']);
    await b.run();
    await changed;
    assert.deepEqual(one.events.slice(1), ['Snapshot of 1 symbol added at 3']);
    b.server.tick('NVDA');
    await b.run();
    assert.deepEqual(one.seen, [4]);
    assert.deepEqual(two.seen, []);
    const refused = assert.rejects(one.feed.setTopics(['NOPE', 'AAPL']), { code: 'unknown_topic' });
    await b.run(3_000);
    await refused;
    assert.match(one.events.at(-1) ?? '', /Topics not changed/);
    assert.equal(two.events.length, 1);
    b.ticks(3, 'MSFT');
    await b.run();
    assert.deepEqual(two.seen, [5, 6, 7]);
    sound(one, two);
  });

  test(`${lane}: a disconnect ends every tab's stream, and all resume without loss over one connection`, async () => {
    const b = new FakeBrowser();
    const tabs = [b.tab({ lane }), b.tab({ lane }), b.tab({ lane, topics: ['NVDA'] })];
    await b.run();
    b.server.conn.cut();
    for (const t of tabs) assert.equal(t.feed.state.name, 'waiting');
    for (let k = 0; k < 30; k++) b.server.tick(/** @type {string} */ (SYMBOLS[k % 3]));
    await b.run(2_000);
    assert.equal(b.server.live.length, 1);
    assert.equal(b.server.conns.length, 2);
    assert.deepEqual(tabs[0]?.seen, range(4, 33));
    assert.deepEqual(tabs[1]?.seen, range(4, 33));
    assert.equal(tabs[2]?.seen.length, 10);
    assert.deepEqual(tabs[1]?.events.slice(1), ['Connection lost', 'Reconnected in 0.50\u202fs, 30 ticks replayed']);
    sound(...tabs);
  });

  test(`${lane}: every tab gets a gap for ticks that the log no longer has`, async () => {
    const b = new FakeBrowser();
    const tabs = [b.tab({ lane }), b.tab({ lane })];
    await b.run();
    b.server.conn.cut();
    b.ticks(1204);
    b.server.oldest = 1000;
    await b.run(2_000);
    b.ticks(1);
    await b.run();
    for (const t of tabs) {
      assert.deepEqual(t.seen, [1208]);
      assert.equal(t.feed.counters.missed, 1204);
      assert.ok(t.events.includes('Missed 1\u202f204 ticks (position expired); snapshot received'), String(t.events));
    }
    sound(...tabs);
  });

  test(`${lane}: a gap of an open stream goes to every tab`, async () => {
    const b = new FakeBrowser();
    const tabs = [b.tab({ lane }), b.tab({ lane })];
    await b.run();
    const { conn } = b.server;
    b.ticks(10);
    conn.pos = 13;
    conn.gap(4, 'lag');
    b.ticks(2);
    await b.run();
    for (const t of tabs) {
      assert.equal(t.feed.counters.missed, 10);
      assert.deepEqual(t.seen, [14, 15]);
    }
    sound(...tabs);
  });

  test(`${lane}: another log is a reset for every tab`, async () => {
    const b = new FakeBrowser();
    const tabs = [b.tab({ lane }), b.tab({ lane })];
    await b.run();
    b.server.restart('b2');
    b.ticks(4, 'MSFT');
    await b.run(2_000);
    b.ticks(1, 'MSFT');
    await b.run();
    for (const t of tabs) {
      assert.equal(t.feed.counters.resets, 1);
      assert.deepEqual(t.seen, [5]);
      assert.equal(t.feed.position, 'b2-5');
    }
    sound(...tabs);
  });

  test(`${lane}: a tab that is behind the worker's ring catches up over a temporary connection`, async () => {
    const b = new FakeBrowser(64);
    const home = b.tab({ lane });
    const away = [b.tab({ lane }), b.tab({ lane, topics: ['NVDA', 'AAPL'] })];
    await b.run();
    for (const t of away) {
      t.share.release();
      t.feed.stop();
    }
    for (let k = 0; k < 10; k++) {
      b.ticks(50);
      b.ticks(5, 'NVDA');
      await b.run();
    }
    assert.equal(b.server.conns.length, 1);
    for (const t of away) t.feed.start();
    await b.run();
    b.ticks(5, 'NVDA');
    await b.run();
    for (const t of [home, ...away]) assert.deepEqual(t.seen, range(4, 558));
    assert.equal(b.server.conns.length, 3, 'one temporary connection each');
    assert.equal(b.server.live.length, 1);
    sound(home, ...away);
  });

  test(`${lane}: a frozen tab does not delay others; its stream ends, and it catches up when it resumes`, async () => {
    const b = new FakeBrowser(64);
    const home = b.tab({ lane });
    const cold = b.tab({ lane });
    await b.run();
    cold.frozen = true;
    for (let k = 0; k < 700; k++) {
      b.ticks(2);
      await b.run(100);
    }
    assert.deepEqual(home.seen, range(4, 1403));
    assert.equal(home.share.tabs, 1);
    cold.thaw();
    await b.run(1_000);
    await b.run(1_000);
    assert.deepEqual(cold.seen, range(4, 1403));
    assert.equal(b.server.live.length, 1);
    sound(home, cold);
  });

  test(`${lane}: the topics of a tab whose port closed are removed at once`, async () => {
    const b = new FakeBrowser();
    b.tab({ lane, topics: ['AAPL'] });
    const dead = b.tab({ lane, topics: ['MSFT'] });
    await b.run();
    dead.crashed = true;
    dead.ended?.();
    await b.run();
    assert.deepEqual(b.server.conn.topics, ['AAPL']);
  });

  test(`${lane}: the topics of a tab that died without notice are removed after a minute`, async () => {
    const b = new FakeBrowser();
    const home = b.tab({ lane, topics: ['AAPL'] });
    const dead = b.tab({ lane, topics: ['MSFT'] });
    await b.run();
    dead.crashed = true;
    for (let k = 0; k < 8; k++) {
      b.ticks(1, 'MSFT');
      await b.run(10_000);
      b.server.conn.send({ T: 'hb', t: 0, head: b.server.head });
    }
    await b.run();
    assert.deepEqual(b.server.conn.topics, ['AAPL']);
    assert.equal(home.feed.counters.reconnects, 0, 'heartbeats keep a stream of quiet topics open');
    sound(home);
  });
}

test("after a restart with fewer symbols the tabs' present topics are requested", async () => {
  const browser = new FakeBrowser();
  const { server } = browser;
  const one = browser.tab({ topics: ['AAPL', 'MSFT'] });
  await browser.run();
  assert.equal(one.feed.state.name, 'live');
  server.unknown.add('MSFT');
  server.restart('b2');
  for (let k = 0; k < 5; k++) {
    server.advance(1_000);
    await settled();
  }
  assert.equal(server.live.length, 0, 'every try is refused');
  one.feed.retainTopics((topic) => topic !== 'MSFT');
  for (let k = 0; k < 30; k++) { // each failed try is within the time that the worker keeps the ring
    server.advance(1_000);
    await browser.run();
  }
  assert.equal(one.feed.state.name, 'live');
  assert.deepEqual(server.conn.topics, ['AAPL']);
});

test('each tab has its own lane, and a switch to a shared one loses nothing', async () => {
  const b = new FakeBrowser();
  const one = b.tab({ lane: 'sse' });
  const two = b.tab({ lane: 'ws' });
  await b.run();
  assert.deepEqual(b.server.live.map((c) => c.lane).sort(), ['sse', 'ws']);
  const rnd = random(3);
  for (let k = 0; k < 60; k++) {
    const t = rnd() < 0.5 ? one : two;
    t.feed.switchLane(t.feed.lane === 'sse' ? 'ws' : 'sse');
    b.ticks(Math.floor(rnd() * 9));
    for (const c of b.server.live) c.pump(Math.floor(rnd() * 7));
    await b.run(rnd() * 60);
  }
  await b.run();
  for (const t of [one, two]) assert.deepEqual(t.seen, range(4, b.server.head));
  assert.ok(one.feed.counters.switches + two.feed.counters.switches > 30);
  assert.ok(b.server.live.length <= 2);
  sound(one, two);
});

test('random actions of tabs and network: each tab has every tick once', async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const rnd = random(seed);
    const b = new FakeBrowser(200);
    b.server.chunk = 1;
    const tabs = Array.from({ length: 5 }, (_, k) => b.tab({ lane: k % 2 ? 'ws' : 'sse' }));
    await b.run();
    for (let k = 0; k < 150; k++) {
      for (let n = rnd() * 12; n > 0; n--) b.server.tick(/** @type {string} */ (SYMBOLS[Math.floor(rnd() * 3)]));
      const t = /** @type {ReturnType<FakeBrowser['tab']>} */ (tabs[Math.floor(rnd() * tabs.length)]);
      const what = rnd();
      if (what < 0.1) t.feed.switchLane(t.feed.lane === 'sse' ? 'ws' : 'sse');
      else if (what < 0.2) t.feed.stop();
      else if (what < 0.5) t.feed.start();
      else if (what < 0.55) b.server.live[0]?.cut();
      else if (what < 0.6) t.frozen = true;
      else if (what < 0.7 && t.frozen) t.thaw();
      for (const c of b.server.live) c.pump(Math.floor(rnd() * 30));
      await b.run(rnd() * 400);
    }
    for (const t of tabs) {
      t.thaw();
      t.feed.start();
    }
    for (let k = 0; k < 80; k++) await b.run(1_000);
    for (const t of tabs) {
      assert.equal(t.feed.state.name, 'live', `seed ${seed}`);
      assert.deepEqual(t.seen, range(4, b.server.head), `seed ${seed}`);
    }
    sound(...tabs);
    assert.ok(b.server.live.length <= 2, `seed ${seed}: ${b.server.live.length}`);
  }
});

test('without a worker, or with one that does not answer, a tab connects separately', async () => {
  const server = new FakeServer();
  for (const s of SYMBOLS) server.tick(s);
  const none = new Feed({ ...server.options, share: new SharedConnections(() => { throw new Error('no SharedWorker'); }, server.options) });
  none.start();
  assert.equal(server.conns.length, 1);
  const mute = new SharedConnections(() => /** @type {any} */ ({ port: { postMessage() {}, close() {} } }), server.options);
  const feed = new Feed({ ...server.options, share: mute });
  feed.start();
  server.advance(7_999);
  assert.equal(server.conns.length, 1);
  server.advance(1);
  assert.equal(server.conns.length, 2);
  server.pump();
  assert.equal(feed.state.name, 'live');
  feed.stop();
  feed.start();
  assert.equal(server.conns.length, 3, 'the worker is not tried again');
  /** @type {any} */
  const worker = { port: { postMessage() {}, close() {} } };
  const broken = new Feed({ ...server.options, share: new SharedConnections(() => worker, server.options) });
  broken.start();
  worker.onerror(new Event('error'));
  server.pump();
  assert.equal(broken.state.name, 'live', 'its script could not be loaded');
});

test("a tab that was suspended handles the worker's queued answer before it counts as missing", () => {
  const server = new FakeServer();
  const share = new SharedConnections(() => /** @type {any} */ ({ port: { postMessage() {}, close() {} } }), server.options);
  const feed = new Feed({ ...server.options, share });
  feed.start();
  server.time += 60_000;
  server.advance(0); // the timer runs first
  assert.equal(server.conns.length, 0, 'no separate connection');
  feed.stop();
});
