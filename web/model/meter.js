import { Histogram } from './histogram.js';
import { Rate } from './rate.js';

/** @import { Arrival, Message } from '../types.js' */

/** Measures a lane: latency since the due time, ticks and message bytes per second. */
export class Meter {
  #clock;
  #latency = new Histogram();
  #ticks = new Rate();
  #bytes = new Rate();

  /** @param {{ latency(tick: { t: number }, received: number): number }} clock */
  constructor(clock) {
    this.#clock = clock;
  }

  /** @param {Message} m @param {Arrival} a */
  take(m, a) {
    this.#bytes.add(a.bytes, a.received);
    if (m.T !== 'q') return;
    this.#ticks.add(1, a.received);
    // The age of a replayed tick is the outage's, not the lane's.
    if (!a.replayed) this.#latency.add(this.#clock.latency(m, a.received), a.received);
  }

  /**
   * @param {number} now local ms, as in Arrival
   * @returns {{ p50: number, p99: number, samples: number, ticks: number, bytes: number }} latency in ms over 30 s, NaN
   *   while unknown; ticks and bytes per second over 3 s
   */
  read(now) {
    const { count, values } = this.#latency.quantiles([0.5, 0.99], now);
    const [p50 = NaN, p99 = NaN] = values;
    return { p50, p99, samples: count, ticks: this.#ticks.perSecond(now), bytes: this.#bytes.perSecond(now) };
  }

  /** Clears the figures, for example after a lane switch. */
  clear() {
    this.#latency.clear();
    this.#ticks.clear();
    this.#bytes.clear();
  }
}
