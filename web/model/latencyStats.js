import { Clock } from '../lane/clock.js';
import { latency } from './formats.js';
import { Histogram } from './histogram.js';
import { Rate } from './rate.js';
import { t } from '../text.js';

/** @import { Arrival, Message } from '../types.js' */

/** Latencies, tick rate and ages of quotes, by the server's clock. */
export class LatencyStats {
  #clock;
  #timed;
  #now;
  #latency = new Histogram();
  #feed = new Histogram(); // from the feed to the server
  #ticks = new Rate();

  /**
   * @param {{ timed: boolean, clock?: Clock, now?: () => number }} options timed: due times are current, not those of a
   *   replayed file, so latency and age have a meaning; now: local ms, as in Arrival
   */
  constructor({ timed, clock = new Clock(), now = () => performance.timeOrigin + performance.now() }) {
    this.#timed = timed;
    this.#clock = clock;
    this.#now = now;
  }

  start() {
    this.#clock.start();
  }

  /** Sets how far the stream is behind its feed on purpose. @param {number} delay ms */
  setDelay(delay) {
    if (delay === this.#clock.delay) return;
    this.#clock.delay = delay;
    this.clear();
  }

  /** @param {Message} m @param {Arrival} a */
  take(m, a) {
    if (m.T !== 'q') return;
    this.#ticks.add(1, a.received);
    // The age of a replayed tick is the outage's, not the lane's.
    if (this.#timed && !a.replayed) this.#latency.add(this.#clock.latency(m, a.received), a.received);
    if (m.r !== undefined && !a.replayed) this.#feed.add((m.r - m.t) / 1000, a.received);
  }

  /** Clears the figures; to be called after a lane switch, since those of two lanes must not mix. */
  clear() {
    this.#latency.clear();
    this.#feed.clear();
    this.#ticks.clear();
  }

  /**
   * @returns {{ p50: number, p99: number, feed: number, error: number, rate: number }} ms over 30 s, NaN when not known, and ticks per
   *   second over 3 s; feed: the median of the time from a tick's due time until the server received it
   */
  read() {
    const now = this.#now();
    const [p50 = NaN, p99 = NaN] = this.#latency.quantiles([0.5, 0.99], now).values;
    const [feed = NaN] = this.#feed.quantiles([0.5], now).values;
    return { p50, p99, feed, error: this.#clock.error, rate: this.#ticks.perSecond(now) };
  }

  /** The age of a quote. @param {{ t: number, received: number }} r t in µs by the server's clock, received in local ms @returns {number} ms */
  age(r) {
    const known = this.#timed && this.#clock.known;
    return Math.max(0, known ? this.#clock.latency(r, this.#now()) : this.#now() - r.received);
  }

  /** "clock ± 0.3 ms": the error of a latency. */
  clockText() {
    if (!this.#timed) return t('bar.clock.untimed');
    return this.#clock.known ? t('bar.clock', { ms: latency(this.#clock.error) }) : '';
  }
}
