import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeBrowser, SYMBOLS, range, sound } from '../../test/fakeBrowser.js';
import { settled } from '../../test/fakeServer.js';

const MINUTE = 60_000;

/** A browser whose user is signed in for an hour. */
function signedIn() {
  const b = new FakeBrowser();
  b.server.session = { subject: 'ana', expires: (b.server.time + 60 * MINUTE) * 1000 };
  b.server.life = 60 * MINUTE;
  return b;
}

/** Runs until the code of sessions is loaded and its requests are answered. @param {FakeBrowser} b */
async function ready(b) {
  await import('./users.js');
  for (let k = 0; k < 3; k++) {
    await settled();
    await b.run();
  }
}

const paths = (/** @type {FakeBrowser} */ b, /** @type {string} */ path) => b.server.fetched.filter((p) => p === path).length;

for (const lane of /** @type {const} */ (['sse', 'ws'])) {
  test(`${lane}: one worker renews for all tabs, then gives the open streams the new rights`, async () => {
    const b = signedIn();
    const tabs = [b.tab({ lane }), b.tab({ lane })];
    await ready(b);
    for (let k = 0; k < 180; k++) {
      await b.run(MINUTE / 4);
      b.server.conn.send({ T: 'hb', t: 0, head: b.server.head });
    }
    await ready(b);
    assert.equal(paths(b, '/api/session/renew'), 1);
    assert.deepEqual(b.server.renewed, ['c1']);
    assert.equal(b.server.conns.length, 1, 'the stream goes on');
    for (const t of tabs) assert.deepEqual([t.share.session?.subject, t.share.session?.renewals], ['ana', 1]);
    b.ticks(3);
    await b.run();
    for (const t of tabs) assert.deepEqual(t.seen, [4, 5, 6]);
    sound(...tabs);
  });

  test(`${lane}: a stream that has missed the renewal gets the rights of the session`, async () => {
    const b = signedIn();
    b.tab({ lane });
    await ready(b);
    b.server.conn.send({ T: 'auth', status: 'expiring', expires: b.server.session?.expires });
    await ready(b);
    assert.deepEqual(b.server.renewed, ['c1']);
    assert.equal(paths(b, '/api/session/renew'), 0, 'the session itself lasts');
  });

  test(`${lane}: at the end of the session the streams of all tabs end, and no tab reconnects`, async () => {
    const b = signedIn();
    const tabs = [b.tab({ lane }), b.tab({ lane })];
    await ready(b);
    b.server.session = null;
    b.server.conn.send({ T: 'bye', reason: 'expired', retry: 1_000 });
    await b.run(6_000);
    await ready(b);
    for (const t of tabs) assert.deepEqual([t.share.session?.name, t.feed.state.name, t.feed.state.reason], ['over', 'denied', 'session-over']);
    for (let k = 0; k < 10; k++) await b.run(MINUTE);
    assert.equal(b.server.live.length, 0);
    b.server.session = { subject: 'ana', expires: (b.server.time + 60 * MINUTE) * 1000 };
    tabs[0]?.share.checkSession(true);
    await ready(b);
    assert.equal(tabs[1]?.share.session?.name, 'valid', 'each tab gets to know that the user has signed in again');
  });

  test(`${lane}: revoked access ends the streams for good`, async () => {
    const b = signedIn();
    const tabs = [b.tab({ lane }), b.tab({ lane })];
    await ready(b);
    b.server.conn.send({ T: 'bye', reason: 'revoked', retry: 0 });
    await ready(b);
    for (let k = 0; k < 10; k++) await b.run(MINUTE);
    for (const t of tabs) assert.deepEqual([t.feed.state.name, t.feed.state.reason], ['denied', 'revoked']);
    assert.equal(b.server.conns.length, 1, 'no reconnect');
  });

  test(`${lane}: when another user signs in, the streams of the earlier tabs end and theirs begins`, async () => {
    const b = signedIn();
    const ana = b.tab({ lane });
    await ready(b);
    b.server.session = { subject: 'bob', expires: (b.server.time + 60 * MINUTE) * 1000 };
    const bob = b.tab({ lane });
    await ready(b);
    assert.deepEqual([ana.feed.state.name, ana.feed.state.reason], ['denied', 'other-user']);
    assert.equal(ana.share.session?.subject, 'bob');
    assert.equal(bob.feed.state.name, 'live');
    assert.equal(b.server.conns.length, 2, 'a connection with the cookie of bob');
    assert.equal(b.server.live.length, 1);
    ana.feed.start();
    await ready(b);
    assert.equal(ana.feed.state.reason, 'other-user', 'not even on request');
    b.ticks(2);
    await b.run();
    assert.deepEqual(bob.seen, [4, 5]);
    assert.deepEqual(ana.seen, []);
    sound(bob);
  });

  test(`${lane}: signing out in one tab ends the streams of all at once`, async () => {
    const b = signedIn();
    const tabs = [b.tab({ lane }), b.tab({ lane })];
    await ready(b);
    tabs[0]?.share.checkSession('out');
    await settled();
    assert.equal(b.server.live.length, 0);
    for (const t of tabs) assert.deepEqual([t.feed.state.name, t.feed.state.reason], ['denied', 'signed-out']);
  });

  test(`${lane}: "*" that the server has narrowed carries no loss, in the worker and in its tabs`, async () => {
    const b = new FakeBrowser();
    b.server.readable = ['AAPL', 'NVDA'];
    const tabs = [b.tab({ lane }), b.tab({ lane, topics: ['AAPL'] })];
    await b.run();
    for (let k = 0; k < 10; k++) for (const s of SYMBOLS) b.server.tick(s);
    await b.run();
    assert.equal(tabs[0]?.seen.length, 20);
    assert.equal(tabs[1]?.seen.length, 10);
    assert.deepEqual([tabs[0]?.feed.hello?.narrowed, tabs[0]?.feed.topics], [true, ['*']]);
    b.server.conn.cut();
    b.ticks(5);
    b.ticks(5, 'MSFT');
    await b.run(3_000);
    await b.run();
    assert.deepEqual(tabs.map((t) => t.seen.length), [25, 15], 'the resume is complete');
    sound(...tabs);
  });

  test(`${lane}: rights that grow in an open stream give every tab the added quotes`, async () => {
    const b = new FakeBrowser();
    b.server.readable = ['AAPL'];
    const tabs = [b.tab({ lane }), b.tab({ lane })];
    /** @type {string[][]} */
    const quotes = [];
    tabs[1]?.feed.on('message', (m) => { if (m.T === 'snapshot') quotes.push(m.quotes.map((q) => q.S)); });
    await b.run();
    b.ticks(3);
    b.ticks(3, 'MSFT');
    await b.run();
    const { conn } = b.server;
    conn.pump();
    b.server.readable = null;
    conn.send({ T: 'subscription', topics: ['*'], i: b.server.head, snapshot: true });
    conn.send(b.server.snapshot(['MSFT', 'NVDA'], b.server.head));
    await b.run();
    b.ticks(2, 'MSFT');
    await b.run();
    assert.deepEqual(quotes.at(-1), SYMBOLS);
    for (const t of tabs) assert.deepEqual(t.seen.slice(-2), range(10, 11));
    sound(...tabs);
  });
}
