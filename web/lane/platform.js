import { base, browserFetch } from '../browser/http.js';
import { timers } from '../browser/timers.js';

/** The defaults of a feed's options: what it uses of the page or the worker it runs in. */
export function platform() {
  const g = /** @type {any} */ (globalThis);
  return {
    origin: /** @type {string} */ (g.location?.origin ?? '') + base, // before every path
    page: g.document ? { window: g, document: g.document } : null,
    lifecycle: true,
    EventSource: g.EventSource,
    WebSocket: g.WebSocket,
    fetch: browserFetch,
    now: () => performance.timeOrigin + performance.now(),
    wall: () => Date.now(),
    ...timers,
    random: Math.random,
  };
}

/** Reports whether there may be a network; false only when the browser is certain that there is none. */
export const online = () => globalThis.navigator?.onLine !== false;
