const CONNECT = 10_000; // ms that a connection may take until its hello
const HEARTBEATS = 2.5; // of silence are death

/**
 * Tells when a connection is dead. A silent one looks the same as an idle one to a browser, so the server's heartbeats
 * decide. One timer at a time; messages only leave a mark.
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
    this.#arm(CONNECT);
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
    if (this.#timer === null) return;
    this.#clearTimeout(this.#timer);
    const silence = this.#wall() - this.#heard;
    if (silence < 0) this.heard(); // the wall clock was set back
    if (silence >= this.#limit) {
      this.#timer = null;
      this.#dead(silence);
    } else {
      this.#arm(this.#limit - Math.max(0, silence));
    }
  }

  stop() {
    this.#clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** @param {number} ms */
  #arm(ms) {
    this.#timer = this.#setTimeout(() => this.check(), ms);
  }
}
