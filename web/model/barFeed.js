import { timers } from '../browser/timers.js';
import { Bars, widths } from './bars.js';

/** @import { Message, Quote, Timers } from '../types.js' */
/** @import { History } from './history.js' */
/** @typedef {'first' | 'all' | 'last'} Change first: other bars than before; all: any of the same bars; last: the newest bar, or bars after it */

export const PAGE = 300; // bars per request
const MOST = 5000; // bars kept
const BEHIND = 300; // ms until history that is behind the stream is requested again
const TRIES = 5;
const RETRY = 5000; // ms after a failed request

/**
 * The bars of one symbol: from history, then live; older ones on demand. Ticks that arrive during a request are applied
 * after its response by their seq, so that no tick is missed or counted twice. After a snapshot (start, gap, new log)
 * ticks may be missing, and history up to at least its seq fills the hole. So it does after the first tick of a
 * delayed stream, unless the snapshot had the symbol: bars of the time before the server's start become old enough without ticks.
 */
export class BarFeed {
  #options;
  #symbol = '';
  #interval = '1m';
  #bars = new Bars(60e6);
  /** @type {Quote[]} ticks of the symbol that wait for history */
  #waiting = [];
  #holding = false; // ticks wait for history
  /** @type {AbortController | null} */
  #loading = null;
  /** @type {AbortController | null} */
  #older = null;
  #olderAt = 0; // ms before which older bars are not requested
  /** @type {any} */
  #timer = null;
  #epoch = '';
  #required = -1; // the seq that history must reach
  #complete = false; // no hole in the bars, so old ones may stay when history is loaded again
  #delayed = false; // the stream is
  #unseen = false; // the symbol has had no tick since the hello of a delayed stream

  /** @type {'loading' | 'ready' | 'failed'} */
  state = 'loading';
  /** Ms since 1970 of the next try, in state failed. */
  retryAt = 0;
  /** Whether the server has no older bars. */
  end = false;

  /**
   * @param {Partial<Timers> & {
   *   load: (symbol: string, interval: string, limit: number, signal: AbortSignal, before?: number) => Promise<History>,
   *   changed: (what: Change) => void,
   *   now?: () => number,
   * }} options
   */
  constructor(options) {
    this.#options = { now: Date.now, ...timers, ...options };
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
    this.#bars = new Bars(widths[interval] ?? 60e6, symbol);
    this.#waiting = [];
    this.#complete = this.end = false;
    this.#unseen = this.#delayed;
    this.#olderAt = 0;
    this.#older?.abort();
    this.#older = null;
    this.state = 'loading';
    this.#options.changed('first');
    void this.#load(0);
  }

  /** Cancels the requests; changed is not called any more. */
  close() {
    this.#symbol = '';
    this.#stop();
    this.#older?.abort();
    this.#older = null;
    this.#waiting = [];
  }

  /** Handles a message of the feed; it needs all of them, in order. @param {Message} m */
  take(m) {
    if (m.T === 'q') {
      if (m.S !== this.#symbol) return;
      if (this.#unseen) {
        this.#unseen = false;
        this.#required = m.i;
        if (!this.#holding) void this.#load(0);
      }
      if (this.#holding) this.#waiting.push(m);
      else if (this.#bars.apply(m)) this.#extended();
    } else if (m.T === 'hello') {
      const before = this.#epoch;
      this.#epoch = m.epoch;
      this.#delayed = this.#unseen = (m.delay ?? 0) > 0;
      if (before && m.epoch !== before) this.#restart();
    } else if (m.T === 'snapshot') {
      this.#required = m.i;
      if (m.quotes.some(({ S }) => S === this.#symbol)) this.#unseen = false;
      if (this.#symbol && !this.#loading && this.#bars.seq < m.i) void this.#load(0);
    }
  }

  /** Requests older bars, unless there are none or a request is in progress. */
  async older() {
    const before = this.list[0]?.t;
    if (before === undefined || this.state !== 'ready' || this.#older || this.end || this.#options.now() < this.#olderAt) return;
    const mine = (this.#older = new AbortController());
    this.#options.changed('last');
    try {
      const h = await this.#options.load(this.#symbol, this.#interval, PAGE, mine.signal, before);
      if (mine.signal.aborted) return;
      this.#older = null;
      // Meanwhile the log or the first bar may have changed.
      if (h.epoch === this.#epoch && this.list[0]?.t === before) {
        this.#bars.prepend(h.bars);
        this.end = !h.more || this.list.length >= MOST;
      }
    } catch (err) {
      if (mine.signal.aborted) return;
      this.#older = null;
      this.#olderAt = this.#options.now() + Math.max(RETRY, /** @type {{ retryAfter?: number }} */ (err).retryAfter ?? 0);
    }
    this.#options.changed('all');
  }

  #extended() {
    if (this.list.length > MOST * 1.1) {
      this.#bars.trim(MOST);
      this.#options.changed('all');
    } else {
      this.#options.changed('last');
    }
  }

  /** Handles another log: waiting ticks and seqs belong to the old one. */
  #restart() {
    this.#required = -1;
    this.#waiting = [];
    this.#complete = false;
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
      h = await this.#options.load(this.#symbol, this.#interval, PAGE, mine.signal);
    } catch (err) {
      if (!mine.signal.aborted) this.#failed(/** @type {{ retryAfter?: number }} */ (err).retryAfter);
      return;
    }
    if (mine.signal.aborted) return;
    this.#loading = null;
    this.#epoch ||= h.epoch;
    if (h.epoch !== this.#epoch || h.i < Math.max(this.#required, this.#bars.seq)) {
      if (tries < TRIES) this.#timer = this.#options.setTimeout(() => this.#load(tries + 1), BEHIND);
      else this.#failed();
      return;
    }
    const first = this.list.length === 0;
    if (!this.#bars.load(h.bars, h.i, h.day ?? NaN, this.#complete)) {
      this.end = !h.more;
      this.#older?.abort();
      this.#older = null;
    }
    this.#complete = true;
    this.state = 'ready';
    this.#release(first);
  }

  /** Handles a failed request; the bars still follow the ticks. @param {number} [least] ms before which the server asked not to repeat it */
  #failed(least = 0) {
    const delay = Math.max(RETRY, least);
    this.#loading = null;
    this.#complete = false;
    this.state = 'failed';
    this.retryAt = this.#options.now() + delay;
    this.#timer = this.#options.setTimeout(() => this.#load(0), delay);
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
