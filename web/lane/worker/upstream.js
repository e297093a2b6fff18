import { Sequence } from '../sequence.js';
import { Connection } from '../connection.js';
import { Ring } from './ring.js';
import { Snapshots } from './snapshots.js';
import { TopicSync } from '../topics.js';

/** @typedef {import('../../types.js').Lane} Lane */
/** @typedef {import('../../types.js').Message} Message */
/** @typedef {import('../../types.js').Gap} Gap */
/** @typedef {import('./tabStream.js').TabStream} TabStream */
/** @typedef {import('../connection.js').ConnectionOptions} ConnectionOptions */

const KEPT = 16_384; // ticks
const PACE = 16; // ms between batches: a tab paints once in as long
const RETURN = 60_000; // ms that a lost stream's ticks are kept for the tabs that come back

/**
 * One connection for the tabs of one lane. To each tab it is what the server is: it says hello, answers a position with
 * what came since, a gap or a reset, sends snapshots, takes commands. So a tab accounts for its stream as for one of
 * its own, and a fault here shows there as lost or doubled. It reconnects when a tab does, never by itself.
 */
export class Upstream {
  #lane;
  #options;
  #hub;
  /** @type {Set<TabStream>} */
  #tabs = new Set();
  /** @type {Connection | null} */
  #connection = null;
  #sequence = new Sequence();
  #quotes;
  #ring;
  /** @type {TopicSync | null} */
  #sync = null;
  /** From which seq on each topic is carried. @type {Map<string, number>} */
  #since = new Map();
  /** @type {Gap | null} a gap whose snapshot isn't here yet */
  #gap = null;
  #wide = false; // the tabs want more topics than the server takes, so it sends everything
  #lostAt = 0; // wall ms
  #greeted = true; // the newest connection had its hello
  #serverTime = 0; // µs, the newest that the server told
  /** @type {any} */
  #flushing = null;
  #flushedAt = 0;
  /** @type {any} */
  #beat = null;
  /** @type {Promise<void>} changes of topics, one after the other */
  #queue = Promise.resolve();
  /** Catching up, one at a time: a browser has six connections for a host. @type {TabStream[]} */
  #behind = [];

  /**
   * @param {Lane} lane
   * @param {ConnectionOptions & { kept?: number, commandBytes: number }} options kept: how many ticks the ring holds
   * @param {{
   *   sector: (symbol: string) => string | undefined, began: (epoch: string, topics: string[]) => void,
   *   used: (self: Upstream) => void, empty: (self: Upstream) => void,
   * }} hub sector gives a symbol's topic "sector:…", if it is known; began is told of each stream; used when a tab came, empty
   *   when the last one has gone
   */
  constructor(lane, options, hub) {
    this.#lane = lane;
    this.#options = options;
    this.#ring = new Ring(options.kept ?? KEPT);
    this.#hub = hub;
    this.#quotes = this.#collect();
  }

  /** How many tabs share it. */
  get tabs() {
    return new Set([...this.#tabs].map((o) => o.port)).size;
  }

  /** @param {TabStream} o */
  join(o) {
    this.#tabs.add(o);
    this.#hub.used(this);
    this.#count();
    this.#connection?.check(); // after a sleep it may be dead, and the tabs know before
    if (!this.#tabs.has(o)) return;
    if (!this.#connection) this.#open(o);
    else {
      this.#settle();
      if (!o.live) this.#want(o);
    }
  }

  /** @param {TabStream} o */
  leave(o) {
    if (!this.#tabs.delete(o)) return;
    this.#straighten(o);
    if (this.#tabs.size > 0) {
      this.#wide = false; // there may be room again
      this.#count();
      this.#want(null);
      return;
    }
    this.#forget();
    this.#hub.empty(this);
  }

  /** @param {TabStream} o @param {'subscribe' | 'unsubscribe'} action @param {string[]} topics @param {number} answer */
  command(o, action, topics, answer) {
    if (!o.live || o.change) {
      o.tell({ answer, error: { code: 'rate', msg: 'an earlier change is under way' } }); // it asks again
      return;
    }
    const added = action === 'subscribe' ? topics.filter((t) => !o.topics.includes(t)) : [];
    o.change = { topics: action === 'subscribe' ? [...o.topics, ...added] : o.topics.filter((t) => !topics.includes(t)), added, answer };
    this.#settle();
    if (o.change) this.#want(o);
    else this.#want(null);
  }

  /** A tab took batches, so there may be room for more. @param {TabStream} o */
  took(o) {
    if (this.#tabs.has(o) && !o.level(this.#ring)) this.#flushLater();
  }

  // --- the connection -------------------------------------------------------------------------------------------

  /** @param {TabStream} o the first tab */
  #open(o) {
    const { wall } = this.#options;
    const stale = this.#lostAt === 0 || wall() - this.#lostAt > RETURN;
    if (stale || (!this.#greeted && this.#sync?.resumable.some((topic) => !o.topics.includes(topic)))) {
      // A server that came back without one of the topics refuses every resume that asks for it: then only what this
      // tab, which may have learnt of that, still wants.
      this.#fresh(o.topics);
    }
    const own = this.#sequence.position;
    const from = own ?? o.from;
    const topics = own === undefined ? this.#union() : /** @type {TopicSync} */ (this.#sync).resumable;
    this.#connect(topics, from);
    this.#want(o);
  }

  /** @param {string[]} topics @param {string | undefined} from */
  #connect(topics, from) {
    this.#greeted = false;
    this.#quotes.begin();
    this.#connection = new Connection(this.#lane, { topics, from }, this.#options, {
      text: (connection, data, read) => this.#text(connection, data, read),
      closed: (connection, why) => this.#closed(why, connection.close),
    });
    this.#beat ??= this.#options.setTimeout(() => this.#heartbeat(), 1_000);
  }

  /** Nothing of before counts. @param {string[]} topics */
  #fresh(topics) {
    this.#sync?.stop();
    this.#sequence = new Sequence();
    this.#quotes = this.#collect();
    this.#since.clear();
    this.#ring.restart(0);
    this.#gap = null;
    this.#sync = new TopicSync(topics, {
      ...this.#options,
      send: (action, list) => this.#connection?.command(action, list) ?? null,
      adding: (due) => this.#sequence.expectAdded(due),
      refused: () => {},
      gone: () => {
        this.#connection?.drop();
        this.#closed('unknown', {});
      },
    });
  }

  #forget() {
    this.#connection?.drop();
    this.#connection = null;
    this.#lostAt = 0;
    this.#sync?.stop();
    this.#options.clearTimeout(this.#beat);
    this.#options.clearTimeout(this.#flushing);
    this.#beat = this.#flushing = null;
  }

  /** It ended: so have the tabs' streams, and each comes back by its own waits. @param {string} why @param {import('../../types.js').Close} close */
  #closed(why, close) {
    this.#flush();
    this.#connection = null;
    this.#lostAt = this.#options.wall();
    for (const o of [...this.#tabs]) this.#shut(o, why, close);
  }

  /** @param {TabStream} o @param {string} why @param {import('../../types.js').Close} [close] */
  #shut(o, why, close = {}) {
    if (!this.#tabs.delete(o)) return;
    this.#straighten(o);
    o.tell({ closed: why, close });
    this.#count();
    if (this.#tabs.size === 0 && this.#connection) {
      this.#connection.drop();
      this.#connection = null;
      this.#lostAt = this.#options.wall();
    } else if (this.#connection) this.#want(null);
  }

  // --- messages -------------------------------------------------------------------------------------------------

  /** @param {Connection} connection @param {string | Uint8Array} data @param {() => Message | null} read */
  #text(connection, data, read) {
    const at = this.#options.now();
    /** @type {Message | null} */
    let m;
    try {
      m = read();
    } catch {
      for (const o of this.#tabs) if (o.live) o.relay([data], [at]); // each tab counts it and says so
      return;
    }
    if (m === null) return;
    if (m.T === 'hello') {
      connection.established(m, this.#options.wall());
      this.#greeted = true;
      this.#sequence.hello(m, connection.requested);
      this.#quotes.apply(m, at, false);
      this.#serverTime = m.t;
      this.#hub.began(m.epoch, m.topics);
      if (m.resume !== 'complete' || this.#ring.end === this.#ring.begin) this.#ring.restart(this.#sequence.seq);
      this.#sync?.hello(m.topics);
      if (m.resume !== 'complete') this.#since.clear();
      this.#settle();
      return;
    }
    if (m.T === 'bye') {
      this.#flush();
      for (const o of this.#tabs) if (o.live) o.say(m);
      connection.drop();
      this.#closed(m.reason, {});
      return;
    }
    const due = this.#sequence.awaitsSnapshot;
    const { deliver } = this.#sequence.take(m);
    if (deliver) this.#quotes.apply(m, at, due && m.T === 'snapshot');
    this.#booked(m, data, at, due);
  }

  /** @param {Message} m @param {string | Uint8Array} data @param {number} at @param {boolean} due whether a snapshot was due before */
  #booked(m, data, at, due) {
    switch (m.T) {
      case 'q':
        this.#serverTime = Math.max(this.#serverTime, m.t);
        this.#ring.push({ i: m.i, S: m.S, data, at });
        this.#flushLater();
        if (this.#quotes.waiting) this.#settle();
        break;
      case 'gap':
        this.#flush();
        this.#gap = m;
        break;
      case 'snapshot':
        this.#sync?.snapshot();
        if (due) this.#rebase();
        this.#settle();
        break;
      case 'hb':
        this.#serverTime = m.t;
        this.#flush();
        for (const o of this.#tabs) if (o.level(this.#ring)) o.say(m);
        break;
      case 'subscription':
        this.#sync?.subscription(m.topics);
        this.#settle();
        break;
    }
  }

  /** A snapshot set the base anew. Who was level hears of the gap; who wasn't comes back at its own position. */
  #rebase() {
    const { seq } = this.#sequence;
    const level = [...this.#tabs].filter((o) => o.level(this.#ring));
    const gap = this.#gap;
    this.#gap = null;
    this.#ring.restart(seq);
    this.#since.clear();
    for (const o of level) {
      if (gap) o.say(gap);
      o.say(this.#snapshot(o.topics));
      o.enter(this.#ring, seq);
    }
  }

  // --- the tabs' streams ----------------------------------------------------------------------------------------

  #flushLater() {
    if (this.#flushing !== null) return;
    const wait = Math.max(0, this.#flushedAt + PACE - this.#options.wall());
    this.#flushing = this.#options.setTimeout(() => this.#flush(), Math.min(PACE, wait));
  }

  #flush() {
    this.#options.clearTimeout(this.#flushing);
    this.#flushing = null;
    this.#flushedAt = this.#options.wall();
    for (const o of [...this.#tabs]) if (o.live && !o.flush(this.#ring, this.#hub.sector)) this.#shut(o, 'slow');
    if ([...this.#tabs].some((o) => o.change)) this.#settle();
  }

  /** Begins and changes the streams that can be. */
  #settle() {
    const hello = this.#connection?.hello;
    if (!hello || this.#sequence.awaitsSnapshot) return;
    const carried = this.#sync?.resumable ?? [];
    for (const t of this.#since.keys()) if (!carried.includes(t)) this.#since.delete(t);
    for (const t of carried) if (!this.#since.has(t)) this.#since.set(t, this.#sequence.seq);
    const carries = (/** @type {string} */ t) => carried.includes(t) || (this.#wide && carried.includes('*'));
    for (const o of [...this.#tabs]) {
      if (!o.live && !o.detour && !this.#behind.includes(o) && o.topics.every(carries)) this.#greet(o, hello);
      if (o.change?.topics.every(carries)) this.#grant(o);
    }
  }

  /** @param {TabStream} o @param {import('../../types.js').Hello} hello */
  #greet(o, hello) {
    const { seq } = this.#sequence;
    const [epoch, place] = (o.from ?? '').split('-');
    const at = Number(place);
    /** @type {import('../../types.js').Hello['resume']} */
    let resume = 'none';
    if (o.from !== undefined) {
      if (epoch !== hello.epoch) resume = 'reset';
      else if (this.#has(o.topics, at)) resume = 'complete';
      else if (at + 1 < hello.oldest) resume = 'gap';
      else {
        this.#behind.push(o);
        if (this.#behind.length === 1) this.#fetch(o, hello);
        return;
      }
    }
    if (resume !== 'complete' && !this.#quotes.ready) return;
    // What this connection itself is still catching up with comes late to the tab, too.
    const head = resume === 'complete' ? Math.max(seq, hello.head) : seq;
    o.say({ ...hello, topics: o.topics, head, resume, t: this.#serverTime });
    if (resume === 'gap') o.say({ T: 'gap', from: at + 1, to: seq, missed: seq - at, reason: 'expired' });
    if (resume !== 'complete') o.say(this.#snapshot(o.topics));
    o.enter(this.#ring, resume === 'complete' ? at : seq);
    this.#flushLater();
  }

  /** Whether the ring holds every tick of these topics above a seq. @param {string[]} topics @param {number} seq */
  #has(topics, seq) {
    return seq >= this.#ring.from && topics.every((t) => (this.#since.get(t) ?? (this.#wide ? this.#since.get('*') : undefined) ?? Infinity) <= seq);
  }

  /** What the ring no longer holds comes by a connection of its own, until it has come to where the ring begins. @param {TabStream} o @param {import('../../types.js').Hello} hello */
  #fetch(o, hello) {
    let at = 0;
    let due = false;
    o.detour = new Connection(this.#lane, { topics: o.topics, from: o.from }, this.#options, {
      text: (connection, data, read) => {
        const now = this.#options.now();
        /** @type {Message | null} */
        let m = null;
        try {
          m = read();
        } catch {
          o.relay([data], [now]);
        }
        if (m === null) return;
        if (m.T === 'bye') {
          this.#shut(o, m.reason);
          return;
        }
        if (m.T === 'hello') {
          connection.established(m, this.#options.wall());
          o.say({ ...m, conn: hello.conn });
          due = m.resume !== 'complete';
          at = due ? 0 : Number((connection.requested ?? '').split('-')[1]);
          // Changes nothing; its answer tells up to which seq quiet topics are complete.
          connection.command('subscribe', o.topics)?.catch(() => {});
        } else if (m.T === 'subscription') at = Math.max(at, m.i);
        else o.relay([data], [now]);
        if (m.T === 'gap') due = true;
        if (m.T === 'snapshot') due = false;
        if (m.T === 'q' || m.T === 'snapshot') at = m.i;
        if (m.T === 'hb') at = m.head;
        if (due || !this.#has(o.topics, at)) return;
        this.#straighten(o);
        o.enter(this.#ring, at);
        this.#flushLater();
      },
      closed: (connection, why) => this.#shut(o, why, connection.close),
    });
  }

  /** Ends a detour; the next one that waits for one has its turn. @param {TabStream} o */
  #straighten(o) {
    const first = this.#behind[0] === o;
    this.#behind = this.#behind.filter((b) => b !== o);
    o.detour?.drop();
    o.detour = null;
    const next = this.#behind[0];
    if (first && next && this.#connection?.hello) this.#fetch(next, this.#connection.hello);
  }

  /** @param {TabStream} o */
  #grant(o) {
    const change = o.change;
    if (!change || (change.added.length > 0 && !this.#quotes.ready)) return;
    if (!o.flush(this.#ring, this.#hub.sector) || !o.level(this.#ring)) return; // what the old topics brought comes first
    o.change = null;
    o.grant(change.topics);
    const answer = /** @type {const} */ ({ T: 'subscription', topics: change.topics, i: this.#sequence.seq });
    o.say(answer);
    if (change.added.length > 0) o.say(this.#snapshot(change.added));
    o.tell({ answer: change.answer, ok: answer });
  }

  /** @param {string[]} topics */
  #snapshot(topics) {
    return this.#quotes.of(topics, this.#hub.sector, this.#sequence.seq);
  }

  #collect() {
    return new Snapshots(this.#options, {
      topics: () => this.#sync?.resumable ?? [],
      epoch: () => this.#connection?.hello?.epoch,
      seq: () => this.#sequence.seq,
      fetched: () => this.#settle(),
      failed: () => {
        for (const o of [...this.#tabs]) {
          if (o.change) this.#refuse(o, { code: 'rate', message: 'quotes could not be had' }); // it asks again
          if (!o.live && !o.detour && !this.#behind.includes(o)) this.#alone(o);
        }
      },
    });
  }

  // --- topics ---------------------------------------------------------------------------------------------------

  /** What all tabs want. */
  #union() {
    return [...new Set([...this.#tabs].flatMap((o) => [...o.topics, ...(o.change?.topics ?? [])]))];
  }

  /** Brings the server's topics to what the tabs want. @param {TabStream | null} cause whom a refusal is for */
  #want(cause) {
    this.#queue = this.#queue.then(async () => {
      if (this.#tabs.size === 0) return;
      try {
        await this.#sync?.set(this.#wide ? ['*'] : this.#union()).catch((err) => {
          if (err.code !== 'too_many_topics') throw err;
          this.#wide = true;
          return this.#sync?.set(['*']);
        });
      } catch (err) {
        if (cause && this.#tabs.has(cause)) this.#refuse(cause, /** @type {import('../commandError.js').CommandError} */ (err));
      }
      this.#settle();
    });
  }

  /** @param {TabStream} o @param {{ code: string, message: string }} err */
  #refuse(o, { code, message }) {
    const { change } = o;
    o.change = null;
    if (change) o.tell({ answer: change.answer, error: { code, msg: message } });
    else this.#alone(o); // it may have them, or gets the server's own answer
  }

  /** Leaves a tab to a connection of its own. @param {TabStream} o that had no hello yet */
  #alone(o) {
    o.tell({ own: true });
    this.leave(o);
  }

  // --- time -----------------------------------------------------------------------------------------------------

  /** A tab of quiet topics must hear that its stream lives; one that takes nothing any more is let go. */
  #heartbeat() {
    const { wall, now, setTimeout } = this.#options;
    this.#beat = setTimeout(() => this.#heartbeat(), Math.min(1_000, (this.#connection?.hello?.hb ?? 2_000) / 2));
    for (const o of [...this.#tabs]) if (o.dead) this.#shut(o, 'slow');
    if (this.#tabs.size === 0 && wall() - this.#lostAt > RETURN) {
      this.#forget();
      this.#hub.empty(this);
      return;
    }
    const hello = this.#connection?.hello;
    if (!hello || this.#sequence.awaitsSnapshot) return;
    for (const o of this.#tabs) {
      if (now() - o.saidAt < hello.hb || !o.level(this.#ring)) continue;
      o.say({ T: 'hb', t: this.#serverTime, head: this.#sequence.seq });
    }
  }

  #count() {
    const { tabs } = this;
    for (const o of this.#tabs) o.tell({ tabs });
  }
}
