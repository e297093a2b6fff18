import { timers } from './timers.js';

/** @import { Timers } from '../types.js' */

const FIRST = 1_000; // ms
const MOST = 60_000;

/**
 * Repeats a task until it succeeds. The wait doubles from 1 s to a minute, and is never shorter than the server's
 * Retry-After.
 */
export class Retry {
  #task;
  #time;
  #changed;
  #failures = 0;
  /** The try in progress. @type {Promise<void> | null} */
  #running = null;
  /** @type {any} */
  #timer = null;
  /** Why the task failed last, and the wall ms of the next try; null until it fails and after it succeeded. @type {{ reason: string, at: number } | null} */
  failure = null;

  /**
   * @param {() => Promise<unknown>} task
   * @param {Timers & { wall: () => number }} [time]
   * @param {() => void} [changed] called when failure has changed
   */
  constructor(task, time = { ...timers, wall: () => Date.now() }, changed = () => {}) {
    this.#task = task;
    this.#time = time;
    this.#changed = changed;
  }

  /** Starts the task, or tries again at once. @returns {Promise<void>} fulfilled at the end of this try; while one runs, of that one */
  start() {
    this.#running ??= this.#try();
    return this.#running;
  }

  async #try() {
    this.#time.clearTimeout(this.#timer);
    try {
      await this.#task();
      this.#failures = 0;
      this.failure = null;
    } catch (err) {
      const { message, retryAfter = 0 } = /** @type {Error & { retryAfter?: number }} */ (err);
      const wait = Math.max(retryAfter, Math.min(MOST, FIRST * 2 ** this.#failures++));
      this.failure = { reason: message, at: this.#time.wall() + wait };
      this.#timer = this.#time.setTimeout(() => void this.start(), wait);
    }
    this.#running = null;
    this.#changed();
  }
}
