// Trades and changes of status, which come before their ticks: over cuts, lane switches and the shared connection.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { begin, settled, sound } from '../test/fakeServer.js';
import { FakeBrowser, sound as allSound } from '../test/fakeBrowser.js';

const trade = (/** @type {string} */ id) => ({ T: 'trade', p: 10, s: 5, id });
const halt = { T: 'status', status: 'halted', reason: 'news' };

/** @param {import('./feed.js').Feed} feed @returns {string[]} its trades, statuses and ticks */
function record(feed) {
  /** @type {string[]} */
  const all = [];
  feed.on('message', (m) => {
    if (m.T === 'q' || m.T === 'trade') all.push(`${m.T} ${m.i}${m.T === 'trade' ? ` ${m.id}` : ''}`);
    else if (m.T === 'status') all.push(`${m.status} ${m.i}`);
  });
  return all;
}

for (const [lane, other] of /** @type {const} */ ([['sse', 'ws'], ['ws', 'sse']])) {
  test(`${lane}: a trade is delivered once, before its tick, though a cut comes between them`, () => {
    const { server, feed } = begin({ lane });
    const got = record(feed);
    server.pump();
    server.tick('AAPL', halt, trade('x'));
    server.conn.pump(2);
    server.conn.cut();
    server.tick('MSFT', trade('y'));
    server.advance(500);
    server.pump();
    assert.deepEqual(got.filter((g) => !g.startsWith('halted')), ['trade 4 x', 'q 4', 'trade 5 y', 'q 5']);
    assert.deepEqual(got.filter((g) => g.startsWith('halted')), ['halted 4', 'halted 4'], 'again, with the same effect');
    sound(feed);
  });

  test(`${lane}: what both connections of a lane switch carry is delivered once`, async () => {
    const { server, feed } = begin({ lane });
    const got = record(feed);
    server.pump();
    const before = server.conn;
    server.tick('AAPL', trade('x'));
    before.pump();
    feed.switchLane(other);
    server.tick('MSFT', halt, trade('y'));
    before.pump();
    for (let k = 0; k < 5; k++) {
      await settled();
      server.pump();
    }
    server.tick('AAPL', trade('z'));
    server.pump();
    assert.equal(feed.lane, other);
    assert.deepEqual(got, ['trade 4 x', 'q 4', 'halted 5', 'trade 5 y', 'q 5', 'trade 6 z', 'q 6']);
    sound(feed);
  });

  test(`${lane}: tabs of a shared connection get the events of their topics, each before its tick, also later from the ring`, async () => {
    const b = new FakeBrowser();
    const all = b.tab({ lane });
    const one = b.tab({ lane, topics: ['MSFT'] });
    const [got, few] = [record(all.feed), record(one.feed)];
    await b.run();
    one.frozen = true;
    b.server.tick('AAPL', trade('x'));
    b.server.tick('MSFT', halt, trade('y'));
    await b.run();
    b.server.tick('MSFT', trade('z'));
    b.server.conn.pump(1);
    b.server.conn.cut(); // between a trade and its tick
    one.thaw();
    for (let k = 0; k < 10; k++) await b.run();
    assert.deepEqual(got, ['trade 4 x', 'q 4', 'halted 5', 'trade 5 y', 'q 5', 'trade 6 z', 'q 6']);
    assert.deepEqual(few, got.slice(2));
    allSound(all, one);
  });
}
