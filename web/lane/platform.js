/** @typedef {import('../types.js').FeedOptions} FeedOptions */

/** What a feed takes from its surroundings unless its options say otherwise: a page's, or a worker's. */
export function platform() {
  const g = /** @type {any} */ (globalThis);
  return {
    origin: /** @type {string} */ (g.location?.origin ?? ''),
    page: g.document ? { window: g, document: g.document } : null,
    lifecycle: true,
    EventSource: g.EventSource,
    WebSocket: g.WebSocket,
    fetch: /** @type {typeof fetch} */ ((...args) => g.fetch(...args)),
    now: () => performance.timeOrigin + performance.now(),
    wall: () => Date.now(),
    setTimeout: (/** @type {() => void} */ fn, /** @type {number} */ ms) => g.setTimeout(fn, ms),
    clearTimeout: (/** @type {any} */ id) => g.clearTimeout(id),
    random: Math.random,
  };
}

/** False only where the platform is sure that there is no network. */
export const online = () => globalThis.navigator?.onLine !== false;
