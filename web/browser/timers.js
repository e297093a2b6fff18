/** @import { Timers } from '../types.js' */

/** The global timers, looked up at each call. @type {Timers} */
export const timers = {
  setTimeout: (fn, ms) => globalThis.setTimeout(fn, ms),
  clearTimeout: (id) => globalThis.clearTimeout(id),
};

/** Resolves in a separate task, so that the browser can paint and handle input before what follows. */
export const nextTask = () => new Promise((resolve) => { setTimeout(resolve); });

/** Calls a function some time after it was requested, once for all requests until then. */
export class Throttle {
  #fn;
  #ms;
  #time;
  /** @type {any} */
  #timer = null;

  /** @param {() => void} fn @param {number} ms @param {Timers} [time] */
  constructor(fn, ms, time = timers) {
    this.#fn = fn;
    this.#ms = ms;
    this.#time = time;
  }

  request() {
    this.#timer ??= this.#time.setTimeout(() => {
      this.#timer = null;
      this.#fn();
    }, this.#ms);
  }
}
