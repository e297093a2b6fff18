/** @import { Timers } from '../types.js' */

/** The global timers, looked up at each call. @type {Timers} */
export const timers = {
  setTimeout: (fn, ms) => globalThis.setTimeout(fn, ms),
  clearTimeout: (id) => globalThis.clearTimeout(id),
};

/** Resolves in a separate task, so that the browser can paint and handle input before what follows. */
export const nextTask = () => new Promise((resolve) => { setTimeout(resolve); });
