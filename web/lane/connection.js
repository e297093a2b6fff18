import { SnapshotParts } from './snapshotParts.js';
import { connectSSE } from './sse.js';
import { Watchdog } from './watchdog.js';
import { connectWS } from './ws.js';

/** @import { Connector, Hello, Lane, Mode } from '../types.js' */

/** @typedef {ReturnType<typeof import('./platform.js').platform> & { user: string, mode: Mode, interval?: number, encoding?: import('../types.js').Encoding, query?: Record<string, string>, share?: import('./sharedConnections.js').SharedConnections | null }} ConnectionOptions */

/** One connection of a feed: its URL, its hello, its messages and its end. */
export class Connection {
  lane;
  /** The position that the URL requested; undefined for the newest. */
  requested;
  /** @type {Hello | null} */
  hello = null;
  /** Wall ms of the hello. */
  liveAt = 0;
  /** Whether it has ended; messages that arrive later are ignored. */
  over = false;
  /** What the browser reported about its end. @type {import('../types.js').Close} */
  close = {};
  /** Joins the parts of its snapshots. */
  parts = new SnapshotParts();
  /** @type {Connector | null} null when the browser refused to create it */
  #connector = null;
  #watchdog;

  /**
   * @param {Lane} lane
   * @param {{ topics: string[], from: string | undefined }} subscription
   * @param {ConnectionOptions} options
   * @param {{ text: (connection: Connection, data: string | Uint8Array, read: () => import('../types.js').Message | null, received?: number) => void, closed: (connection: Connection, why: string) => void }} feed closed is
   *   called at most once, never from the constructor, and not after drop
   */
  constructor(lane, { topics, from }, options, feed) {
    this.lane = lane;
    this.requested = from;
    const query = new URLSearchParams({ ...options.query, user: options.user, topics: topics.join(','), mode: options.mode });
    if (options.interval !== undefined) query.set('interval', `${options.interval}ms`);
    if (from !== undefined) query.set('from', from);
    const url = `${options.origin}/${lane}/subscribe?${query}`;

    const closed = (/** @type {string} */ why, /** @type {import('../types.js').Close} */ close = {}) => {
      if (this.over) return;
      this.close = close;
      this.drop();
      feed.closed(this, why);
    };
    const hooks = {
      closed,
      text: (/** @type {string | Uint8Array} */ data, /** @type {() => import('../types.js').Message | null} */ read, /** @type {number | undefined} */ received) => {
        if (this.over) return;
        this.#watchdog.received();
        feed.text(this, data, read, received);
      },
    };
    this.#watchdog = new Watchdog(options, () => closed('silent'));
    const connect = () => (lane === 'sse' ? connectSSE(url, hooks, options) : connectWS(url, hooks, options));
    try {
      this.#connector = options.share ? options.share.connect(lane, url, hooks, options.encoding ?? 'json', connect) : connect();
    } catch {
      queueMicrotask(() => closed('refused')); // for example ws: from an https: page
    }
  }

  /** @param {Hello} hello @param {number} wall ms */
  established(hello, wall) {
    this.hello = hello;
    this.liveAt = wall;
    this.#watchdog.expect(hello.hb);
  }

  /** Closes it without calling closed. */
  drop() {
    this.over = true;
    this.#watchdog.stop();
    this.#connector?.close();
  }

  /** Checks at once whether the connection is dead. */
  check() {
    if (!this.over) this.#watchdog.check();
  }

  /** Gives the open stream the rights of the browser's present session. */
  async renew() {
    if (this.hello) await this.#connector?.renew(this.hello.conn);
  }

  /** Sends a command; returns null before the hello. @param {'subscribe' | 'unsubscribe'} action @param {string[]} topics */
  command(action, topics) {
    return this.hello && this.#connector ? this.#connector.command(action, topics, this.hello.conn) : null;
  }
}
