import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Feed } from './feed.js';
import { sentence } from './sentences.js';
import { FakeServer } from '../test/fakeServer.js';

/**
 * A feed that follows a page.
 * @param {import('node:test').TestContext} t
 */
function begin(t) {
  const window = new EventTarget();
  const document = Object.assign(new EventTarget(), { visibilityState: 'visible' });
  const navigator = { onLine: true };
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });
  t.after(() => (before ? Object.defineProperty(globalThis, 'navigator', before) : Reflect.deleteProperty(globalThis, 'navigator')));
  const server = new FakeServer();
  server.tick('AAPL');
  const feed = new Feed({ ...server.options, lifecycle: true, page: { window, document } });
  /** @type {number[]} */
  const seen = [];
  /** @type {string[]} */
  const events = [];
  feed.on('message', (m) => m.T === 'q' && seen.push(m.i));
  feed.on('event', (e) => events.push(sentence(e)));
  feed.start();
  server.pump();
  const fire = (/** @type {EventTarget} */ target, /** @type {string} */ name, more = {}) =>
    target.dispatchEvent(Object.assign(new Event(name), more));
  return { server, feed, seen, events, fire, window, document, navigator };
}

test('a page put into the back/forward cache disconnects; taken out, it resumes from its position', (t) => {
  const { server, feed, seen, events, fire, window } = begin(t);
  fire(window, 'pagehide');
  assert.equal(feed.state.name, 'closed');
  assert.equal(server.live.length, 0);
  assert.equal(server.timers.size, 0, 'no timer runs while the page is cached');
  for (let k = 0; k < 3; k++) server.tick('AAPL');
  server.advance(600_000);
  fire(window, 'pageshow', { persisted: false });
  assert.equal(server.live.length, 0);
  fire(window, 'pageshow', { persisted: true });
  assert.equal(server.conn.from, 'a1-1');
  server.pump();
  assert.deepEqual(seen, [2, 3, 4]);
  assert.equal(events.at(-1), 'Reconnected in 0.00\u202fs, 3 ticks replayed');
});

test('a page cached while it waits for a reconnect does not reconnect', (t) => {
  const { server, feed, fire, window } = begin(t);
  server.conn.cut();
  fire(window, 'pagehide');
  server.advance(60_000);
  assert.equal(server.live.length, 0);
  feed.switchLane('ws');
  feed.retry();
  fire(window, 'online');
  assert.equal(server.live.length, 0);
  fire(window, 'pageshow', { persisted: true });
  assert.equal(server.conn.lane, 'ws');
});

test('offline is reported, tries continue, and going online tries at once', (t) => {
  const { server, feed, events, fire, window, navigator } = begin(t);
  navigator.onLine = false;
  fire(window, 'offline');
  assert.equal(feed.state.name, 'live', 'a server on this machine needs no network');
  server.conn.cut();
  assert.equal(feed.state.name, 'offline');
  assert.ok(feed.state.retryAt);
  navigator.onLine = true;
  fire(window, 'online');
  assert.equal(feed.state.name, 'connecting');
  server.pump();
  assert.equal(feed.state.name, 'live');
  assert.deepEqual(events.slice(1, 4), ['Device offline', 'Connection lost', 'Device online']);
});

test('a page that waits for a reconnect when it goes offline keeps its countdown', (t) => {
  const { server, feed, fire, window } = begin(t);
  server.conn.cut();
  const { retryAt } = feed.state;
  fire(window, 'offline');
  assert.deepEqual([feed.state.name, feed.state.retryAt], ['offline', retryAt]);
});

test('a hidden page stays connected', (t) => {
  const { server, feed, seen, fire, document } = begin(t);
  document.visibilityState = 'hidden';
  fire(document, 'visibilitychange');
  server.tick('AAPL');
  server.pump();
  assert.equal(feed.state.name, 'live');
  assert.deepEqual(seen, [2]);
});

test('after a sleep the connection is checked when the page becomes visible, not when the timer runs', (t) => {
  const { server, feed, seen, fire, document } = begin(t);
  server.time += 60_000; // timers do not run during a sleep
  fire(document, 'visibilitychange');
  assert.equal(feed.state.name, 'waiting');
  server.tick('AAPL');
  server.advance(500);
  server.pump();
  assert.deepEqual(seen, [2]);
  server.time += 30_000;
  fire(document, 'visibilitychange');
  assert.equal(feed.state.name, 'live', '30 s are not yet 2.5 heartbeats');
});

test('setting the clock back closes no connection', (t) => {
  const { server, feed, fire, document } = begin(t);
  server.time -= 3_600_000;
  fire(document, 'visibilitychange');
  assert.equal(feed.state.name, 'live');
});

test("stop removes the page's event handlers", (t) => {
  const { server, feed, fire, window } = begin(t);
  feed.stop();
  fire(window, 'pageshow', { persisted: true });
  fire(window, 'online');
  assert.equal(server.live.length, 0);
});
