// A connection that ends anywhere between a hello and the end of a snapshot gets the snapshot again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QuoteStore } from '../model/quotes.js';
import { FakeBrowser, sound as soundTabs } from '../test/fakeBrowser.js';
import { begin, settled, sound } from '../test/fakeServer.js';

/** @import { Feed } from './feed.js' */
/** @import { FakeServer } from '../test/fakeServer.js' */

const SYMBOLS = ['AAPL', 'MSFT', 'NVDA', 'ORCL', 'TSLA'];

/** Records a feed's quotes. @param {Feed} feed */
function quotesOf(feed) {
  const store = new QuoteStore();
  feed.on('message', (m, { received }) => store.apply(m, received));
  return store;
}

/** Asserts that a client has the server's newest quotes with the day's figures. @param {QuoteStore} store @param {FakeServer} server @param {string} label @param {string[]} [topics] */
function equal(store, server, label, topics = ['*']) {
  const newest = server.snapshot(topics, server.head).quotes.map(({ S, n, i, o }) => ({ S, n, i, o }));
  const have = [...store.values()].map(({ S, n, i, o }) => ({ S, n, i, o }));
  const order = (/** @type {{ S: string }} */ a, /** @type {{ S: string }} */ b) => (a.S < b.S ? -1 : 1);
  assert.deepEqual(have.sort(order), newest.sort(order), label);
}

/** What happens before the cut. @type {Record<string, (server: FakeServer) => void>} */
const situations = {
  start: () => {},
  gap: (server) => {
    server.conn.cut();
    for (const s of SYMBOLS) server.tick(s);
    for (let k = 0; k < 20; k++) server.tick('AAPL');
    server.oldest = server.head - 2;
    server.advance(500);
  },
  reset: (server) => {
    server.restart('b2');
    for (const s of [...SYMBOLS, 'MSFT']) server.tick(s);
    server.advance(500);
  },
};

for (const lane of /** @type {const} */ (['sse', 'ws'])) {
  for (const [name, prepare] of Object.entries(situations)) {
    test(`${lane}: ${name}: a cut after each message loses no quote`, () => {
      for (let messages = 0; messages < 12; messages++) {
        const { server, feed } = begin({ lane }, [...SYMBOLS, 'MSFT']);
        const store = quotesOf(feed);
        server.chunk = 2;
        server.staleness = 1;
        if (name !== 'start') server.pump();
        prepare(server);
        server.conn.pump(messages);
        server.conn.cut();
        server.tick('AAPL');
        server.advance(15_000);
        server.pump();
        server.tick('MSFT');
        server.pump();
        equal(store, server, `after ${messages} messages`);
        assert.equal(feed.position, `${server.epoch}-${server.head}`);
        sound(feed);
      }
    });
  }

  test(`${lane}: added topics: a cut after each message loses no quote`, async () => {
    for (let messages = 0; messages < 6; messages++) {
      const { server, feed } = begin({ lane, topics: ['AAPL'] }, SYMBOLS);
      const store = quotesOf(feed);
      server.chunk = 2;
      server.pump();
      server.tick('AAPL');
      server.tick('MSFT');
      const done = feed.setTopics(['AAPL', '*']);
      await settled();
      server.conn.pump(messages);
      if (messages > 0) assert.equal(feed.position, messages < 4 ? 'a1-6' : 'a1-7', 'a subscription and three parts'); // AAPL's tick has 6
      await settled();
      server.conn.cut();
      server.tick('TSLA');
      server.advance(15_000);
      for (let k = 0; k < 4; k++) {
        await settled();
        server.pump();
      }
      await done;
      equal(store, server, `after ${messages} messages`);
      sound(feed);
    }
  });

  test(`${lane}: tabs of one worker get the snapshot again after a cut at each message`, async () => {
    for (let messages = 0; messages < 6; messages++) {
      const b = new FakeBrowser();
      b.server.chunk = 1;
      const tabs = [b.tab({ lane }), b.tab({ lane })];
      const stores = tabs.map((tab) => quotesOf(tab.feed));
      await settled();
      b.server.conn.pump(messages);
      b.server.conn.cut();
      b.server.tick('AAPL');
      for (let k = 0; k < 20; k++) await b.run(100);
      tabs.push(b.tab({ lane }));
      stores.push(quotesOf(/** @type {any} */ (tabs[2]).feed));
      for (let k = 0; k < 20; k++) await b.run(100);
      for (const [k, store] of stores.entries()) equal(store, b.server, `tab ${k} after ${messages} messages`);
      soundTabs(...tabs);
    }
  });

  test(`${lane}: a lane switch to a connection with an older snapshot drops what the other one delivered`, () => {
    const other = lane === 'sse' ? 'ws' : 'sse';
    const { server, feed, seen } = begin({ lane, topics: ['AAPL', 'MSFT'] }, SYMBOLS);
    const store = quotesOf(feed);
    server.pump();
    const from = server.conn;
    feed.switchLane(other);
    for (let k = 0; k < 4; k++) for (const s of SYMBOLS) server.tick(s);
    from.pump();
    server.oldest = server.head;
    server.staleness = 8;
    server.pump();
    assert.equal(feed.lane, other);
    for (const s of SYMBOLS) server.tick(s);
    server.pump();
    assert.deepEqual(seen.filter((i) => i > 25), [26, 27]);
    equal(store, server, 'after the switch', ['AAPL', 'MSFT']);
    sound(feed);
  });
}
