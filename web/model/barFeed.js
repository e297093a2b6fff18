import { Bars, widths } from './bars.js';

/** @typedef {import('../types.js').Quote} Quote */
/** @typedef {import('../types.js').Message} Message */
/** @typedef {import('./history.js').History} History */
/** @typedef {'first' | 'all' | 'last'} Change other bars than before; any of the same; the newest, or some after it */

export const PAGE = 300; // bars asked for at a time
const MOST = 5000; // bars held; more would only be seen as a wall
const AGAIN = 300; // ms until history that is behind the stream is asked for again
const TRIES = 5;
const RETRY = 5000; // ms after history failed

/**
 * The bars of one symbol: history first, then live, older ones on demand. Ticks that come while history is on its way
 * are kept and put after it by their seq, so that no tick is missed or counted twice. A snapshot (start, gap, new log)
 * says that ticks may be missing; history that reaches at least to it fills the hole. Knows no DOM.
 */
export class BarFeed {
  #options;
  #symbol = '';
  #interval = '1m';
  #bars = new Bars(60e6);
  /** @type {Quote[]} ticks of the symbol while history is on its way */
  #waiting = [];
  #holding = false; // ticks wait for history
  /** @type {AbortController | null} */
  #loading = null;
  /** @type {AbortController | null} */
  #older = null;
  #olderAt = 0; // not asked for before
  /** @type {any} */
  #timer = null;
  #epoch = '';
  #want = -1; // the seq that history must reach
  #sound = false; // no hole in the bars, so that old ones may stay when history comes anew

  /** @type {'loading' | 'ready' | 'failed'} */
  state = 'loading';
  /** When the next try is due, in failed. */
  retryAt = 0;
  /** Whether the server keeps nothing older. */
  end = false;

  /**
   * @param {{
   *   fetch: (symbol: string, interval: string, limit: number, signal: AbortSignal, before?: number) => Promise<History>,
   *   changed: (what: Change) => void,
   *   now?: () => number,
   *   setTimeout?: (fn: () => void, ms: number) => any,
   *   clearTimeout?: (id: any) => void,
   * }} options
   */
  constructor(options) {
    this.#options = {
      now: Date.now,
      setTimeout: (/** @type {() => void} */ fn, /** @type {number} */ ms) => globalThis.setTimeout(fn, ms),
      clearTimeout: (/** @type {any} */ id) => globalThis.clearTimeout(id),
      ...options,
    };
  }

  get bars() {
    return this.#bars;
  }

  get list() {
    return this.#bars.list;
  }

  get loadingOlder() {
    return this.#older !== null;
  }

  /** @param {string} symbol @param {string} interval */
  show(symbol, interval) {
    this.#symbol = symbol;
    this.#interval = interval;
    this.#bars = new Bars(widths[interval] ?? 60e6);
    this.#waiting = [];
    this.#sound = this.end = false;
    this.#olderAt = 0;
    this.#older?.abort();
    this.#older = null;
    this.state = 'loading';
    this.#options.changed('first');
    void this.#load(0);
  }

  /** Ends all that is under way; nothing is told any more. */
  close() {
    this.#symbol = '';
    this.#stop();
    this.#older?.abort();
    this.#older = null;
    this.#waiting = [];
  }

  /** @param {Message} m every message of the feed, in order */
  take(m) {
    if (m.T === 'q') {
      if (m.S !== this.#symbol) return;
      if (this.#holding) this.#waiting.push(m);
      else if (this.#bars.apply(m)) this.#grown();
    } else if (m.T === 'hello') {
      const before = this.#epoch;
      this.#epoch = m.epoch;
      if (before && m.epoch !== before) this.#restart();
    } else if (m.T === 'snapshot') {
      this.#want = m.i;
      if (this.#symbol && !this.#loading && this.#bars.seq < m.i) void this.#load(0);
    }
  }

  /** Asks for older bars, unless there are none or they are on their way. */
  async older() {
    const before = this.list[0]?.t;
    if (before === undefined || this.state !== 'ready' || this.#older || this.end || this.#options.now() < this.#olderAt) return;
    const mine = (this.#older = new AbortController());
    this.#options.changed('last');
    try {
      const h = await this.#options.fetch(this.#symbol, this.#interval, PAGE, mine.signal, before);
      if (mine.signal.aborted) return;
      this.#older = null;
      // Meanwhile the log may be another one, or the bars begin elsewhere.
      if (h.epoch === this.#epoch && this.list[0]?.t === before) {
        this.#bars.prepend(h.bars);
        this.end = !h.more || this.list.length >= MOST;
      }
    } catch {
      if (mine.signal.aborted) return;
      this.#older = null;
      this.#olderAt = this.#options.now() + RETRY;
    }
    this.#options.changed('all');
  }

  #grown() {
    if (this.list.length > MOST * 1.1) {
      this.#bars.trim(MOST);
      this.#options.changed('all');
    } else {
      this.#options.changed('last');
    }
  }

  /** Another log: what waits is of the old one, and so are the seqs. */
  #restart() {
    this.#want = -1;
    this.#waiting = [];
    this.#sound = false;
    this.#bars.restart();
    if (this.#symbol) void this.#load(0);
  }

  #stop() {
    this.#options.clearTimeout(this.#timer);
    this.#timer = null;
    this.#loading?.abort();
    this.#loading = null;
  }

  /** @param {number} tries so far */
  async #load(tries) {
    this.#stop();
    const mine = (this.#loading = new AbortController());
    this.#holding = true;
    let h;
    try {
      h = await this.#options.fetch(this.#symbol, this.#interval, PAGE, mine.signal);
    } catch {
      if (!mine.signal.aborted) this.#failed();
      return;
    }
    if (mine.signal.aborted) return;
    this.#loading = null;
    this.#epoch ||= h.epoch;
    if (h.epoch !== this.#epoch || h.i < Math.max(this.#want, this.#bars.seq)) {
      if (tries < TRIES) this.#timer = this.#options.setTimeout(() => this.#load(tries + 1), AGAIN);
      else this.#failed();
      return;
    }
    const first = this.list.length === 0;
    if (!this.#bars.load(h.bars, h.i, h.day ?? NaN, this.#sound)) {
      this.end = !h.more;
      this.#older?.abort();
      this.#older = null;
    }
    this.#sound = true;
    this.state = 'ready';
    this.#release(first);
  }

  /** Without history the bars still follow what comes. */
  #failed() {
    this.#loading = null;
    this.#sound = false;
    this.state = 'failed';
    this.retryAt = this.#options.now() + RETRY;
    this.#timer = this.#options.setTimeout(() => this.#load(0), RETRY);
    this.#release(false);
  }

  /** @param {boolean} first */
  #release(first) {
    this.#holding = false;
    for (const q of this.#waiting) this.#bars.apply(q);
    this.#waiting = [];
    this.#options.changed(first ? 'first' : 'all');
  }
}
