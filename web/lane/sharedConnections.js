import { CommandError } from './commandError.js';
import { parse } from './parse.js';
import { setDecimals } from '../model/instruments.js';

/** @import { Connector, ConnectorHooks, Encoding, Lane, SessionState, Timers } from '../types.js' */
/** @typedef {{ port: MessagePort, onerror: any }} Worker */

const ANSWER = 8_000; // ms until the worker must answer, also on a machine that opens many tabs; else the tab connects itself
const CHECKS = 4; // timers in that time: after a pause of the tab only one of them is late, so the worker's queued answer is handled first

/**
 * The tab's side of the connections that a SharedWorker holds. Each stream that it opens checks that the worker answers;
 * when the worker can't be loaded or has ended, the tab opens a separate connection.
 */
export class SharedConnections {
  /** @type {(() => Worker) | null} null after it failed */
  #create;
  /** @type {Worker | null} */
  #worker = null;
  #released = false;
  #time;
  #nextID = 1;
  /** @type {Map<number, (m: any) => void>} handles each stream's messages */
  #streams = new Map();
  /** How many tabs share the newest connection; 0 while it is not shared. */
  tabs = 0;
  /** The browser's session as the worker reported it last; null before. @type {SessionState | null} */
  session = null;
  /** Called with each session that the worker reports, and with null once the worker has failed. @type {(state: SessionState | null) => void} */
  onSession = () => {};

  /**
   * @param {() => Worker} create returns a SharedWorker; it may throw
   * @param {Timers & { now: () => number, commandBytes?: number, mostTopics?: number, sessions?: boolean }} time sessions: the server has sessions, which the worker keeps
   */
  constructor(create, time) {
    this.#create = create;
    this.#time = time;
  }

  /** @returns {MessagePort | null} */
  #port() {
    if (!this.#create) return null;
    try {
      if (!this.#worker) {
        const worker = (this.#worker = this.#create());
        worker.onerror = () => this.#failed();
        worker.port.onmessage = (/** @type {MessageEvent<any>} */ { data: m }) => (m.session ? this.onSession((this.session = m.session)) : this.#streams.get(m.id)?.(m));
        if (this.#time.sessions) worker.port.postMessage({ session: true });
      }
      return this.#worker.port;
    } catch {
      this.#create = null; // not supported, or forbidden by a policy
      return null;
    }
  }

  #failed() {
    this.#create = null;
    this.tabs = 0;
    for (const take of [...this.#streams.values()]) take({ own: true });
    this.session = null;
    this.onSession(null);
  }

  /** Whether there is a worker, which keeps the browser's session. */
  get works() {
    return this.#create !== null;
  }

  /** Lets the worker read the session again: a request was refused, the page was restored, or the user has signed out. @param {true | 'out' | 'suspect'} why */
  checkSession(why) {
    this.#port()?.postMessage({ session: why });
  }

  /**
   * Closes the port when the last stream has ended. To be called on pagehide: an open port may keep the page out of the
   * back/forward cache. Not between reconnects: a worker without ports ends and may then be impossible to load.
   */
  release() {
    this.#released = true;
    this.#closeIdle();
  }

  #closeIdle() {
    if (!this.#released || this.#streams.size > 0) return;
    this.#worker?.port.close();
    this.#worker = null;
  }

  /**
   * A connector over the shared connection of a lane.
   * @param {Lane} lane
   * @param {string} url of the subscription
   * @param {ConnectorHooks} hooks
   * @param {Encoding} encoding
   * @param {() => Connector} separate opens a connection that is not shared
   * @returns {Connector}
   */
  connect(lane, url, hooks, encoding, separate) {
    this.#released = false;
    const port = this.#port();
    if (!port) return separate();
    return new Stream(port, this.#nextID++, { lane, url, hooks, encoding, separate }, this.#time, {
      streams: this.#streams,
      unanswered: () => this.#failed(),
      tabs: (n) => (this.tabs = n),
      ended: () => this.#closeIdle(),
    });
  }
}

/** @implements {Connector} */
class Stream {
  lane;
  #port;
  #id;
  #parts;
  #time;
  #host;
  #open = true;
  #answered = false;
  #began = false; // messages of the stream have arrived
  /** @type {any} */
  #timer;
  /** A separate connection, when sharing failed. @type {Connector | null} */
  #separate = null;
  /** @type {Map<number, { resolve: (s: any) => void, reject: (e: Error) => void }>} */
  #waiting = new Map();
  #nextAnswer = 1;
  #skew = Infinity; // ms that this tab's clock is ahead of the worker's, plus the shortest delay of a batch
  /** Loaded when binary messages arrive. @type {Promise<(bytes: Uint8Array) => import('../types.js').Message | null> | null} */
  #loading = null;
  /** @type {((bytes: Uint8Array) => import('../types.js').Message | null) | null} */
  #decode = null;
  /** Batches, and the end, that wait for the decoder. @type {any[]} */
  #queued = [];

  /**
   * @param {MessagePort} port @param {number} id
   * @param {{ lane: Lane, url: string, hooks: ConnectorHooks, encoding: Encoding, separate: () => Connector }} parts
   * @param {Timers & { now: () => number, commandBytes?: number, mostTopics?: number }} time
   * @param {{ streams: Map<number, (m: any) => void>, unanswered: () => void, tabs: (n: number) => void, ended: () => void }} host
   */
  constructor(port, id, parts, time, host) {
    this.lane = parts.lane;
    this.#port = port;
    this.#id = id;
    this.#parts = parts;
    this.#time = time;
    this.#host = host;
    host.streams.set(id, (m) => this.#take(m));
    this.#awaitAnswer(CHECKS);
    port.postMessage({ open: id, lane: parts.lane, url: parts.url, encoding: parts.encoding, commandBytes: time.commandBytes ?? 4096, mostTopics: time.mostTopics ?? 512 });
  }

  /** @param {number} checks left */
  #awaitAnswer(checks) {
    this.#timer = this.#time.setTimeout(() => (checks > 1 ? this.#awaitAnswer(checks - 1) : this.#host.unanswered()), ANSWER / CHECKS);
  }

  close() {
    this.#open = false;
    this.#separate?.close();
    this.#leave();
  }

  /** Ends the stream in the worker. */
  #leave() {
    this.#time.clearTimeout(this.#timer);
    if (!this.#host.streams.delete(this.#id)) return;
    this.#port.postMessage({ id: this.#id, close: true });
    for (const { reject } of this.#waiting.values()) reject(new CommandError('closed', 'the stream ended before the server answered'));
    this.#waiting.clear();
    this.#host.ended();
  }

  /** @param {'subscribe' | 'unsubscribe'} action @param {string[]} topics @param {string} conn @returns {Promise<any>} */
  command(action, topics, conn) {
    if (this.#separate) return this.#separate.command(action, topics, conn);
    return new Promise((resolve, reject) => {
      if (!this.#open) throw new CommandError('closed', 'the stream is not open');
      const answer = this.#nextAnswer++;
      this.#waiting.set(answer, { resolve, reject });
      this.#port.postMessage({ id: this.#id, action, topics, answer });
    });
  }

  /** The worker renews the shared connection. @param {string} conn */
  async renew(conn) {
    await this.#separate?.renew(conn);
  }

  /** @param {any} m from the worker */
  #take(m) {
    if (!this.#answered) {
      this.#answered = true;
      this.#time.clearTimeout(this.#timer);
    }
    if (m.data) this.#batch(m);
    else if (m.own) this.#connectSeparately();
    else if (m.tabs !== undefined) this.#host.tabs(m.tabs);
    else if (m.answer !== undefined) {
      const command = this.#waiting.get(m.answer);
      this.#waiting.delete(m.answer);
      if (m.error) command?.reject(new CommandError(m.error.code, m.error.msg));
      else command?.resolve(m.ok);
    } else if (m.closed) this.#closed(m);
  }

  /** @param {any} m */
  #closed(m) {
    if (this.#queued.length > 0) {
      this.#queued.push(m);
      return;
    }
    this.close();
    this.#parts.hooks.closed(m.closed, m.close);
  }

  #connectSeparately() {
    if (this.#began) {
      // The feed has moved on from this stream's position, so it must reconnect from its own.
      this.#closed({ closed: 'closed', close: {} });
      return;
    }
    this.#leave();
    if (!this.#open) return;
    this.#host.tabs(0);
    try {
      this.#separate = this.#parts.separate();
    } catch {
      this.#open = false;
      this.#parts.hooks.closed('refused');
    }
  }

  /** @param {{ data: (string | Uint8Array)[], at: number[], sent: number }} m */
  #batch(m) {
    this.#began = true;
    this.#port.postMessage({ id: this.#id, took: 1 });
    this.#skew = Math.min(this.#skew, this.#time.now() - m.sent);
    if (this.#queued.length > 0 || (!this.#decode && m.data.some((d) => typeof d !== 'string'))) {
      this.#queued.push(m);
      this.#loadDecoder();
      return;
    }
    this.#deliver(m);
  }

  /** @param {{ data: (string | Uint8Array)[], at: number[] }} m */
  #deliver(m) {
    for (let k = 0; k < m.data.length && this.#open; k++) {
      const data = /** @type {string | Uint8Array} */ (m.data[k]);
      // The worker's time of arrival by this tab's clock, so that the delay of a batch does not count as latency.
      const received = /** @type {number} */ (m.at[k]) + this.#skew;
      this.#parts.hooks.text(data, () => (typeof data === 'string' ? this.#parse(data) : /** @type {any} */ (this.#decode)(data)), received);
    }
  }

  /** Parses a message of the worker, whose snapshots have the decimals of instruments. @param {string} data */
  #parse(data) {
    const m = parse(data);
    if (m?.T === 'snapshot') for (const q of m.quotes) if (q.decimals !== undefined) setDecimals(q.S, q.decimals, q.size_decimals);
    return m;
  }

  #loadDecoder() {
    this.#loading ??= import('./protobuf.js').then(({ decode }) => decode);
    this.#loading.then((decode) => {
      this.#decode = decode;
      for (const m of this.#queued.splice(0)) if (this.#open) m.data ? this.#deliver(m) : this.#closed(m);
    }, () => {
      if (!this.#open) return;
      this.close();
      this.#parts.hooks.closed('closed', {});
    });
  }
}
