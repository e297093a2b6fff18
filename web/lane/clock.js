import { browserFetch, request } from '../browser/http.js';
import { timers } from '../browser/timers.js';

/** @import { Timers } from '../types.js' */

const MICRO = 1_000; // µs in a ms
const DRIFT = 100e-6; // of a poor oscillator, ms per ms
const STOPPED = 500; // ms that the local clock may fall behind the wall clock; in some browsers it stops while the machine sleeps

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
  #ahead = 0; // ms that the wall clock was ahead of the local one at the newest sample
  /** Ms that the ticks are behind their feed on purpose, which are no latency. */
  delay = 0;
  #run = 0; // incremented by start and stop; a loop of an earlier run ends

  /**
   * @param {Partial<Timers> & {
   *   url?: string,
   *   fetch?: typeof globalThis.fetch,
   *   now?: () => number,
   *   wall?: () => number,
   *   every?: number,
   *   burst?: number,
   *   pause?: number,
   *   window?: number,
   * }} [options] now: local ms since 1970 with fractions, the clock that stamps messages; wall: ms since 1970 of
   *   the wall clock, which continues during a sleep; every: ms between exchanges; burst: exchanges at the start, `pause` ms apart; window: samples that are compared
   */
  constructor(options = {}) {
    this.#options = {
      url: '/api/time',
      fetch: browserFetch,
      now: () => performance.timeOrigin + performance.now(),
      wall: () => Date.now(),
      every: 7_000,
      burst: 5,
      pause: 150,
      window: 8,
      ...timers,
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
   * The delay between a tick's due time, or its receipt by the server if a feed sent it, and its arrival; of a delayed stream, what exceeds its delay. It may be below 0 by up to `error`. Once the local clock has stopped
   * it is NaN until the next exchange.
   * @param {{ t: number, r?: number }} tick t and r in µs, server's clock
   * @param {number} received local ms
   * @returns {number} ms, or NaN
   */
  latency(tick, received) {
    if (this.#best && Math.abs(this.#lead() - this.#ahead) > STOPPED) this.restart();
    // Milliseconds since 1970 in a double have a resolution of a quarter of a µs.
    return received - (tick.r ?? tick.t) / MICRO + this.offset - this.delay;
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

  /** Discards the estimate, and starts again with a burst if it runs: the local clock has stopped, or was set. */
  restart() {
    const running = this.#timer !== null;
    this.stop();
    this.#samples = [];
    this.#best = null;
    if (running) this.start();
  }

  /** Ms that the wall clock is ahead of the local one. */
  #lead() {
    return this.#options.wall() - this.#options.now();
  }

  /** Makes one exchange. @returns {Promise<boolean>} whether it succeeded */
  async sample() {
    const { url, fetch, now } = this.#options;
    try {
      const lead = this.#lead();
      const t1 = now();
      const response = await request(url, { fetch });
      const t4 = now();
      const { received, sent } = await response.json();
      if (Math.abs(this.#lead() - lead) > STOPPED) return false; // the local clock stopped meanwhile
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
    this.#ahead = this.#lead();
  }

  /** @param {number} run @param {number} exchange from 1 */
  async #loop(run, exchange) {
    const { burst, pause, every, setTimeout } = this.#options;
    const ok = await this.sample();
    if (run !== this.#run) return; // stopped or restarted meanwhile
    this.#timer = setTimeout(() => void this.#loop(run, exchange + 1), ok && exchange < burst ? pause : every);
  }
}
