import { Clock } from '../lane/clock.js';
import { Meter } from './meter.js';
import { latency } from './formats.js';
import { t } from '../text.js';

/** @import { Arrival, Message } from '../types.js' */

const now = () => performance.timeOrigin + performance.now();

/** Latencies, tick rate and ages of quotes, by the server's clock. */
export class LatencyStats {
  #clock = new Clock();
  #timed;
  #meter;

  /** @param {{ timed: boolean }} options timed: due times are current, not those of a replayed file, so latency and age have a meaning */
  constructor({ timed }) {
    this.#timed = timed;
    this.#meter = new Meter({ latency: (tick, received) => (timed ? this.#clock.latency(tick, received) : NaN) });
  }

  start() {
    this.#clock.start();
  }

  /** @param {Message} m @param {Arrival} arrival */
  take(m, arrival) {
    this.#meter.take(m, arrival);
  }

  /** Clears the figures; to be called after a lane switch, since those of two lanes must not mix. */
  clear() {
    this.#meter.clear();
  }

  /** @returns {{ p50: number, p99: number, error: number, rate: number }} ms, and ticks per second; NaN when not known */
  read() {
    const { p50, p99, ticks } = this.#meter.read(now());
    return { p50, p99, error: this.#clock.error, rate: ticks };
  }

  /** The age of a quote. @param {{ t: number, received: number }} r t in µs by the server's clock, received in local ms @returns {number} ms */
  age(r) {
    const known = this.#timed && this.#clock.known;
    return Math.max(0, known ? this.#clock.latency(r, now()) : now() - r.received);
  }

  /** "clock ± 0.3 ms": the error of a latency. */
  clockText() {
    if (!this.#timed) return t('bar.clock.untimed');
    return this.#clock.known ? t('bar.clock', { ms: latency(this.#clock.error) }) : '';
  }
}
