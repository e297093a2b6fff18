/** @import { Timers } from '../types.js' */

/** The global timers, looked up at each call. @type {Timers} */
export const timers = {
  setTimeout: (fn, ms) => globalThis.setTimeout(fn, ms),
  clearTimeout: (id) => globalThis.clearTimeout(id),
};
