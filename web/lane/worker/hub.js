import { getJSON } from '../../browser/http.js';
import { Retry } from '../../browser/retry.js';
import { useInstruments } from '../../model/instruments.js';
import { TabStream } from './tabStream.js';
import { platform } from '../platform.js';
import { Upstream } from './upstream.js';

const SYMBOLS = 2_000; // ms that a tab waits for the list of symbols; a request that hangs must not delay its stream

/** @import { Lane } from '../../types.js' */
/** @typedef {ReturnType<typeof platform>} Platform */
/** @typedef {{ postMessage: (m: any) => void, onmessage: ((e: any) => void) | null, onclose?: (() => void) | null }} Port */

/** The worker's state: one connection for each lane and set of parameters in use, and the tabs that share it. */
export class Hub {
  #options;
  /** By the subscription's parameters without topics and position. @type {Map<string, Upstream>} */
  #upstreams = new Map();
  /** The sector topic of each symbol. @type {Map<string, string>} */
  #sectors = new Map();
  #symbolsKnown = false;
  #fetching;
  #epoch = ''; // of the log that the sectors belong to
  /** The session and the users of the tabs, from when a tab needs them. @type {Promise<import('./users.js').Users> | null} */
  #users = null;

  /** @param {Partial<Platform> & { ringSize?: number }} [options] */
  constructor(options = {}) {
    this.#options = { ...platform(), ...options };
    this.#fetching = new Retry(() => this.#fetchSymbols(), this.#options);
  }

  /** Handles the messages of a tab. @param {Port} port */
  connect(port) {
    /** @type {Map<number, { tab: TabStream, upstream: Upstream }>} */
    const open = new Map();
    // The tab was closed or crashed. In browsers without this event its streams end a minute later (TabStream.dead).
    port.onclose = () => {
      for (const { tab, upstream } of open.values()) upstream.leave(tab);
      open.clear();
      void this.#users?.then((users) => users.forget(port));
    };
    port.onmessage = ({ data: m }) => {
      if (m.session) {
        this.#handleSession(port, m.session);
        return;
      }
      if (m.open !== undefined) {
        const stream = this.#open(port, m);
        open.set(m.open, stream);
        port.postMessage({ id: m.open, opened: true });
        void Promise.all([this.#awaitSymbols(stream.tab.topics, m.encoding), this.#admits(port)]).then(([, admitted]) => {
          if (open.get(m.open) !== stream) return;
          if (admitted) stream.upstream.join(stream.tab);
          else stream.tab.control({ closed: 'other-user', close: {} });
        });
        return;
      }
      const stream = open.get(m.id);
      if (!stream) return;
      const { tab, upstream } = stream;
      if (m.close) {
        open.delete(m.id);
        upstream.leave(tab);
      } else if (m.took) {
        tab.acknowledge(m.took);
        upstream.acknowledged(tab);
      } else if (m.action) {
        void this.#awaitSymbols(m.topics).then(() => upstream.command(tab, m.action, m.topics, m.answer));
      }
    };
  }

  /** @param {Port} port @param {true | 'out' | 'suspect'} what true: the tab needs the session */
  #handleSession(port, what) {
    // Only a server with authentication has sessions, so the code is loaded when a tab needs it.
    this.#users ??= import('./users.js').then(({ Users }) => new Users(this.#options, {
      renew: () => this.#upstreams.forEach((upstream) => upstream.renew()),
      deny: (why) => [...this.#upstreams.values()].forEach((upstream) => upstream.deny(why)),
    }));
    void this.#users.then((users) => {
      if (what === true) users.watch(port);
      else if (what === 'out') users.signOut();
      else users.suspect();
    });
  }

  /** @param {Port} port @returns {Promise<boolean>} */
  async #admits(port) {
    return this.#users === null || (await this.#users).admits(port);
  }

  /** @param {Port} port @param {{ open: number, lane: Lane, url: string, encoding: import('../../types.js').Encoding, commandBytes: number, mostTopics: number }} m */
  #open(port, { open, lane, url, encoding, commandBytes, mostTopics }) {
    const { searchParams } = new URL(url);
    const [origin = ''] = url.split(`/${lane}/subscribe?`, 1); // with the base path
    const { topics = '*', from, user = 'anonymous', mode = 'all', ...query } = Object.fromEntries(searchParams);
    const key = JSON.stringify([lane, origin, encoding, user, mode, Object.entries(query).sort()]);
    let upstream = this.#upstreams.get(key);
    if (!upstream) {
      upstream = new Upstream(lane, { ...this.#options, origin, encoding, commandBytes, mostTopics, user, mode: mode === 'latest' ? 'latest' : 'all', query }, {
        sector: (symbol) => this.#sectors.get(symbol),
        began: (epoch, topics) => this.#began(epoch, topics),
        used: (self) => {
          if (!this.#upstreams.has(key)) this.#upstreams.set(key, self);
        },
        empty: (self) => {
          if (this.#upstreams.get(key) === self) this.#upstreams.delete(key);
        },
        rights: (what) => void this.#users?.then((users) => (what === 'expiring' ? users.renew() : users.suspect())),
      });
      this.#upstreams.set(key, upstream);
    }
    return { upstream, tab: new TabStream(port, open, topics.split(','), from, this.#options) };
  }

  /** Fetches the symbols again after a server restart, which may have changed them. @param {string} epoch of its log @param {string[]} topics */
  #began(epoch, topics) {
    void this.#users?.then((users) => users.suspect()); // the cookie that the connection had may be another user's
    if (epoch === this.#epoch) return;
    if (this.#epoch !== '') {
      this.#sectors.clear();
      this.#symbolsKnown = false;
    }
    this.#epoch = epoch;
    void this.#awaitSymbols(topics);
  }

  /**
   * Fetches the list of symbols, and waits for it if a topic is a sector, or if messages are in protobuf, which needs the
   * decimals. While the request hangs or fails, streams go on without it, and it is repeated.
   * @param {string[]} topics @param {import('../../types.js').Encoding} [encoding] @returns {Promise<unknown>} fulfilled in any case
   */
  #awaitSymbols(topics, encoding) {
    if (this.#symbolsKnown) return Promise.resolve();
    const { setTimeout, clearTimeout } = this.#options;
    const fetched = this.#fetching.failure ? Promise.resolve() : this.#fetching.start();
    if (encoding !== 'protobuf' && !topics.some((t) => t.startsWith('sector:'))) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(null), SYMBOLS);
      void fetched.then(() => {
        clearTimeout(timer);
        resolve(null);
      });
    });
  }

  async #fetchSymbols() {
    const { fetch, origin } = this.#options;
    const epoch = this.#epoch;
    const { symbols } = await getJSON(`${origin}/api/symbols`, { fetch });
    if (epoch !== this.#epoch && epoch !== '') throw new Error('the server was restarted meanwhile');
    useInstruments(symbols);
    for (const { symbol, sector } of symbols) this.#sectors.set(symbol, `sector:${sector}`);
    this.#symbolsKnown = true;
  }
}
