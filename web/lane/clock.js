import { browserFetch, request } from '../browser/http.js';
import { timers } from '../browser/timers.js';

/** @import { Timers } from '../types.js' */

const MICRO = 1_000; // µs in a ms
const DRIFT = 100e-6; // of a poor oscillator, ms per ms

/**
 * @typedef {object} Sample
 * @property {number} offset server − local, ms
 * @property {number} rtt round trip without the server's own time, ms
 * @property {number} at local ms
 */

/**
 * Estimates the server's clock from four timestamps: sent and received by the client (T1, T4) and by the server (T3, T2).
 * offset = ((T2 − T1) + (T3 − T4)) / 2, wrong by at most half the round trip (RFC 5905 §8). Of the newest samples the one
 * with the shortest round trip is used. It uses fetch on both lanes, so the estimate favours neither.
 */
export class Clock {
  #options;
  /** @type {Sample[]} */
  #samples = [];
  /** @type {Sample | null} */
  #best = null;
  /** @type {any} */
  #timer = null;
  #run = 0; // incremented by start and stop; a loop of an earlier run ends

  /**
   * @param {Partial<Timers> & {
   *   url?: string,
   *   fetch?: typeof globalThis.fetch,
   *   now?: () => number,
   *   every?: number,
   *   burst?: number,
   *   pause?: number,
   *   window?: number,
   *   changed?: () => void,
   * }} [options] now: local ms since 1970 with fractions, the clock that stamps messages; every: ms between exchanges;
   *   burst: exchanges at the start, `pause` ms apart; window: samples that are compared
   */
  constructor(options = {}) {
    this.#options = {
      url: '/api/time',
      fetch: browserFetch,
      now: () => performance.timeOrigin + performance.now(),
      every: 7_000,
      burst: 5,
      pause: 150,
      window: 8,
      ...timers,
      changed: () => {},
      ...options,
    };
  }

  /** Reports whether there is an estimate. */
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

  /**
   * The delay between a tick's due time and its arrival. It may be below 0 by up to `error`.
   * @param {{ t: number }} tick t in µs, server's clock
   * @param {number} received local ms
   * @returns {number} ms, or NaN
   */
  latency(tick, received) {
    // Milliseconds since 1970 in a double have a resolution of a quarter of a µs.
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

  /** Starts again with a burst: the local clock may have stopped, for example while the machine slept. */
  restart() {
    this.stop();
    this.#samples = [];
    this.start();
  }

  /** Makes one exchange. @returns {Promise<boolean>} whether it succeeded */
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
      this.#samples = []; // the samples contradict each other: one of the clocks was set or stopped
    }
    this.#samples.push(s);
    if (this.#samples.length > this.#options.window) this.#samples.shift();
    const uncertainty = (/** @type {Sample} */ x) => x.rtt / 2 + DRIFT * (s.at - x.at);
    this.#best = this.#samples.reduce((a, b) => (uncertainty(b) <= uncertainty(a) ? b : a));
    this.#options.changed();
  }

  /** @param {number} run @param {number} exchange from 1 */
  async #loop(run, exchange) {
    const { burst, pause, every, setTimeout } = this.#options;
    const ok = await this.sample();
    if (run !== this.#run) return; // stopped or restarted meanwhile
    this.#timer = setTimeout(() => void this.#loop(run, exchange + 1), ok && exchange < burst ? pause : every);
  }
}
