import { AutoLane } from './autoLane.js';
import { jitter } from './backoff.js';
import { Connection } from './connection.js';
import { Delivery } from './delivery.js';
import { Emitter } from './emitter.js';
import { followPage } from './lifecycle.js';
import { online, platform } from './platform.js';
import { TopicSync } from './topics.js';

/** @import { Bye, FeedHandlers, FeedOptions, Hello, Lane, Message, State, StateName } from '../types.js' */

const STABLE = 10_000; // ms of uptime after which the next reconnect starts with the shortest delay again
const DENIALS = new Set(['revoked', 'session-over', 'signed-out', 'other-user']); // ends after which a reconnect is useless

/**
 * A subscription that survives its connections: it owns the connection, the position and all reconnects.
 *
 * It delivers each message once, in the order of the log, across lanes and reconnects. Ticks that the server no longer
 * has are reported as a gap; others that are missing are counted as lost, duplicates as doubled.
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
  #delivery;
  #sequence;
  #events;
  #topics;
  /** @type {Lane} */
  #lane;
  /** @type {State} */
  #state;
  /** @type {Connection | null} */
  #active = null;
  /** @type {Connection | null} the connection that a lane switch opens, until its hello */
  #next = null;
  /** @type {any} */
  #retry = null;
  #attempt = 0;
  #notBefore = 0; // wall ms before which the server asked not to reconnect
  #asked = 0; // ms that it asked for, the most that a wall clock set back can add
  #reason = ''; // why the last connection ended
  #running = false;
  #hidden = false; // closed by pagehide
  #unfollow = () => {};
  /** @type {AutoLane | null} */
  #auto = null;
  #fellBack = false; // to the other lane, as reported once; until the next hello

  /** @param {FeedOptions} [options] @throws {RangeError} naming the option */
  constructor(options = {}) {
    this.#options = { ...platform(), user: 'anonymous', mode: /** @type {'all' | 'latest'} */ ('all'), commandBytes: 4096, ...options };
    this.#lane = checkLane(options.lane ?? 'sse');
    if (options.auto) this.setAuto(this.#lane);
    this.#delivery = new Delivery(options.from, this.#options, this.#emitter);
    this.#sequence = this.#delivery.sequence;
    this.#events = this.#delivery.events;
    this.#topics = new TopicSync(options.topics ?? ['*'], {
      ...this.#options,
      send: (action, topics) => this.#active?.command(action, topics) ?? null,
      refused: (err, topics) => this.#events.report('warn', 'topics-refused', { topics, reason: err.message }),
      gone: () => this.#active && this.#end(this.#active, 'unknown'),
    });
    this.#state = { name: 'closed', since: this.#options.wall(), attempt: 0 };
  }

  /** @returns {Readonly<State>} */
  get state() {
    return this.#state;
  }

  /** Totals since the feed was created; the object is updated in place. @returns {Readonly<import('../types.js').Counters>} */
  get counters() {
    return this.#sequence.counters;
  }

  /** "<epoch>-<seq>", from which another feed could resume; undefined before the first snapshot. */
  get position() {
    return this.#sequence.position;
  }

  /** The lane in use, or the one that is being connected. */
  get lane() {
    return this.#lane;
  }

  /** The lane of a switch in progress, else null. */
  get switching() {
    return this.#next?.lane ?? null;
  }

  /**
   * The preferred lane while the feed chooses the lane; fallen has the reason why the other one is in use and the wall ms
   * of the next try. null when the user chooses the lane.
   */
  get auto() {
    return this.#auto && { preferred: this.#auto.preferred, fallen: this.#auto.fallen };
  }

  /** The open stream's secret id, for GET and POST /<lane>/connections/<conn>; undefined while there is none. */
  get conn() {
    return this.#active?.hello?.conn;
  }

  /** The open stream's hello. */
  get hello() {
    return this.#active?.hello ?? undefined;
  }

  /** The topics that were set; the server may not have them yet. */
  get topics() {
    return this.#topics.desired;
  }

  /**
   * @template {keyof FeedHandlers} K
   * @param {K} name
   * @param {FeedHandlers[K]} fn called during delivery: keep it short
   * @returns {() => void} removes the handler
   */
  on(name, fn) {
    return this.#emitter.on(name, fn);
  }

  /** Connects, from the position if there is one. Does nothing when already started. */
  start() {
    if (this.#running) return;
    this.#running = true;
    this.#hidden = false;
    const { lifecycle, page } = this.#options;
    if (lifecycle && page) this.#unfollow = followPage(this.#pageHooks(), page);
    this.#reopen();
  }

  /** Closes the connection; start() resumes from the position. */
  stop() {
    if (!this.#running) return;
    this.#shutDown();
    this.#topics.stop();
    this.#setState('closed');
  }

  /** Closes the connection because the user has no session; start() resumes from the position. @param {string} reason revoked, session-over, signed-out or other-user */
  deny(reason) {
    if (!this.#running) return;
    this.#shutDown();
    this.#topics.stop();
    this.#events.report('bad', 'denied', { reason });
    this.#reason = reason;
    this.#setState('denied');
  }

  /** Gives the open streams the rights of the browser's present session. */
  renew() {
    void this.#active?.renew();
    void this.#next?.renew();
  }

  /** Tries to connect at once instead of waiting for the next try, but not before the time that the server gave. */
  retry() {
    if (!this.#running || this.#hidden || this.#active) return;
    this.#reopen();
  }

  /** Treats the open connection as stable: the next reconnect starts with the shortest delay. */
  trust() {
    if (this.#active?.hello) this.#attempt = 0;
  }

  /**
   * Switches to the other lane without loss: the old connection delivers until the new one's hello. The new one starts
   * from the position at the call; ticks that both carry are dropped once. If the new lane can't connect, the old one
   * stays and an event reports it. A call with the lane in use cancels a switch.
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
      this.#delivery.switchedAt = this.#options.wall();
      this.#next = this.#connect(lane);
      this.#setState(this.#state.name);
      return;
    }
    // No stream to hand over from.
    this.#lane = lane;
    if (!this.#running || this.#hidden) return;
    this.#dropAll();
    this.#reopen();
  }

  /** Lets the feed fall back to the other lane while this one is blocked; with null only switchLane changes it. @param {Lane | null} preferred */
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
   * Drops topics that the server no longer has, for example after a restart with fewer symbols: it would refuse every
   * reconnect that requests them. Does nothing while a stream is open. @param {(topic: string) => boolean} known
   */
  retainTopics(known) {
    if (!this.#active?.hello) this.#topics.retain(known);
  }

  // --- connections ----------------------------------------------------------------------------------------------

  /** Opens a connection, or waits for the time before which the server asked not to reconnect. */
  #reopen() {
    const left = Math.min(this.#asked, this.#notBefore - this.#options.wall());
    if (left > 0) this.#wait(left);
    else this.#open();
  }

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

  #shutDown() {
    this.#running = false;
    this.#auto?.stop();
    this.#unfollow();
    this.#options.clearTimeout(this.#retry);
    this.#events.stop();
    this.#dropAll();
    this.#attempt = this.#delivery.lostAt = 0;
  }

  #dropAll() {
    this.#active?.drop();
    this.#next?.drop();
    this.#active = this.#next = null;
  }

  /** Closes a connection that the server has ended. @param {Connection} connection @param {string} why @param {import('../types.js').Close} [close] */
  #end(connection, why, close = {}) {
    connection.drop();
    connection.close = close;
    this.#closed(connection, why);
  }

  /** Handles the end of a connection that the feed did not drop. @param {Connection} connection @param {string} why */
  #closed(connection, why) {
    const { retry = 0 } = connection.close;
    this.#emitter.emit('closed', { ...connection.close, lane: connection.lane, reason: why, opened: connection.hello !== null });
    if (!this.#running) return; // a handler stopped the feed
    if (DENIALS.has(why)) {
      this.deny(why);
      return;
    }
    if (connection === this.#next) {
      this.#next = null;
      this.#events.report('warn', 'switch-failed', { from: this.#lane, to: connection.lane, reason: why });
      this.#auto?.probeFailed(why, retry);
      this.#setState(this.#state.name);
      return;
    }
    this.#events.stop();
    const wall = this.#options.wall();
    if (connection.hello) {
      this.#delivery.lostAt = wall;
      this.#events.report('bad', 'connection-lost', { lane: connection.lane, reason: why });
      if (wall - connection.liveAt >= STABLE) this.#attempt = 0;
    } else if (this.#attempt === 0 && this.#delivery.lostAt === 0) {
      this.#events.report('bad', 'unreachable', { lane: connection.lane, reason: why });
    }
    const lane = this.#auto?.ended(connection.lane, { reason: why, lived: connection.hello && wall - connection.liveAt, online: online() }) ?? this.#lane;
    this.#active = this.#next;
    if (this.#next) {
      // A switch is in progress: its connection takes over at once.
      this.#lane = this.#next.lane;
      this.#next = null;
      this.#setState('connecting');
      return;
    }
    if (lane !== this.#lane) {
      if (!this.#fellBack) this.#events.report('warn', 'fell-back', { from: this.#lane, to: lane, reason: why });
      this.#fellBack = true;
      this.#lane = lane;
    }
    if (retry > 0) {
      this.#attempt = 0; // the server answers, and spreads the clients itself
      this.#asked = retry;
      this.#notBefore = wall + retry;
    }
    this.#reason = why;
    const delay = retry + jitter(this.#attempt, this.#options.random);
    if (retry === 0) this.#attempt++;
    this.#wait(delay);
  }

  /** @param {number} delay ms */
  #wait(delay) {
    this.#options.clearTimeout(this.#retry);
    // It keeps trying while offline: the server may be on this machine.
    this.#setState(online() ? 'waiting' : 'offline', this.#options.wall() + delay);
    this.#retry = this.#options.setTimeout(() => this.#open(), delay);
  }

  // --- messages -------------------------------------------------------------------------------------------------

  /** @param {Connection} connection @param {string | Uint8Array} data @param {() => Message | null} read @param {number} [received] local ms, if earlier than now */
  #text(connection, data, read, received = this.#options.now()) {
    const m = this.#delivery.read(data, () => connection.parts.take(read()));
    if (m === null) return;
    const size = { received, bytes: data.length };
    if (m.T === 'bye') this.#bye(connection, m, size);
    else if (m.T === 'hello') this.#hello(connection, m, size);
    else if (connection === this.#active) {
      this.#delivery.take(connection, m, size);
      if (connection.over) return; // a handler stopped the feed
      if (m.T === 'snapshot') this.#topics.snapshot();
      if (m.T === 'subscription') this.#topics.subscription(m.topics, m.snapshot === true);
    }
  }

  /** @param {Connection} connection @param {Hello} hello @param {import('./delivery.js').Size} size */
  #hello(connection, hello, size) {
    const switched = connection === this.#next;
    const at = this.#sequence.seq;
    const from = this.#lane;
    if (switched) {
      this.#active?.drop();
      this.#active = connection;
      this.#next = null;
      this.#lane = connection.lane;
    }
    connection.established(hello, this.#options.wall());
    this.#sequence.hello(hello, connection.requested);
    this.#fellBack = false;
    this.#notBefore = 0;
    this.#reason = '';
    this.#auto?.connected(connection.lane);
    this.#setState('live');
    this.#delivery.emit(connection, hello, size);
    this.#delivery.connected(hello, this.#lane, switched ? from : null, at);
    this.#topics.hello(hello.topics);
  }

  /** @param {Connection} connection @param {Bye} bye @param {import('./delivery.js').Size} size */
  #bye(connection, bye, size) {
    if (connection !== this.#active) {
      this.#end(connection, bye.reason, { retry: bye.retry });
      return;
    }
    this.#delivery.emit(connection, bye, size);
    if (connection.over) return;
    if (bye.reason === 'limit' || bye.reason === 'duration') {
      this.#shutDown();
      this.#topics.stop();
      this.#events.report('info', 'ended', { reason: bye.reason });
      this.#setState('ended');
    } else {
      this.#end(connection, bye.reason, { retry: bye.retry });
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
        this.#events.report('warn', 'offline');
        if (this.#state.name === 'waiting') this.#setState('offline', this.#state.retryAt);
      },
      online: () => {
        this.#events.report('info', 'online');
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
        this.#delivery.lostAt = this.#options.wall();
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
    if (this.#reason) this.#state.reason = this.#reason;
    this.#emitter.emit('state', this.#state);
  }
}

/** @param {Lane} lane @returns {Lane} @throws {RangeError} */
function checkLane(lane) {
  if (lane !== 'sse' && lane !== 'ws') throw new RangeError(`lane: "${lane}" is neither "sse" nor "ws"`);
  return lane;
}
