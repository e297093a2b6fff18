// The shared connection when the server is full or stops: it gives a time before which no tab may reconnect.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeBrowser, sound } from '../../test/fakeBrowser.js';

for (const lane of /** @type {const} */ (['sse', 'ws'])) {
  test(`${lane}: a bye before the hello reaches every tab, and no tab, old or new, is tried before its time`, async () => {
    const b = new FakeBrowser();
    const { server } = b;
    server.answering = false;
    const tabs = [b.tab({ lane }), b.tab({ lane, topics: ['AAPL'] })];
    for (let k = 0; k < 4; k++) {
      await b.run(100);
      server.conn.send({ T: 'bye', reason: 'overload', retry: 8_000 });
      const at = server.time;
      for (const { feed } of tabs) assert.deepEqual([feed.state.name, feed.state.reason, feed.state.retryAt], ['waiting', 'overload', at + 8_500]);
      const tries = server.conns.length;
      await b.run(1_000);
      const late = b.tab({ lane });
      tabs.push(late);
      await b.run(100);
      assert.deepEqual([late.feed.state.name, late.feed.state.reason], ['waiting', 'overload'], 'a new tab knows it from the worker');
      for (const { feed } of tabs) feed.retry();
      await b.run(at + 7_900 - server.time);
      assert.equal(server.conns.length, tries, 'nothing is sent before the time');
      await b.run(700);
      assert.equal(server.conns.length, tries + 1, 'one try for all tabs');
    }
    server.answering = true;
    await b.run(2_000);
    for (const { feed } of tabs) assert.equal(feed.state.name, 'live');
    assert.equal(server.live.length, 1);
    sound(...tabs);
  });

  test(`${lane}: the bye of a shutdown is obeyed by all tabs, also by one that has had no hello`, async () => {
    const b = new FakeBrowser();
    const { server } = b;
    const first = b.tab({ lane });
    await b.run();
    server.failing.add('/api/quotes');
    server.conn.send({ T: 'bye', reason: 'shutdown', retry: 20_000 });
    const late = b.tab({ lane });
    await b.run(100);
    for (const { feed } of [first, late]) {
      assert.deepEqual([feed.state.name, feed.state.reason, feed.state.attempt], ['waiting', 'shutdown', 0]);
      assert.ok(Number(feed.state.retryAt) >= server.time + 19_900);
    }
    const tries = server.conns.length;
    await b.run(19_000);
    assert.equal(server.conns.length, tries);
    await b.run(2_000);
    assert.equal(server.live.length, 1);
    sound(first, late);
  });
}
