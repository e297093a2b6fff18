import { CommandError } from './commandError.js';
import { parse } from './parse.js';

/** @typedef {import('../types.js').Lane} Lane */
/** @typedef {import('../types.js').Connector} Connector */
/** @typedef {import('../types.js').ConnectorHooks} ConnectorHooks */
/** @typedef {import('../types.js').Encoding} Encoding */
/** @typedef {{ port: MessagePort, onerror: any }} Worker */

const ANSWER = 8_000; // ms in which the worker must answer, on a machine that has many tabs to open; else the tab has connections of its own
const LOOKS = 4; // in that time: a tab that was held up looks late and then again, so the worker's answer is taken first

/**
 * The tab's side of the shared connections. The worker proves itself at each opening: when it can't be loaded, or is gone, the tab
 * opens its own connection as if there were none.
 */
export class SharedConnections {
  /** @type {(() => Worker) | null} null when there is none, or it failed */
  #make;
  /** @type {Worker | null} */
  #worker = null;
  #resting = false;
  #time;
  #next = 1;
  /** @type {Map<number, (m: any) => void>} what takes each stream's messages */
  #streams = new Map();
  /** How many tabs share the newest connection; 0 while it isn't shared. */
  tabs = 0;

  /**
   * @param {() => Worker} make a SharedWorker; it may throw
   * @param {{ setTimeout: (fn: () => void, ms: number) => any, clearTimeout: (id: any) => void, now: () => number, commandBytes?: number }} time
   */
  constructor(make, time) {
    this.#make = make;
    this.#time = time;
  }

  /** Whether connections are shared, as far as is known. */
  get usable() {
    return this.#make !== null;
  }

  /** @returns {MessagePort | null} */
  #port() {
    if (!this.#make) return null;
    try {
      if (!this.#worker) {
        const worker = (this.#worker = this.#make());
        worker.onerror = () => this.#failed();
        worker.port.onmessage = (/** @type {MessageEvent<any>} */ { data: m }) => this.#streams.get(m.id)?.(m);
      }
      return this.#worker.port;
    } catch {
      this.#make = null; // the browser has none, or its policy forbids it
      return null;
    }
  }

  #failed() {
    this.#make = null;
    this.tabs = 0;
    for (const take of [...this.#streams.values()]) take({ own: true });
  }

  /**
   * To be called when the page is hidden for good or for the browser's cache of pages, which an open port may keep it out of: the port
   * closes with the last stream. Not between reconnects: a worker that nobody holds ends, and could then not be loaded.
   */
  rest() {
    this.#resting = true;
    this.#idle();
  }

  #idle() {
    if (!this.#resting || this.#streams.size > 0) return;
    this.#worker?.port.close();
    this.#worker = null;
  }

  /**
   * A connector over the shared connection of a lane.
   * @param {Lane} lane
   * @param {string} url of the subscription
   * @param {ConnectorHooks} hooks
   * @param {Encoding} encoding
   * @param {() => Connector} own makes a connection of the tab's own
   * @returns {Connector}
   */
  connect(lane, url, hooks, encoding, own) {
    this.#resting = false;
    const port = this.#port();
    if (!port) return own();
    return new Stream(port, this.#next++, { lane, url, hooks, encoding, own }, this.#time, {
      streams: this.#streams,
      silent: () => this.#failed(),
      tabs: (n) => (this.tabs = n),
      idle: () => this.#idle(),
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
  #began = false; // something of the stream came
  /** @type {any} */
  #timer;
  /** The tab's own connection, when sharing failed. @type {Connector | null} */
  #own = null;
  /** @type {Map<number, { resolve: (s: any) => void, reject: (e: Error) => void }>} */
  #waiting = new Map();
  #nextAnswer = 1;
  #skew = Infinity; // ms: this tab's clock above the worker's, and the quickest way from there
  /** Loaded when bytes come. @type {Promise<(bytes: Uint8Array) => import('../types.js').Message | null> | null} */
  #loading = null;
  /** @type {((bytes: Uint8Array) => import('../types.js').Message | null) | null} */
  #decode = null;
  /** What waits for the reader. @type {any[]} */
  #early = [];

  /**
   * @param {MessagePort} port @param {number} id
   * @param {{ lane: Lane, url: string, hooks: ConnectorHooks, encoding: Encoding, own: () => Connector }} parts
   * @param {{ setTimeout: (fn: () => void, ms: number) => any, clearTimeout: (id: any) => void, now: () => number, commandBytes?: number }} time
   * @param {{ streams: Map<number, (m: any) => void>, silent: () => void, tabs: (n: number) => void, idle: () => void }} host
   */
  constructor(port, id, parts, time, host) {
    this.lane = parts.lane;
    this.#port = port;
    this.#id = id;
    this.#parts = parts;
    this.#time = time;
    this.#host = host;
    host.streams.set(id, (m) => this.#take(m));
    this.#await(LOOKS);
    port.postMessage({ open: id, lane: parts.lane, url: parts.url, encoding: parts.encoding, commandBytes: time.commandBytes ?? 4096 });
  }

  /** @param {number} looks */
  #await(looks) {
    this.#timer = this.#time.setTimeout(() => (looks > 1 ? this.#await(looks - 1) : this.#host.silent()), ANSWER / LOOKS);
  }

  close() {
    this.#open = false;
    this.#own?.close();
    this.#leave();
  }

  /** Lets go of the worker. */
  #leave() {
    this.#time.clearTimeout(this.#timer);
    if (!this.#host.streams.delete(this.#id)) return;
    this.#port.postMessage({ id: this.#id, close: true });
    for (const { reject } of this.#waiting.values()) reject(new CommandError('closed', 'the stream ended before the server answered'));
    this.#waiting.clear();
    this.#host.idle();
  }

  /** @param {'subscribe' | 'unsubscribe'} action @param {string[]} topics @param {string} conn @returns {Promise<any>} */
  command(action, topics, conn) {
    if (this.#own) return this.#own.command(action, topics, conn);
    return new Promise((resolve, reject) => {
      if (!this.#open) throw new CommandError('closed', 'the stream is not open');
      const answer = this.#nextAnswer++;
      this.#waiting.set(answer, { resolve, reject });
      this.#port.postMessage({ id: this.#id, action, topics, answer });
    });
  }

  /** @param {any} m from the worker */
  #take(m) {
    if (!this.#answered) {
      this.#answered = true;
      this.#time.clearTimeout(this.#timer);
    }
    if (m.data) this.#batch(m);
    else if (m.own) this.#alone();
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
    if (this.#early.length > 0) {
      this.#early.push(m); // after what came before it
      return;
    }
    this.close();
    this.#parts.hooks.closed(m.closed, m.close);
  }

  #alone() {
    if (this.#began) {
      // What came is the feed's by now, and this stream's place is an old one: the feed opens another where it stands.
      this.#closed({ closed: 'closed', close: {} });
      return;
    }
    this.#leave();
    if (!this.#open) return;
    this.#host.tabs(0);
    try {
      this.#own = this.#parts.own();
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
    if (this.#early.length > 0 || (!this.#decode && m.data.some((d) => typeof d !== 'string'))) {
      this.#early.push(m);
      this.#load();
      return;
    }
    this.#deliver(m);
  }

  /** @param {{ data: (string | Uint8Array)[], at: number[] }} m */
  #deliver(m) {
    for (let k = 0; k < m.data.length && this.#open; k++) {
      const data = /** @type {string | Uint8Array} */ (m.data[k]);
      // Stamped where it came from the network, by this tab's clock, so that waiting for a batch isn't the lane's.
      const received = /** @type {number} */ (m.at[k]) + this.#skew;
      this.#parts.hooks.text(data, () => (typeof data === 'string' ? parse(data) : /** @type {any} */ (this.#decode)(data)), received);
    }
  }

  #load() {
    this.#loading ??= import('./protobuf.js').then(({ decode }) => decode);
    this.#loading.then((decode) => {
      this.#decode = decode;
      for (const m of this.#early.splice(0)) if (this.#open) m.data ? this.#deliver(m) : this.#closed(m);
    }, () => {
      if (!this.#open) return;
      this.close();
      this.#parts.hooks.closed('closed', {});
    });
  }
}
