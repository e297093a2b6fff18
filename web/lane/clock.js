import { request } from '../browser/http.js';

const MICRO = 1_000; // µs in a ms
const DRIFT = 100e-6; // by how much a bad oscillator may run off, ms a ms

/**
 * @typedef {object} Sample
 * @property {number} offset server − local, ms
 * @property {number} rtt round trip without the server's own time, ms
 * @property {number} at local ms
 */

/**
 * The server's clock as seen from here, by four timestamps: the client notes when it asks and when the answer is here,
 * the server when it received and when it sent. offset = ((T2 − T1) + (T3 − T4)) / 2, in error by at most half the
 * round trip (RFC 5905 §8). Of the newest samples the one with the smallest round trip counts. It goes over fetch
 * whatever the lane, so that one estimate serves both and favours neither.
 */
export class Clock {
  #options;
  /** @type {Sample[]} */
  #samples = [];
  /** @type {Sample | null} */
  #best = null;
  /** @type {any} */
  #timer = null;
  #run = 0; // which start the loop belongs to; a loop of another one ends

  /**
   * @param {{
   *   url?: string,
   *   fetch?: typeof globalThis.fetch,
   *   now?: () => number,
   *   every?: number,
   *   burst?: number,
   *   pause?: number,
   *   window?: number,
   *   setTimeout?: (fn: () => void, ms: number) => any,
   *   clearTimeout?: (id: any) => void,
   *   changed?: () => void,
   * }} [options] now: local ms since 1970 with fractions, the clock that stamps messages; every: ms between exchanges;
   *   burst: how many at the start, `pause` ms apart; window: samples that are compared
   */
  constructor(options = {}) {
    const g = /** @type {any} */ (globalThis);
    this.#options = {
      url: '/api/time',
      fetch: /** @type {typeof globalThis.fetch} */ ((...args) => g.fetch(...args)),
      now: () => performance.timeOrigin + performance.now(),
      every: 7_000,
      burst: 5,
      pause: 150,
      window: 8,
      setTimeout: (/** @type {() => void} */ fn, /** @type {number} */ ms) => g.setTimeout(fn, ms),
      clearTimeout: (/** @type {any} */ id) => g.clearTimeout(id),
      changed: () => {},
      ...options,
    };
  }

  /** Whether there is an estimate. */
  get known() {
    return this.#best !== null;
  }

  /** Server − local, ms; NaN before the first exchange. */
  get offset() {
    return this.#best?.offset ?? NaN;
  }

  /** Half the round trip, ms: the offset is right within this much either way. NaN before the first exchange. */
  get error() {
    return this.#best ? this.#best.rtt / 2 : NaN;
  }

  /** A local time as the server's. @param {number} local ms @returns {number} ms, or NaN */
  toServer(local) {
    return local + this.offset;
  }

  /**
   * How long after it was due a tick arrived. May be below 0 by up to `error`.
   * @param {{ t: number }} tick t in µs, server's clock
   * @param {number} received local ms
   * @returns {number} ms, or NaN
   */
  latency(tick, received) {
    // Ms since 1970 in a double resolve a quarter of a µs, so there is nothing to be careful about.
    return received - tick.t / MICRO + this.offset;
  }

  start() {
    if (this.#timer !== null) return;
    this.#timer = 0;
    void this.#loop(++this.#run, 1);
  }

  stop() {
    this.#run++;
    this.#options.clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Starts anew with a burst: local time may have stood still, as in a sleep. */
  restart() {
    this.stop();
    this.#samples = [];
    this.start();
  }

  /** One exchange. @returns {Promise<boolean>} whether it came about */
  async sample() {
    const { url, fetch, now } = this.#options;
    try {
      const t1 = now();
      const response = await request(url, { fetch });
      const t4 = now();
      const { received, sent } = await response.json();
      if (!response.ok || typeof received !== 'number' || typeof sent !== 'number') return false;
      const t2 = received / MICRO;
      const t3 = sent / MICRO;
      this.#take({ offset: (t2 - t1 + (t3 - t4)) / 2, rtt: Math.max(0, t4 - t1 - (t3 - t2)), at: t4 });
      return true;
    } catch {
      return false; // no network: the estimate stays
    }
  }

  /** @param {Sample} s */
  #take(s) {
    const best = this.#best;
    if (best && Math.abs(s.offset - best.offset) > (s.rtt + best.rtt) / 2 + DRIFT * (s.at - best.at) + 1) {
      this.#samples = []; // both can't be right: one of the clocks was set, or stood still
    }
    this.#samples.push(s);
    if (this.#samples.length > this.#options.window) this.#samples.shift();
    const worth = (/** @type {Sample} */ x) => x.rtt / 2 + DRIFT * (s.at - x.at);
    this.#best = this.#samples.reduce((a, b) => (worth(b) <= worth(a) ? b : a));
    this.#options.changed();
  }

  /** @param {number} run @param {number} round from 1 */
  async #loop(run, round) {
    const { burst, pause, every, setTimeout } = this.#options;
    const ok = await this.sample();
    if (run !== this.#run) return; // stopped or restarted meanwhile
    this.#timer = setTimeout(() => void this.#loop(run, round + 1), ok && round < burst ? pause : every);
  }
}
