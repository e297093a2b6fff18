import { countLines } from './connectorLines.js';

/** @typedef {import('./types.js').Probe} Probe */

/**
 * Tests once, beside the streams, the subjects of some claims.
 * @param {import('./server.js').Server} server @param {{ EventSource: any, WebSocket: any, origin: string }} platform
 * @param {string} tag
 * @returns {Promise<Probe>} never rejected: failed tests are null or NaN
 */
export async function runProbe(server, platform, tag) {
  const lines = (/** @type {string} */ path) => server.text(path).then(countLines, () => NaN);
  const sse = await lines('/static/sse-home.js');
  const ws = await lines('/static/ws-home.js');
  return {
    plain: await readWithFetch(server, tag).catch(() => null),
    headers: readsHeadersOption(platform, tag),
    has: { EventSource: typeof platform.EventSource === 'function', WebSocket: typeof platform.WebSocket === 'function' },
    lines: { sse, ws },
  };
}

/** Reads a stream of one tick with fetch, as any HTTP client would. @param {import('./server.js').Server} server @param {string} tag */
async function readWithFetch(server, tag) {
  const path = `/sse/subscribe?user=compare-plain-${tag}&limit=1&from=oldest&duration=5s`;
  const response = await server.raw(path);
  const text = await response.text();
  const entry = globalThis.performance?.getEntriesByName?.(response.url).at(-1);
  return {
    status: response.status,
    type: response.headers.get('Content-Type') ?? '',
    protocol: /** @type {any} */ (entry)?.nextHopProtocol ?? '',
    ticks: text.split('\n').filter((line) => line.startsWith('data: {"T":"q"')).length,
    accelBuffering: response.headers.get('X-Accel-Buffering') ?? '',
  };
}

/**
 * Reports whether EventSource reads an option `headers`. Web IDL reads only the known members of a dictionary, so a getter
 * detects it. The stream is closed before it opens.
 * @param {{ EventSource: any, origin: string }} platform @param {string} tag
 */
function readsHeadersOption({ EventSource, origin }, tag) {
  let read = false;
  const options = {
    get headers() {
      read = true;
      return {};
    },
  };
  try {
    new EventSource(`${origin}/sse/subscribe?user=compare-headers-${tag}&limit=1`, options).close();
  } catch {
    // Not constructible, so it has no headers option either.
  }
  return read;
}
