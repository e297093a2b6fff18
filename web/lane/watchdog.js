const CONNECT = 10_000; // ms that a connection may take until its hello
const HEARTBEATS = 2.5; // of silence are death
const SECOND = 0.2; // of the limit lie between the two looks that it takes

/**
 * Tells when a connection is dead. A silent one looks the same as an idle one to a browser, so the server's heartbeats
 * decide. One timer at a time; messages only leave a mark.
 *
 * A page that was held up runs its timers before it takes what came meanwhile, so a timer alone tells nothing: it looks
 * twice, the second time when what was there at the first has been taken.
 */
export class Watchdog {
  #wall;
  #setTimeout;
  #clearTimeout;
  #dead;
  #limit = CONNECT;
  #heard = 0;
  /** @type {any} */
  #timer = null;

  /**
   * @param {{ wall: () => number, setTimeout: (fn: () => void, ms: number) => any, clearTimeout: (id: any) => void }} time
   * @param {(silence: number) => void} dead called once, with the ms since the last message
   */
  constructor({ wall, setTimeout, clearTimeout }, dead) {
    this.#wall = wall;
    this.#setTimeout = setTimeout;
    this.#clearTimeout = clearTimeout;
    this.#dead = dead;
    this.heard();
    this.#arm(CONNECT * (1 - SECOND), false);
  }

  /** A message came. */
  heard() {
    this.#heard = this.#wall();
  }

  /** The server promised a message at least every `hb` ms. @param {number} hb */
  greeted(hb) {
    this.#limit = hb * HEARTBEATS;
    this.check();
  }

  /** Looks at once, as after a sleep, in which timers stand still. */
  check() {
    this.#look(true);
  }

  /** @param {boolean} sure what came has been taken */
  #look(sure) {
    if (this.#timer === null) return;
    this.#clearTimeout(this.#timer);
    const silence = this.#wall() - this.#heard;
    const second = this.#limit * SECOND;
    if (silence < 0) this.heard(); // the wall clock was set back
    if (silence < this.#limit - second) {
      this.#arm(this.#limit - second - Math.max(0, silence), false);
    } else if (!sure || silence < this.#limit) {
      this.#arm(second, true);
    } else {
      this.#timer = null;
      this.#dead(silence);
    }
  }

  stop() {
    this.#clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** @param {number} ms @param {boolean} sure */
  #arm(ms, sure) {
    this.#timer = this.#setTimeout(() => this.#look(sure), ms);
  }
}
