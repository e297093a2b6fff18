import { request } from '../../browser/http.js';
import { TabStream } from './tabStream.js';
import { platform } from '../platform.js';
import { Upstream } from './upstream.js';

/** @typedef {import('../../types.js').Lane} Lane */
/** @typedef {ReturnType<typeof platform>} Platform */
/** @typedef {{ postMessage: (m: any) => void, onmessage: ((e: any) => void) | null, onclose?: (() => void) | null }} Port */

/** What the worker holds: for each lane in use one connection, and the tabs that share it. */
export class Hub {
  #options;
  /** By everything that the subscription says but its topics and its place. @type {Map<string, Upstream>} */
  #upstreams = new Map();
  /** Of each symbol; asked for once a topic needs it. @type {Map<string, string>} */
  #sectors = new Map();
  /** @type {Promise<void> | null} */
  #asked = null;
  #epoch = ''; // of the log that the sectors were asked for in

  /** @param {Partial<Platform> & { kept?: number }} [options] */
  constructor(options = {}) {
    this.#options = { ...platform(), ...options };
  }

  /** A tab came. @param {Port} port */
  connect(port) {
    /** @type {Map<number, { tab: TabStream, upstream: Upstream }>} */
    const open = new Map();
    // The tab is gone, however it went. Browsers without this event let go of it a minute later (TabStream.dead).
    port.onclose = () => {
      for (const { tab, upstream } of open.values()) upstream.leave(tab);
      open.clear();
    };
    port.onmessage = ({ data: m }) => {
      if (m.open !== undefined) {
        const at = this.#place(port, m);
        open.set(m.open, at);
        port.postMessage({ id: m.open, opened: true });
        void this.#sectorsFor(at.tab.topics).then(() => open.get(m.open) === at && at.upstream.join(at.tab));
        return;
      }
      const at = open.get(m.id);
      if (!at) return;
      const { tab, upstream } = at;
      if (m.close) {
        open.delete(m.id);
        upstream.leave(tab);
      } else if (m.took) {
        tab.took(m.took);
        upstream.took(tab);
      } else if (m.action) {
        void this.#sectorsFor(m.topics).then(() => upstream.command(tab, m.action, m.topics, m.answer));
      }
    };
  }

  /** @param {Port} port @param {{ open: number, lane: Lane, url: string, encoding: import('../../types.js').Encoding, commandBytes: number }} m */
  #place(port, { open, lane, url, encoding, commandBytes }) {
    const { origin, searchParams } = new URL(url);
    const { topics = '*', from, user = 'anonymous', mode = 'all', ...query } = Object.fromEntries(searchParams);
    const key = JSON.stringify([lane, origin, encoding, user, mode, Object.entries(query).sort()]);
    let upstream = this.#upstreams.get(key);
    if (!upstream) {
      upstream = new Upstream(lane, { ...this.#options, origin, encoding, commandBytes, user, mode: mode === 'latest' ? 'latest' : 'all', query }, {
        sector: (symbol) => this.#sectors.get(symbol),
        began: (epoch, topics) => this.#began(epoch, topics),
        used: (self) => {
          if (!this.#upstreams.has(key)) this.#upstreams.set(key, self);
        },
        empty: (self) => {
          if (this.#upstreams.get(key) === self) this.#upstreams.delete(key);
        },
      });
      this.#upstreams.set(key, upstream);
    }
    return { upstream, tab: new TabStream(port, open, topics.split(','), from, this.#options) };
  }

  /** A server that was started anew may have other symbols. @param {string} epoch of its log @param {string[]} topics */
  #began(epoch, topics) {
    if (epoch === this.#epoch) return;
    if (this.#epoch !== '') {
      this.#sectors.clear();
      this.#asked = null;
    }
    this.#epoch = epoch;
    void this.#sectorsFor(topics);
  }

  /** Which symbols a sector has only the server knows. @param {string[]} topics @returns {Promise<void>} */
  #sectorsFor(topics) {
    if (!topics.some((t) => t.startsWith('sector:'))) return Promise.resolve();
    const { fetch, origin } = this.#options;
    this.#asked ??= request(`${origin}/api/symbols`, { fetch }).then(async (r) => {
      for (const { symbol, sector } of (await r.json()).symbols) this.#sectors.set(symbol, `sector:${sector}`);
    }).catch(() => void (this.#asked = null));
    return this.#asked;
  }
}
