// A browser with one SharedWorker and any number of tabs, connected to a FakeServer.

import assert from 'node:assert/strict';
import { Feed } from '../lane/feed.js';
import { Hub } from '../lane/worker/hub.js';
import { sentence } from '../lane/sentences.js';
import { SharedConnections } from '../lane/sharedConnections.js';
import { settled, FakeServer } from './fakeServer.js';

/** @import { FeedOptions } from '../types.js' */

export const SYMBOLS = ['AAPL', 'MSFT', 'NVDA'];

/** A browser with one worker and any number of tabs. */
export class FakeBrowser {
  server = new FakeServer();
  hub;

  /** @param {number} [ringSize] size of the worker's ring @param {string[]} [symbols] */
  constructor(ringSize, symbols = SYMBOLS) {
    for (const s of symbols) this.server.tick(s);
    this.hub = new Hub(/** @type {any} */ ({ ...this.server.options, ringSize }));
  }

  /** @param {FeedOptions} [options] */
  tab(options = {}) {
    const { server, hub } = this;
    /** @type {any[]} */
    const held = [];
    /** @type {Set<any>} timers that are due */
    const late = new Set();
    const tab = {
      frozen: false,
      crashed: false,
      ended: /** @type {(() => void) | null} */ (null),
      worker: /** @type {any} */ (null),
      seen: /** @type {number[]} */ ([]),
      events: /** @type {string[]} */ ([]),
      thaw() {
        tab.frozen = false;
        for (const arrive of held.splice(0)) arrive();
        for (const timer of late) {
          late.delete(timer);
          timer.fn();
        }
      },
    };
    /** Opens a port to the worker; a second SharedWorker object is another port to the same worker. */
    const connect = () => {
      /** @type {any} */
      const near = { onmessage: null, close: () => { near.onmessage = null; far.onclose?.(); }, postMessage: (/** @type {any} */ m) => tab.crashed || far.onmessage?.({ data: structuredClone(m) }) };
      /** @type {any} */
      const far = {
        onmessage: null,
        postMessage: (/** @type {any} */ m) => {
          const data = structuredClone(m);
          if (tab.frozen || tab.crashed) held.push(() => near.onmessage?.({ data }));
          else near.onmessage?.({ data });
        },
      };
      hub.connect(far);
      tab.ended = () => far.onclose?.();
      return (tab.worker = { port: near, onerror: null });
    };
    // The timers of a frozen tab wait; those of a crashed one never run.
    const own = {
      ...server.options,
      setTimeout: (/** @type {() => void} */ fn, /** @type {number} */ ms) => {
        const timer = { fn, in: server.options.setTimeout(() => (tab.frozen || tab.crashed ? late.add(timer) : fn()), ms) };
        return timer;
      },
      clearTimeout: (/** @type {any} */ timer) => {
        late.delete(timer);
        server.options.clearTimeout(timer?.in);
      },
    };
    const share = new SharedConnections(connect, { ...own, sessions: server.session !== undefined });
    const feed = new Feed({ ...own, share, ...options });
    feed.on('message', (m) => m.T === 'q' && tab.seen.push(m.i));
    feed.on('event', (e) => tab.events.push(sentence(e)));
    feed.start();
    return Object.assign(tab, { feed, share });
  }

  /** Delivers all messages while the clock advances. @param {number} [ms] */
  async run(ms = 100) {
    for (let k = 0; k < 8; k++) {
      await settled();
      this.server.pump();
      this.server.advance(ms / 8);
    }
  }

  /** @param {number} n @param {string} [s] */
  ticks(n, s = 'AAPL') {
    for (let k = 0; k < n; k++) this.server.tick(s);
  }
}

/** @param {{ feed: Feed }[]} tabs */
export function sound(...tabs) {
  for (const { feed } of tabs) {
    const { lost, doubled, malformed } = feed.counters;
    assert.deepEqual({ lost, doubled, malformed }, { lost: 0, doubled: 0, malformed: 0 });
  }
}

/** @param {number} a @param {number} b */
export const range = (a, b) => Array.from({ length: b - a + 1 }, (_, k) => a + k);
