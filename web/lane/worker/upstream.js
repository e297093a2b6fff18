import { Connection } from '../connection.js';
import { Sequence } from '../sequence.js';
import { CatchUp } from './catchUp.js';
import { Ring } from './ring.js';
import { SharedTopics } from './sharedTopics.js';
import { Snapshots } from './snapshots.js';

/** @import { Gap, Hello, Lane, Message, Status } from '../../types.js' */
/** @import { TabStream } from './tabStream.js' */
/** @import { ConnectionOptions } from '../connection.js' */

const KEPT = 16_384; // ticks in the ring
const PACE = 16; // ms between batches: a tab paints once per frame
const RIGHTS = new Set(['expired', 'revoked', 'unauthorized']); // ends for want of rights
const RETURN = 60_000; // ms that the ticks of a lost stream are kept for tabs that reconnect

/**
 * One connection to the server, shared by the tabs of one lane. To each tab it behaves like the server: it sends a hello,
 * answers a position with the missed ticks, a gap or a reset, sends snapshots and handles commands. So a tab checks its
 * stream as it does a separate one, and a fault here shows there as lost or duplicate ticks. It reconnects only when a
 * tab does.
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
  #topics;
  #catchUp;
  /** @type {Gap | null} a gap whose snapshot has not arrived */
  #gap = null;
  /** The trade and the status that belong to the next tick. @type {{ i: number, data: (string | Uint8Array)[] } | null} */
  #events = null;
  /** That the feed is stale, for tabs that join. @type {Status | null} */
  #stale = null;
  /** Whether "*" stands for fewer than all topics. */
  #narrowed = false;
  /** Whether the server sends a snapshot because the rights have grown. */
  #grown = false;
  #lostAt = 0; // wall ms at which the connection ended, 0 when there was none
  #established = true; // the newest connection has had its hello
  #notBefore = 0; // wall ms before which the server asked not to reconnect
  #asked = 0; // ms that it asked for
  #reason = ''; // why
  #serverTime = 0; // µs, the newest that the server sent
  /** @type {any} */
  #flushTimer = null;
  #flushedAt = 0;
  /** @type {any} */
  #heartbeatTimer = null;

  /**
   * @param {Lane} lane
   * @param {ConnectionOptions & { ringSize?: number, commandBytes: number, mostTopics: number }} options ringSize: how many ticks the ring holds
   * @param {{
   *   sector: (symbol: string) => string | undefined, began: (epoch: string, topics: string[]) => void,
   *   used: (self: Upstream) => void, empty: (self: Upstream) => void, rights: (what: 'expiring' | 'ended') => void,
   * }} hub sector returns a symbol's topic "sector:…" if it is known; began is called for each hello; used when a tab
   *   joins; empty when the last one has left; rights when those of the stream end soon, or a stream ended that had or may have none
   */
  constructor(lane, options, hub) {
    this.#lane = lane;
    this.#options = options;
    this.#hub = hub;
    this.#ring = new Ring(options.ringSize ?? KEPT);
    this.#quotes = this.#newSnapshots();
    this.#topics = new SharedTopics(options, {
      send: (action, topics) => this.#connection?.command(action, topics) ?? null,
      gone: () => {
        this.#connection?.drop();
        this.#closed('unknown', {});
      },
    });
    this.#catchUp = new CatchUp(lane, options, {
      hello: () => this.#connection?.hello,
      has: (topics, seq) => this.#has(topics, seq),
      reached: (tab, seq) => {
        tab.begin(this.#ring, seq);
        this.#scheduleFlush();
      },
      ended: (tab, why, close) => this.#end(tab, why, close),
    });
  }

  /** @param {TabStream} tab */
  join(tab) {
    this.#tabs.add(tab);
    this.#hub.used(this);
    this.#sendTabCount();
    this.#connection?.check(); // after a sleep it may be dead
    if (!this.#tabs.has(tab)) return;
    const left = Math.min(this.#asked, this.#notBefore - this.#options.wall());
    if (!this.#connection && left > 0) this.#end(tab, this.#reason, { retry: left });
    else if (!this.#connection) this.#open(tab);
    else {
      this.#advance();
      if (!tab.live) this.#requestTopics(tab);
    }
  }

  /** @param {TabStream} tab */
  leave(tab) {
    if (!this.#tabs.delete(tab)) return;
    this.#catchUp.remove(tab);
    if (this.#tabs.size > 0) {
      this.#sendTabCount();
      this.#requestTopics(null);
      return;
    }
    this.#reset();
    this.#hub.empty(this);
  }

  /** @param {TabStream} tab @param {'subscribe' | 'unsubscribe'} action @param {string[]} topics @param {number} answer the command's number */
  command(tab, action, topics, answer) {
    if (!tab.live || tab.change) {
      tab.control({ answer, error: { code: 'rate', msg: 'an earlier change is in progress' } }); // the tab tries again
      return;
    }
    const added = action === 'subscribe' ? topics.filter((t) => !tab.topics.includes(t)) : [];
    tab.change = { topics: action === 'subscribe' ? [...tab.topics, ...added] : tab.topics.filter((t) => !topics.includes(t)), added, answer };
    this.#advance();
    this.#requestTopics(tab.change ? tab : null);
  }

  /** Gives the connection the rights of the browser's present session. */
  renew() {
    void this.#connection?.renew();
  }

  /** Ends the streams of all tabs and forgets their data: the user has no session, or is another one. @param {string} why */
  deny(why) {
    this.#connection?.drop();
    this.#closed(why, {});
    this.#reset();
    this.#hub.empty(this);
  }

  /** A tab has acknowledged batches, so it may get more. @param {TabStream} tab */
  acknowledged(tab) {
    if (this.#tabs.has(tab) && !tab.caughtUp(this.#ring)) this.#scheduleFlush();
  }

  // --- the connection -------------------------------------------------------------------------------------------

  /** @param {TabStream} tab the first one */
  #open(tab) {
    const stale = this.#lostAt === 0 || this.#options.wall() - this.#lostAt > RETURN;
    if (stale || (!this.#established && this.#topics.resumable.some((topic) => !tab.topics.includes(topic)))) {
      // The server may have restarted without one of the topics and would refuse every resume that requests it. The tab
      // may know the new symbols, so start over with its topics.
      this.#sequence = new Sequence();
      this.#quotes = this.#newSnapshots();
      this.#ring.restart(0);
      this.#gap = null;
      this.#topics.restart(tab.topics);
    }
    const { position } = this.#sequence;
    this.#established = false;
    this.#quotes.begin();
    const topics = position === undefined ? this.#topics.fit(this.#needed()) : this.#topics.resumable;
    this.#connection = new Connection(this.#lane, { topics, from: position ?? tab.from }, this.#options, {
      text: (connection, data, read) => this.#text(connection, data, read),
      closed: (connection, why) => this.#closed(why, connection.close),
    });
    this.#heartbeatTimer ??= this.#options.setTimeout(() => this.#heartbeat(), 1_000);
    this.#requestTopics(tab);
  }

  #reset() {
    this.#connection?.drop();
    this.#connection = null;
    this.#lostAt = 0;
    this.#topics.stop();
    this.#options.clearTimeout(this.#heartbeatTimer);
    this.#options.clearTimeout(this.#flushTimer);
    this.#heartbeatTimer = this.#flushTimer = null;
  }

  /** Ends the tabs' streams with the connection; each tab reconnects after its own delay. @param {string} why @param {import('../../types.js').Close} close @param {Message} [bye] the server's last message */
  #closed(why, close, bye) {
    this.#flush();
    this.#connection = null;
    this.#lostAt = this.#options.wall();
    this.#asked = close.retry ?? 0;
    this.#notBefore = this.#lostAt + this.#asked;
    this.#reason = why;
    if (!this.#established || RIGHTS.has(why)) this.#hub.rights('ended');
    for (const tab of [...this.#tabs]) this.#end(tab, why, close, bye);
  }

  /** Ends a tab's stream. @param {TabStream} tab @param {string} why @param {import('../../types.js').Close} [close] @param {Message} [bye] for a tab that has had its hello */
  #end(tab, why, close = {}, bye) {
    if (!this.#tabs.delete(tab)) return;
    this.#catchUp.remove(tab);
    if (bye && tab.live) tab.send(bye);
    tab.control({ closed: why, close });
    this.#sendTabCount();
    if (this.#tabs.size === 0 && this.#connection) {
      this.#connection.drop();
      this.#connection = null;
      this.#lostAt = this.#options.wall();
    } else if (this.#connection) this.#requestTopics(null);
  }

  // --- messages -------------------------------------------------------------------------------------------------

  /** @param {Connection} connection @param {string | Uint8Array} data @param {() => Message | null} read */
  #text(connection, data, read) {
    const at = this.#options.now();
    /** @type {Message | null} */
    let m;
    try {
      m = connection.parts.take(read());
    } catch {
      for (const tab of this.#tabs) if (tab.live) tab.relay([data], [at]); // each tab counts and reports it
      return;
    }
    if (m === null) return;
    if (m.T === 'hello') {
      this.#hello(connection, m, at);
      return;
    }
    if (m.T === 'bye') {
      connection.drop();
      this.#closed(m.reason, { retry: m.retry }, m);
      return;
    }
    const reset = m.T === 'snapshot' && this.#sequence.awaitsSnapshot;
    const { deliver } = this.#sequence.take(m);
    if (deliver) this.#quotes.apply(m, at, reset);
    this.#forward(m, data, at, reset);
  }

  /** @param {Connection} connection @param {Hello} hello @param {number} at */
  #hello(connection, hello, at) {
    const complete = hello.resume === 'complete';
    connection.established(hello, this.#options.wall());
    this.#established = true;
    this.#stale = this.#events = null;
    this.#narrowed = hello.narrowed === true;
    this.#grown = false;
    this.#sequence.hello(hello, connection.requested);
    this.#quotes.apply(hello, at, false);
    this.#serverTime = hello.t;
    this.#hub.began(hello.epoch, hello.topics);
    if (!complete || this.#ring.end === this.#ring.begin) this.#ring.restart(this.#sequence.seq);
    this.#topics.hello(hello.topics, complete);
    this.#advance();
  }

  /** @param {Message} m @param {string | Uint8Array} data @param {number} at @param {boolean} reset m is a snapshot after missing ticks */
  #forward(m, data, at, reset) {
    switch (m.T) {
      case 'q':
        this.#serverTime = Math.max(this.#serverTime, m.t);
        this.#ring.push({ i: m.i, S: m.S, data, at, ...(this.#events?.i === m.i && { before: this.#events.data }) });
        this.#events = null;
        this.#scheduleFlush();
        if (this.#quotes.waiting) this.#advance();
        break;
      case 'gap':
        this.#flush();
        this.#gap = m;
        break;
      case 'snapshot':
        this.#topics.snapshot(reset);
        if (reset) this.#restartRing();
        else if (this.#grown) this.#sendRights(true);
        this.#grown = false;
        this.#advance();
        break;
      case 'hb':
        this.#serverTime = m.t;
        this.#flush();
        for (const tab of this.#tabs) if (tab.caughtUp(this.#ring)) tab.send(m);
        break;
      case 'trade':
        this.#takeEvent(m.i, data);
        break;
      case 'status':
        if (m.i !== undefined) {
          this.#takeEvent(m.i, data);
          break;
        }
        this.#flush();
        if (m.status === 'symbols') this.#quotes.grown();
        else this.#stale = m.status === 'stale' ? m : null;
        for (const tab of this.#tabs) if (tab.live) tab.send(m);
        break;
      case 'subscription':
        this.#rights(m);
        this.#topics.subscription(m.topics, m.snapshot === true);
        this.#advance();
        break;
      case 'auth':
        if (m.status === 'expiring') this.#hub.rights('expiring');
        break;
    }
  }

  /** Handles what a subscription message reports about "*": renewed rights may change what it stands for. @param {import('../../types.js').Subscription} m */
  #rights(m) {
    const narrowed = m.narrowed === true;
    const changed = narrowed !== this.#narrowed;
    this.#narrowed = narrowed;
    this.#grown = m.snapshot === true && this.#topics.unchanged(m.topics);
    if (changed && !this.#grown) this.#sendRights(false);
  }

  /** Sends the tabs that have all topics what "*" stands for now. @param {boolean} snapshot with the quotes that it has now */
  #sendRights(snapshot) {
    this.#flush();
    for (const tab of this.#tabs) {
      if (!tab.topics.includes('*') || !tab.caughtUp(this.#ring)) continue;
      tab.send({ T: 'subscription', topics: tab.topics, i: this.#sequence.seq, narrowed: this.#narrowed || undefined, snapshot: snapshot || undefined });
      if (snapshot) tab.send(this.#snapshot(tab.topics));
    }
  }

  /** Keeps a message of a tick until the tick arrives. After a cut it arrives again. @param {number} i the tick's seq @param {string | Uint8Array} data */
  #takeEvent(i, data) {
    if (this.#events?.i === i) this.#events.data.push(data);
    else this.#events = { i, data: [data] };
  }

  /** Restarts the ring at a snapshot. Tabs that were caught up get the gap and the snapshot; others reconnect from their positions. */
  #restartRing() {
    const { seq } = this.#sequence;
    const caughtUp = [...this.#tabs].filter((tab) => tab.caughtUp(this.#ring));
    const gap = this.#gap;
    this.#gap = null;
    this.#ring.restart(seq);
    for (const tab of caughtUp) {
      if (gap) tab.send(gap);
      tab.send(this.#snapshot(tab.topics));
      tab.begin(this.#ring, seq);
    }
  }

  // --- the tabs' streams ----------------------------------------------------------------------------------------

  #scheduleFlush() {
    if (this.#flushTimer !== null) return;
    const wait = Math.max(0, this.#flushedAt + PACE - this.#options.wall());
    this.#flushTimer = this.#options.setTimeout(() => this.#flush(), Math.min(PACE, wait));
  }

  #flush() {
    this.#options.clearTimeout(this.#flushTimer);
    this.#flushTimer = null;
    this.#flushedAt = this.#options.wall();
    for (const tab of [...this.#tabs]) if (tab.live && !tab.flush(this.#ring, this.#hub.sector)) this.#end(tab, 'slow');
    if ([...this.#tabs].some((tab) => tab.change)) this.#advance();
  }

  /** Begins the streams and applies the changes whose topics the connection carries. */
  #advance() {
    const hello = this.#connection?.hello;
    if (!hello || this.#sequence.awaitsSnapshot) return;
    this.#topics.update(this.#sequence.seq);
    const carried = (/** @type {string} */ topic) => this.#topics.carries(topic);
    for (const tab of [...this.#tabs]) {
      if (this.#waitsForHello(tab) && tab.topics.every(carried)) this.#begin(tab, hello);
      if (tab.change?.topics.every(carried)) this.#applyChange(tab);
    }
  }

  /** @param {TabStream} tab */
  #waitsForHello(tab) {
    return !tab.live && !tab.temporary && !this.#catchUp.has(tab);
  }

  /** @param {TabStream} tab @param {Hello} hello */
  #begin(tab, hello) {
    const { seq } = this.#sequence;
    const [epoch, place] = (tab.from ?? '').split('-');
    const at = Number(place);
    /** @type {Hello['resume']} */
    let resume = 'none';
    if (tab.from !== undefined) {
      if (epoch !== hello.epoch) resume = 'reset';
      else if (this.#has(tab.topics, at)) resume = 'complete';
      else if (at + 1 < hello.oldest) resume = 'gap';
      else {
        this.#catchUp.add(tab, hello);
        return;
      }
    }
    if (resume !== 'complete' && !this.#quotes.ready) return;
    // While this connection still catches up, so does the tab.
    const head = resume === 'complete' ? Math.max(seq, hello.head) : seq;
    const due = resume !== 'complete';
    tab.send({ ...hello, topics: tab.topics, head, resume, t: this.#serverTime, snapshot: due || undefined, narrowed: this.#narrowed || undefined });
    if (resume === 'gap') tab.send({ T: 'gap', from: at + 1, to: seq, missed: seq - at, reason: 'expired', snapshot: true });
    if (due) tab.send(this.#snapshot(tab.topics));
    if (this.#stale) tab.send(this.#stale);
    tab.begin(this.#ring, resume === 'complete' ? at : seq);
    this.#scheduleFlush();
  }

  /** Reports whether the ring holds every tick of these topics above a seq. @param {string[]} topics @param {number} seq */
  #has(topics, seq) {
    return seq >= this.#ring.from && this.#topics.complete(topics, seq);
  }

  /** @param {TabStream} tab */
  #applyChange(tab) {
    const { change } = tab;
    if (!change || (change.added.length > 0 && !this.#quotes.ready)) return;
    if (!tab.flush(this.#ring, this.#hub.sector) || !tab.caughtUp(this.#ring)) return; // ticks of the old topics come first
    tab.change = null;
    tab.setTopics(change.topics);
    const added = change.added.length > 0;
    const answer = /** @type {const} */ ({ T: 'subscription', topics: change.topics, i: this.#sequence.seq, snapshot: added || undefined, narrowed: this.#narrowed || undefined });
    tab.send(answer);
    if (added) tab.send(this.#snapshot(change.added));
    tab.control({ answer: change.answer, ok: answer });
  }

  /** @param {string[]} topics */
  #snapshot(topics) {
    return this.#quotes.of(topics, this.#hub.sector, this.#sequence.seq);
  }

  #newSnapshots() {
    return new Snapshots(this.#options, {
      topics: () => this.#topics.resumable,
      epoch: () => this.#connection?.hello?.epoch,
      seq: () => this.#sequence.seq,
      fetched: () => this.#advance(),
      failed: () => {
        for (const tab of [...this.#tabs]) {
          if (tab.change) this.#refuse(tab, { code: 'rate', message: 'quotes could not be fetched' }); // the tab tries again
          if (this.#waitsForHello(tab)) this.#separate(tab);
        }
      },
    });
  }

  /** The topics that all tabs need together. */
  #needed() {
    return [...new Set([...this.#tabs].flatMap((tab) => [...tab.topics, ...(tab.change?.topics ?? [])]))];
  }

  /** Changes the server's topics to those needed. @param {TabStream | null} tab the one that a refusal concerns */
  #requestTopics(tab) {
    const refused = (/** @type {import('../commandError.js').CommandError} */ err) => {
      if (tab && this.#tabs.has(tab)) this.#refuse(tab, err);
    };
    void this.#topics.request(() => this.#needed(), refused).then(() => this.#advance());
  }

  /** @param {TabStream} tab @param {{ code: string, message: string }} err */
  #refuse(tab, { code, message }) {
    const { change } = tab;
    tab.change = null;
    if (change) tab.control({ answer: change.answer, error: { code, msg: message } });
    else this.#separate(tab); // which gets the server's own answer
  }

  /** Makes a tab connect on its own. @param {TabStream} tab that has had no hello */
  #separate(tab) {
    tab.control({ own: true });
    this.leave(tab);
  }

  /** Sends heartbeats to tabs whose topics are quiet, and ends the streams of tabs that acknowledge nothing. */
  #heartbeat() {
    const { wall, now, setTimeout } = this.#options;
    this.#heartbeatTimer = setTimeout(() => this.#heartbeat(), Math.min(1_000, (this.#connection?.hello?.hb ?? 2_000) / 2));
    for (const tab of [...this.#tabs]) if (tab.dead) this.#end(tab, 'slow');
    if (this.#tabs.size === 0 && wall() - this.#lostAt > RETURN) {
      this.#reset();
      this.#hub.empty(this);
      return;
    }
    const hello = this.#connection?.hello;
    if (!hello || this.#sequence.awaitsSnapshot) return;
    for (const tab of this.#tabs) {
      if (now() - tab.sentAt < hello.hb || !tab.caughtUp(this.#ring)) continue;
      tab.send({ T: 'hb', t: this.#serverTime, head: this.#sequence.seq });
    }
  }

  #sendTabCount() {
    const tabs = new Set([...this.#tabs].map((tab) => tab.port)).size;
    for (const tab of this.#tabs) tab.control({ tabs });
  }
}
