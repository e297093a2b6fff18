/** @import { Timers } from '../types.js' */

const CONNECT = 10_000; // ms until the hello
const HEARTBEATS = 2.5; // heartbeat intervals without a message after which a connection is dead
const RECHECK = 0.2; // of the limit between the first and the second check

/**
 * Detects a dead connection. To a browser it looks like an idle one, so missing heartbeats decide. It runs one timer;
 * messages only record their time.
 *
 * A page that was busy or suspended runs its timers before it handles queued messages. So an expired timer is checked a
 * second time, when the messages that were queued at the first check have been handled.
 */
export class Watchdog {
  #wall;
  #setTimeout;
  #clearTimeout;
  #dead;
  #limit = CONNECT;
  #receivedAt = 0;
  /** @type {any} */
  #timer = null;

  /**
   * @param {Timers & { wall: () => number }} time
   * @param {(silence: number) => void} dead called once, with the ms since the last message
   */
  constructor({ wall, setTimeout, clearTimeout }, dead) {
    this.#wall = wall;
    this.#setTimeout = setTimeout;
    this.#clearTimeout = clearTimeout;
    this.#dead = dead;
    this.received();
    this.#arm(CONNECT * (1 - RECHECK), false);
  }

  /** Records that a message arrived. */
  received() {
    this.#receivedAt = this.#wall();
  }

  /** Expects a message at least every `hb` ms from now on. @param {number} hb */
  expect(hb) {
    this.#limit = hb * HEARTBEATS;
    this.check();
  }

  /** Checks at once, for example after a sleep, in which timers don't run. */
  check() {
    this.#check(true);
  }

  /** @param {boolean} second queued messages have been handled */
  #check(second) {
    if (this.#timer === null) return;
    this.#clearTimeout(this.#timer);
    const silence = this.#wall() - this.#receivedAt;
    const recheck = this.#limit * RECHECK;
    if (silence < 0) this.received(); // the wall clock was set back
    if (silence < this.#limit - recheck) {
      this.#arm(this.#limit - recheck - Math.max(0, silence), false);
    } else if (!second || silence < this.#limit) {
      this.#arm(recheck, true);
    } else {
      this.#timer = null;
      this.#dead(silence);
    }
  }

  stop() {
    this.#clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** @param {number} ms @param {boolean} second */
  #arm(ms, second) {
    this.#timer = this.#setTimeout(() => this.#check(second), ms);
  }
}
