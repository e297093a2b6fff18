import { Sequence } from './sequence.js';
import { AutoLane } from './autoLane.js';
import { jitter } from './backoff.js';
import { Emitter } from './emitter.js';
import { EventReporter } from './eventReporter.js';
import { followPage } from './lifecycle.js';
import { Connection } from './connection.js';
import { online, platform } from './platform.js';
import { TopicSync } from './topics.js';

/** @typedef {import('../types.js').Lane} Lane */
/** @typedef {import('../types.js').State} State */
/** @typedef {import('../types.js').StateName} StateName */
/** @typedef {import('../types.js').FeedEvent} FeedEvent */
/** @typedef {import('../types.js').FeedOptions} FeedOptions */
/** @typedef {import('../types.js').FeedHandlers} FeedHandlers */
/** @typedef {import('../types.js').Message} Message */
/** @typedef {import('../types.js').Hello} Hello */
/** @typedef {import('../types.js').Bye} Bye */

const STABLE = 10_000; // ms live after which a loss starts with the shortest waits again

/**
 * A subscription that outlives its connections: it owns one connector, the position, and every reconnect.
 *
 * Delivery: each message once, in the order of the log, whatever lanes and reconnects lie between. What the server
 * could no longer give is told as a gap; anything else missing is counted as lost, anything twice as doubled.
 *
 * @example
 * const feed = new Feed({ lane: 'sse', topics: ['*'] });
 * feed.on('message', (m, arrival) => store.apply(m, arrival.received));
 * feed.start();
 */
export class Feed {
  #options;
  /** @type {Emitter<FeedHandlers>} */
  #emitter = new Emitter();
  #sequence;
  #events;
  #topics;
  /** @type {Lane} */
  #lane;
  /** @type {State} */
  #state;
  /** @type {Connection | null} */
  #active = null;
  /** @type {Connection | null} the other lane's, until its hello */
  #next = null;
  /** @type {any} */
  #retry = null;
  #attempt = 0;
  #running = false;
  #hidden = false; // closed by pagehide
  #downSince = 0; // wall ms of the loss, 0 when there was none
  #switchSince = 0;
  #unfollow = () => {};
  /** @type {AutoLane | null} */
  #auto = null;
  #turned = false; // to the other lane, and it was told; until a hello

  /** @param {FeedOptions} [options] @throws {RangeError} naming the option */
  constructor(options = {}) {
    this.#options = { ...platform(), user: 'anonymous', mode: /** @type {'all' | 'latest'} */ ('all'), commandBytes: 4096, ...options };
    this.#lane = checkLane(options.lane ?? 'sse');
    if (options.auto) this.setAuto(this.#lane);
    this.#sequence = new Sequence(options.from);
    this.#events = new EventReporter(this.#sequence, this.#options, (e) => this.#emitter.emit('event', e));
    this.#sequence.onLost = (ticks, at) => this.#events.tell('bad', 'lost', { ticks, at });
    this.#topics = new TopicSync(options.topics ?? ['*'], {
      ...this.#options,
      send: (action, topics) => this.#active?.command(action, topics) ?? null,
      adding: (due) => this.#sequence.expectAdded(due),
      refused: (err, topics) => this.#events.tell('warn', 'topics-refused', { topics, reason: err.message }),
      gone: () => this.#active && this.#end(this.#active, 'unknown'),
    });
    this.#state = { name: 'closed', since: this.#options.wall(), attempt: 0 };
  }

  /** @returns {Readonly<State>} */
  get state() {
    return this.#state;
  }

  /** Counted since the feed was made; the object changes as it counts. @returns {Readonly<import('../types.js').Counters>} */
  get counters() {
    return this.#sequence.counters;
  }

  /** "<epoch>-<seq>", from which another feed could go on; undefined before the first snapshot. */
  get position() {
    return this.#sequence.position;
  }

  /** The lane in use, or the one that a connection is being tried on. */
  get lane() {
    return this.#lane;
  }

  /** The lane that a switch is under way to, else null. */
  get switching() {
    return this.#next?.lane ?? null;
  }

  /**
   * The lane that is preferred while the feed chooses for itself; fallen tells why another is in use, and the wall ms of
   * the next try. null when the lane is chosen by hand.
   */
  get auto() {
    return this.#auto && { preferred: this.#auto.preferred, fallen: this.#auto.fallen };
  }

  /** The open stream's secret name, for GET and POST /<lane>/connections/<conn>; undefined while there is none. */
  get conn() {
    return this.#active?.hello?.conn;
  }

  /** The open stream's hello. */
  get hello() {
    return this.#active?.hello ?? undefined;
  }

  /** The topics that are wanted; the server may not have them yet. */
  get topics() {
    return this.#topics.desired;
  }

  /**
   * @template {keyof FeedHandlers} K
   * @param {K} name
   * @param {FeedHandlers[K]} fn called in the middle of delivery: keep it short
   * @returns {() => void} takes the handler off again
   */
  on(name, fn) {
    return this.#emitter.on(name, fn);
  }

  /** Connects, from the position if there is one. Does nothing when started. */
  start() {
    if (this.#running) return;
    this.#running = true;
    this.#hidden = false;
    const { lifecycle, page } = this.#options;
    if (lifecycle && page) this.#unfollow = followPage(this.#pageHooks(), page);
    this.#open();
  }

  /** Closes; the position stays, so start() goes on from it. */
  stop() {
    if (!this.#running) return;
    this.#shut();
    this.#topics.stop();
    this.#setState('closed');
  }

  /** Tries at once instead of waiting for the next try. */
  retry() {
    if (!this.#running || this.#hidden || this.#active) return;
    this.#open();
  }

  /** Takes the open connection as proven, as ten seconds would: its loss starts with the shortest waits again. */
  trust() {
    if (this.#active?.hello) this.#attempt = 0;
  }

  /**
   * Goes over to the other lane, without loss: the old connection delivers until the new one's hello is here, which
   * begins where the old one stood when the new one was asked for; what both carry is dropped once. If the new lane
   * can't be opened, the old one stays and an event says so. Asking for the lane in use calls a switch off.
   * @param {Lane} lane
   */
  switchLane(lane) {
    checkLane(lane);
    if (this.#next && this.#next.lane !== lane) {
      this.#next.drop();
      this.#next = null;
      this.#setState(this.#state.name);
    }
    if (lane === this.#lane || this.#next) return;
    if (this.#active?.hello && this.position !== undefined) {
      this.#switchSince = this.#options.wall();
      this.#next = this.#connect(lane);
      this.#setState(this.#state.name);
      return;
    }
    // Nothing flows that could be handed over.
    this.#lane = lane;
    if (!this.#running || this.#hidden) return;
    this.#dropAll();
    this.#open();
  }

  /** Lets the feed fall back to the other lane while this one is blocked; null leaves it to switchLane. @param {Lane | null} preferred */
  setAuto(preferred) {
    this.#auto?.stop();
    this.#auto = preferred && new AutoLane(checkLane(preferred), this.#options, (lane) => this.switchLane(lane));
    if (this.#active?.hello) this.#auto?.connected(this.#lane);
  }

  /**
   * @param {string[]} topics
   * @returns {Promise<void>} fulfilled when the server has them; rejected with a CommandError when it refuses them
   * @throws {RangeError} when there are none
   */
  setTopics(topics) {
    return this.#topics.set(topics);
  }

  /**
   * Forgets topics that the server no longer has, as after a restart with fewer symbols: it would refuse every reconnect
   * that asks for them. Does nothing while a stream is open, whose server has them. @param {(topic: string) => boolean} known
   */
  retainTopics(known) {
    if (!this.#active?.hello) this.#topics.retain(known);
  }

  // --- connections ----------------------------------------------------------------------------------------------

  #open() {
    this.#options.clearTimeout(this.#retry);
    this.#setState('connecting');
    this.#active = this.#connect(this.#lane);
  }

  /** @param {Lane} lane */
  #connect(lane) {
    const from = this.position;
    const topics = from === undefined ? this.#topics.desired : this.#topics.resumable;
    return new Connection(lane, { topics, from }, this.#options, {
      text: (connection, data, read, received) => this.#text(connection, data, read, received),
      closed: (connection, why) => this.#closed(connection, why),
    });
  }

  #shut() {
    this.#running = false;
    this.#auto?.stop();
    this.#unfollow();
    this.#options.clearTimeout(this.#retry);
    this.#events.stop();
    this.#dropAll();
    this.#attempt = this.#downSince = 0;
  }

  #dropAll() {
    this.#active?.drop();
    this.#next?.drop();
    this.#active = this.#next = null;
  }

  /** Ends a connection that the server is done with. @param {Connection} connection @param {string} why @param {number} [retry] */
  #end(connection, why, retry) {
    connection.drop();
    this.#closed(connection, why, retry);
  }

  /** A connection ended that the feed didn't drop. @param {Connection} connection @param {string} why @param {number} [retry] ms that the server asks to stay away */
  #closed(connection, why, retry = 0) {
    this.#emitter.emit('closed', { ...connection.close, lane: connection.lane, reason: why, opened: connection.hello !== null });
    if (!this.#running) return; // a handler stopped the feed
    if (connection === this.#next) {
      this.#next = null;
      this.#events.tell('warn', 'switch-failed', { from: this.#lane, to: connection.lane, reason: why });
      this.#auto?.probeFailed(why);
      this.#setState(this.#state.name);
      return;
    }
    this.#events.stop();
    const wall = this.#options.wall();
    if (connection.hello) {
      this.#downSince = wall;
      this.#events.tell('bad', 'connection-lost', { lane: connection.lane, reason: why });
      if (wall - connection.liveAt >= STABLE) this.#attempt = 0;
    } else if (this.#attempt === 0 && this.#downSince === 0) {
      this.#events.tell('bad', 'unreachable', { lane: connection.lane, reason: why });
    }
    const auto = this.#auto?.ended(connection.lane, { reason: why, lived: connection.hello && wall - connection.liveAt, online: online() });
    if (this.#next) {
      // The other lane is on its way already: nothing to wait for.
      this.#active = this.#next;
      this.#lane = this.#next.lane;
      this.#next = null;
      this.#setState('connecting');
      return;
    }
    this.#active = null;
    if (auto && auto !== this.#lane) {
      if (!this.#turned) this.#events.tell('warn', 'turned', { from: this.#lane, to: auto, reason: why });
      this.#turned = true;
      this.#lane = auto;
    }
    this.#wait(retry + jitter(this.#attempt++, this.#options.random));
  }

  /** @param {number} delay ms */
  #wait(delay) {
    // Without a network a server on this very machine is still there, so it goes on trying.
    this.#setState(online() ? 'waiting' : 'offline', this.#options.wall() + delay);
    this.#retry = this.#options.setTimeout(() => this.#open(), delay);
  }

  // --- messages -------------------------------------------------------------------------------------------------

  /** @param {Connection} connection @param {string | Uint8Array} data @param {() => Message | null} read @param {number} [received] when it came, if earlier than now */
  #text(connection, data, read, received = this.#options.now()) {
    const { counters } = this.#sequence;
    counters.messages++;
    counters.bytes += data.length;
    /** @type {Message | null} */
    let m;
    try {
      m = read();
    } catch (err) {
      counters.malformed++;
      this.#events.tell('bad', 'malformed', { reason: /** @type {Error} */ (err).message });
      return;
    }
    if (m === null) return;
    if (m.T === 'bye') this.#bye(connection, m, received, data.length);
    else if (m.T === 'hello') this.#hello(connection, m, received, data.length);
    else if (connection === this.#active) this.#take(connection, m, received, data.length);
  }

  /** @param {Connection} connection @param {Hello} hello @param {number} received @param {number} bytes */
  #hello(connection, hello, received, bytes) {
    const handover = connection === this.#next;
    const at = this.#sequence.seq;
    const from = this.#lane;
    if (handover) {
      this.#active?.drop();
      this.#active = connection;
      this.#next = null;
      this.#lane = connection.lane;
    }
    connection.established(hello, this.#options.wall());
    this.#sequence.hello(hello, connection.requested);
    this.#turned = false;
    this.#auto?.connected(connection.lane);
    this.#setState('live');
    this.#emitter.emit('message', hello, { received, bytes, replayed: false, lane: connection.lane });
    this.#begun(hello, handover ? from : null, at);
    this.#topics.hello(hello.topics);
  }

  /** Counts and tells what a hello ended. @param {Hello} hello @param {Lane | null} from the lane that handed over @param {number} at its seq */
  #begun(hello, from, at) {
    const { counters } = this.#sequence;
    const seconds = (/** @type {number} */ since) => (this.#options.wall() - since) / 1000;
    if (from !== null) {
      counters.switches++;
      this.#events.hello(hello, 'switched', { from, to: this.#lane, at, seconds: seconds(this.#switchSince) });
    } else if (this.#downSince > 0) {
      counters.reconnects++;
      this.#events.hello(hello, 'reconnected', { lane: this.#lane, seconds: seconds(this.#downSince) });
    } else {
      this.#events.hello(hello, null);
    }
    this.#downSince = 0;
  }

  /** @param {Connection} connection @param {Exclude<Message, Hello | Bye>} m @param {number} received @param {number} bytes */
  #take(connection, m, received, bytes) {
    const { deliver, replayed, gap } = this.#sequence.take(m);
    if (deliver) this.#emitter.emit('message', m, { received, bytes, replayed, lane: connection.lane });
    if (connection.over) return; // a handler stopped the feed
    this.#events.booked(m, gap);
    if (m.T === 'snapshot') this.#topics.snapshot();
    if (m.T === 'subscription') this.#topics.subscription(m.topics);
  }

  /** @param {Connection} connection @param {Bye} bye @param {number} received @param {number} bytes */
  #bye(connection, bye, received, bytes) {
    if (connection !== this.#active) {
      this.#end(connection, bye.reason);
      return;
    }
    this.#emitter.emit('message', bye, { received, bytes, replayed: false, lane: connection.lane });
    if (connection.over) return;
    if (bye.reason === 'limit' || bye.reason === 'duration') {
      this.#shut();
      this.#topics.stop();
      this.#events.tell('info', 'ended', { reason: bye.reason });
      this.#setState('ended');
    } else {
      this.#end(connection, bye.reason, bye.retry);
    }
  }

  // --- the page -------------------------------------------------------------------------------------------------

  #pageHooks() {
    const check = () => {
      this.#active?.check();
      this.#next?.check();
    };
    return {
      visible: check,
      offline: () => {
        this.#events.tell('warn', 'offline');
        if (this.#state.name === 'waiting') this.#setState('offline', this.#state.retryAt);
      },
      online: () => {
        this.#events.tell('info', 'online');
        check();
        this.retry();
      },
      hide: () => {
        this.#hidden = true;
        this.#auto?.stop();
        this.#options.clearTimeout(this.#retry);
        this.#events.stop();
        this.#dropAll();
        this.#setState('closed');
      },
      show: () => {
        this.#hidden = false;
        this.#downSince = this.#options.wall();
        this.#attempt = 0;
        this.retry();
      },
    };
  }

  /** @param {StateName} name @param {number} [retryAt] wall ms */
  #setState(name, retryAt) {
    const since = name === this.#state.name ? this.#state.since : this.#options.wall();
    this.#state = { name, since, attempt: name === 'live' ? 0 : this.#attempt };
    if (retryAt !== undefined) this.#state.retryAt = retryAt;
    this.#emitter.emit('state', this.#state);
  }
}

/** @param {Lane} lane @returns {Lane} @throws {RangeError} */
function checkLane(lane) {
  if (lane !== 'sse' && lane !== 'ws') throw new RangeError(`lane: "${lane}" is neither "sse" nor "ws"`);
  return lane;
}
