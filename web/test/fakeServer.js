// A server without a network: a clock that tests advance, a log of ticks, and the browser's two connection classes, which
// read that log by the protocol. Tests decide how much is delivered and when a connection breaks.

import assert from 'node:assert/strict';
import { Feed } from '../lane/feed.js';
import { sentence } from '../lane/sentences.js';

const HB = 15_000;

/** @import { Lane } from '../types.js' */
/** @typedef {{ S: string, n: number, i: number, t: number, events: object[] }} Tick */

export class FakeServer {
  time = 1_700_000_000_000;
  /** Ms by which the wall clock was set. */
  shift = 0;
  epoch = 'a1';
  oldest = 1;
  /** @type {Tick[]} */
  ticks = [];
  /** @type {Map<string, number>} */
  n = new Map();
  /** @type {Conn[]} all connections, open or closed */
  conns = [];
  /** @type {Set<{ at: number, fn: () => void }>} */
  timers = new Set();
  /** Whether new connections get a hello; otherwise they hang. */
  answering = true;
  resumes = /** @type {string[]} */ ([]);
  /** Users whose next subscription on a lane is answered with an error status: "<lane> <user>". @type {Set<string>} */
  refusing = new Set();
  /** Users whose next subscription on a lane gets a reset: "<lane> <user>". @type {Set<string>} */
  resetting = new Set();
  /** By symbol. @type {Map<string, string>} */
  sectors = new Map();
  /** Paths of requests that fail. @type {Set<string>} */
  failing = new Set();
  /** Requests are answered once this is fulfilled. @type {Promise<void>} */
  gate = Promise.resolve();
  /** @type {string[]} paths of the requests */
  fetched = [];
  /** The user's session; null when there is none, undefined when the server has no sessions. @type {{ subject: string, expires: number } | null | undefined} */
  session = undefined;
  /** Ms by which a renewal extends the session: 0 when it can't be extended, null when it is refused. @type {number | null} */
  life = null;
  /** The symbols that the user may read; null for all. @type {string[] | null} */
  readable = null;
  /** Names of the connections whose rights were renewed. @type {string[]} */
  renewed = [];
  /** Topics that the server doesn't have: a subscription with one of them is answered with an error status. @type {Set<string>} */
  unknown = new Set();
  /** Most topics of a stream. */
  mostTopics = Infinity;
  /** How a lane is blocked: refused; buffered: no data is delivered; muted: none after the first snapshot. @type {Map<Lane, 'refused' | 'buffered' | 'muted'>} */
  blocked = new Map();
  /** Quotes that one message of a snapshot has; Infinity for all. */
  chunk = Infinity;
  /** Ticks that the snapshot of a new stream is older than the log's head. */
  staleness = 0;
  /** Ms after which the browser's EventSource reconnects. */
  retry = 1_000;

  /** A feed's options that connect it to this server. */
  options = {
    origin: 'http://world',
    lifecycle: false,
    now: () => this.time,
    wall: () => this.time + this.shift,
    random: () => 0.5,
    setTimeout: (/** @type {() => void} */ fn, /** @type {number} */ ms) => {
      const timer = { at: this.time + ms, fn };
      this.timers.add(timer);
      return timer;
    },
    clearTimeout: (/** @type {any} */ timer) => void this.timers.delete(timer),
    EventSource: source(this),
    WebSocket: socket(this),
    fetch: /** @type {any} */ (
      async (/** @type {URL | string} */ address, /** @type {any} */ init) => {
        const url = new URL(address);
        this.fetched.push(url.pathname);
        await this.gate;
        if (this.failing.has(url.pathname)) throw new TypeError('no network');
        if (url.pathname === '/api/symbols') return new Response(JSON.stringify({ symbols: [...this.sectors].map(([symbol, sector]) => ({ symbol, sector })) }));
        if (url.pathname === '/api/quotes') {
          const topics = (url.searchParams.get('topics') ?? '*').split(',');
          return new Response(JSON.stringify(this.snapshot(topics, this.head)), { headers: { 'Ticklane-Position': `${this.epoch}-${this.head}` } });
        }
        if (url.pathname.startsWith('/api/session')) return this.answerSession(init.method);
        const conn = this.conns.find((c) => url.pathname === `/${c.lane}/connections/${c.name}`);
        if (conn?.open && JSON.parse(init.body).action === 'auth') {
          this.renewed.push(conn.name);
          return new Response('{"T":"auth","status":"renewed"}');
        }
        if (!conn?.open || conn.lane !== 'sse') return new Response('{"title":"Not Found"}', { status: 404 });
        const answer = conn.command(JSON.parse(init.body));
        return new Response(JSON.stringify(answer), { status: answer.T === 'error' ? 400 : 200 });
      }
    ),
  };

  /** @param {string} method */
  answerSession(method) {
    if (this.session === undefined) return new Response('{}', { status: 404 });
    if (method === 'POST' && this.life !== null && this.session) this.session.expires += this.life * 1000;
    if (this.session === null || (method === 'POST' && this.life === null)) return new Response('{}', { status: 401 });
    return new Response(JSON.stringify(this.session), { headers: { Date: new Date(this.time).toUTCString() } });
  }

  get head() {
    return this.ticks.length;
  }

  /** @param {string} S @param {...object} events messages that are sent before it, without n and i */
  tick(S, ...events) {
    const n = (this.n.get(S) ?? 0) + 1;
    this.n.set(S, n);
    this.ticks.push({ S, n, i: this.ticks.length + 1, t: this.time * 1000, events });
  }

  /** Restarts with another log. @param {string} epoch */
  restart(epoch) {
    this.epoch = epoch;
    this.ticks = [];
    this.n = new Map();
    this.oldest = 1;
    for (const c of this.live) c.cut();
  }

  /** @param {string[]} topics @param {number} i */
  snapshot(topics, i) {
    /** @type {Map<string, Tick>} */
    const newest = new Map();
    for (const k of this.ticks.slice(0, i)) if (wants(this, topics, k)) newest.set(k.S, k);
    return { T: 'snapshot', i, quotes: [...newest.values()].map((k) => ({ ...quote(k), o: 9, h: 99, l: 8, c: 10 })) };
  }

  /** A snapshot's messages. @param {string[]} topics @param {number} i */
  parts(topics, i) {
    const { quotes, ...m } = this.snapshot(topics, i);
    const parts = Math.ceil(quotes.length / this.chunk);
    if (!(parts > 1)) return [{ ...m, quotes }];
    return Array.from({ length: parts }, (_, k) => ({ ...m, part: k + 1, parts, quotes: quotes.slice(k * this.chunk, (k + 1) * this.chunk) }));
  }

  get live() {
    return this.conns.filter((c) => c.open);
  }

  /** The newest open connection. @returns {Conn} */
  get conn() {
    const conn = this.live.at(-1);
    if (!conn) throw new Error('no connection is open');
    return conn;
  }

  /** Delivers all messages. */
  pump() {
    for (const c of this.live) c.pump();
  }

  /** @param {number} ms */
  advance(ms) {
    const until = this.time + ms;
    for (;;) {
      const due = [...this.timers].filter((t) => t.at <= until).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.timers.delete(due);
      this.time = Math.max(this.time, due.at);
      due.fn();
    }
    this.time = until;
  }
}

/** Fulfilled after pending promise callbacks. */
export const settled = () => new Promise((resolve) => setImmediate(resolve));

/** @param {Tick} k */
const quote = (k) => ({ T: 'q', S: k.S, bp: 10, bs: 100, ap: 10.01, as: 200, p: 10 + k.i / 100, v: k.i, t: k.t, n: k.n, i: k.i });

/** The server's side of a connection. */
export class Conn {
  open = true;
  established = false;
  pos = 0;
  /** The time until which nothing is delivered. */
  heldUntil = 0;
  /** @type {object[]} messages to deliver before the next tick */
  due = [];

  /** @param {FakeServer} server @param {Lane} lane @param {URL} url @param {(m: any) => void} deliver @param {(how?: { code?: number, gaveUp?: boolean }) => void} broke */
  constructor(server, lane, url, deliver, broke) {
    this.server = server;
    this.lane = lane;
    this.url = url;
    this.deliver = deliver;
    this.broke = broke;
    this.name = `c${server.conns.length + 1}`;
    this.from = url.searchParams.get('from');
    this.topics = (url.searchParams.get('topics') ?? '*').split(',');
    this.user = url.searchParams.get('user') ?? '';
    server.conns.push(this);
    this.refused = server.blocked.get(lane) === 'refused' || server.refusing.delete(`${lane} ${this.user}`) || this.topics.some((t) => server.unknown.has(t)) || this.topics.length > server.mostTopics;
    if (this.refused) queueMicrotask(() => this.cut({ gaveUp: true }));
  }

  /** Queues the hello and what follows it. */
  queueHello() {
    const { server } = this;
    this.established = true;
    const [epoch, seq] = (this.from ?? '').split('-');
    const at = Number(seq);
    let resume = 'none';
    if (this.from !== null) resume = epoch !== server.epoch || at > server.head ? 'reset' : at + 1 < server.oldest ? 'gap' : 'complete';
    if (server.resetting.delete(`${this.lane} ${this.user}`)) resume = 'reset';
    server.resumes.push(resume);
    this.due.push({
      T: 'hello', conn: this.name, lane: this.lane, engine: 'stream', epoch: server.epoch, head: server.head,
      oldest: server.oldest, resume, mode: 'all', topics: this.topics, hb: HB, t: server.time * 1000,
      ...(resume !== 'complete' && { snapshot: true }), ...(server.readable && this.topics.includes('*') && { narrowed: true }),
    });
    this.pos = resume === 'complete' ? at : Math.max(server.head - server.staleness, resume === 'gap' ? at : 0);
    if (resume === 'gap') this.gap(at + 1, 'expired');
    else if (resume !== 'complete') this.due.push(...this.parts(this.topics));
  }

  /** Queues a gap up to the position, and its snapshot. @param {number} from @param {string} reason */
  gap(from, reason) {
    this.due.push({ T: 'gap', from, to: this.pos, missed: this.pos - from + 1, reason, snapshot: true }, ...this.parts(this.topics));
  }

  /** The messages of a snapshot. @param {string[]} topics */
  parts(topics) {
    return this.server.parts(topics, this.pos);
  }

  /** The next message of the stream, null when there is none. */
  next() {
    if (!this.established) this.queueHello();
    const due = this.due.shift();
    if (due) return due;
    const { server } = this;
    while (this.pos < server.head) {
      const k = /** @type {Tick} */ (server.ticks[this.pos++]);
      if (!wants(server, this.topics, k)) continue;
      this.due.push(...k.events.map((e) => ({ ...e, S: k.S, t: k.t, n: k.n, i: k.i })), quote(k));
      return this.due.shift();
    }
    return null;
  }

  /** Delivers at most `most` messages. @param {number} [most] */
  pump(most = Infinity) {
    const way = this.server.blocked.get(this.lane);
    if (!this.server.answering || this.refused || way === 'buffered' || (way === 'muted' && this.established && this.due.length === 0) || this.heldUntil > this.server.time) return;
    for (let k = 0; k < most && this.open; k++) {
      const m = this.next();
      if (m === null) return;
      this.deliver(m);
    }
  }

  /** Delivers a message that is not in the log. @param {any} m */
  send(m) {
    this.deliver(m);
  }

  /** Breaks the connection; undelivered messages are lost. @param {{ code?: number, gaveUp?: boolean }} [how] */
  cut(how = {}) {
    if (!this.open) return;
    this.open = false;
    this.broke(how);
  }

  /** @param {{ action: string, topics: string[], id?: number }} c @returns {any} the answer */
  command(c) {
    const unknown = c.topics.filter((t) => t.startsWith('NO'));
    if (unknown.length > 0) return { T: 'error', code: 'unknown_topic', msg: `unknown topic ${unknown}`, id: c.id };
    this.pump();
    const added = c.topics.filter((t) => !this.topics.includes(t));
    if (c.action === 'subscribe' && this.topics.length + added.length > this.server.mostTopics) return { T: 'error', code: 'too_many_topics', msg: 'too many topics', id: c.id };
    this.topics = c.action === 'subscribe' ? [...this.topics, ...added] : this.topics.filter((t) => !c.topics.includes(t));
    const snapshot = added.length > 0 && c.action === 'subscribe';
    const answer = { T: 'subscription', topics: this.topics, i: this.pos, id: c.id, ...(snapshot && { snapshot }), ...(this.server.readable && this.topics.includes('*') && { narrowed: true }) };
    this.due.push(answer);
    if (snapshot) this.due.push(...this.parts(added));
    return answer;
  }
}

/** @param {FakeServer} server @param {string[]} topics @param {Tick} k */
const wants = (server, topics, k) => (server.readable === null || server.readable.includes(k.S)) && (topics.includes('*') || topics.includes(k.S) || topics.includes(`sector:${server.sectors.get(k.S)}`));

/** @param {FakeServer} server */
const source = (server) =>
  class extends EventTarget {
    readyState = 0;
    lastID = '';
    /** @param {string} url */
    constructor(url) {
      super();
      this.url = new URL(url);
      this.conn = this.connect();
    }
    connect() {
      return new Conn(server, 'sse', this.url, (m) => this.deliver(m), (how) => this.broke(how));
    }
    /** @param {any} m */
    deliver(m) {
      this.readyState = 1;
      const seq = m.snapshot || m.part < m.parts ? undefined : { q: m.i, snapshot: m.i, gap: m.to, hb: m.head, hello: this.conn.pos, subscription: m.i }[/** @type {string} */ (m.T)];
      if (seq !== undefined) this.lastID = `${server.epoch}-${seq}`;
      this.dispatchEvent(new MessageEvent(m.T === 'q' ? 'message' : m.T, { data: JSON.stringify(m) }));
    }
    /** @param {{ gaveUp?: boolean }} [how] */
    broke({ gaveUp } = {}) {
      this.readyState = gaveUp ? 2 : 0;
      if (!gaveUp) {
        server.options.setTimeout(() => {
          if (this.readyState !== 0) return;
          this.conn = this.connect();
          if (this.lastID) this.conn.from = this.lastID; // Last-Event-ID takes precedence over the URL
        }, server.retry);
      }
      this.dispatchEvent(new Event('error'));
    }
    close() {
      this.readyState = 2;
      this.conn.open = false;
    }
  };

/** @param {FakeServer} server */
const socket = (server) =>
  class extends EventTarget {
    readyState = 1;
    /** @param {string} url @param {string} protocol */
    constructor(url, protocol) {
      super();
      if (!url.startsWith('ws:') || protocol !== 'ticklane.v1.json') throw new Error(`unexpected ${url} ${protocol}`);
      this.conn = new Conn(
        server, 'ws', new URL(url),
        (m) => this.dispatchEvent(new MessageEvent('message', { data: JSON.stringify(m) })),
        ({ code = 1006 } = {}) => this.dispatchEvent(Object.assign(new Event('close'), { code })),
      );
    }
    /** @param {string} text */
    send(text) {
      const answer = this.conn.command(JSON.parse(text));
      if (answer.T === 'error') this.conn.due.push(answer);
    }
    close() {
      this.readyState = 3;
      this.conn.open = false;
    }
  };

/** @import { FeedOptions } from '../types.js' */

/** Starts a feed with a new server, and records what it emits. @param {FeedOptions} [options] @param {string[]} [symbols] */
export function begin(options = {}, symbols = ['AAPL', 'MSFT', 'NVDA']) {
  const server = new FakeServer();
  for (const s of symbols) server.tick(s);
  const feed = new Feed({ ...server.options, ...options });
  /** @type {number[]} */
  const seen = [];
  /** @type {string[]} */
  const events = [];
  /** @type {string[]} */
  const states = [];
  feed.on('message', (m) => m.T === 'q' && seen.push(m.i));
  feed.on('event', (e) => events.push(sentence(e)));
  feed.on('state', (s) => states.push(s.name));
  feed.start();
  return { server, feed, seen, events, states };
}

/** Asserts that no tick was lost or duplicated. @param {Feed} feed */
export function sound({ counters }) {
  assert.deepEqual({ lost: counters.lost, doubled: counters.doubled }, { lost: 0, doubled: 0 });
}

/** A seeded random generator (mulberry32). @param {number} seed */
export function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
