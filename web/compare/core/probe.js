import { countLines } from './connectorLines.js';

/** @typedef {import('./types.js').Probe} Probe */

/**
 * Tries, once and beside the streams, what some claims are about.
 * @param {import('./server.js').Server} server @param {{ EventSource: any, WebSocket: any, origin: string }} platform
 * @param {string} tag
 * @returns {Promise<Probe>} never rejected: what failed is null or NaN
 */
export async function runProbe(server, platform, tag) {
  const lines = (/** @type {string} */ path) => server.text(path).then(countLines, () => NaN);
  const sse = await lines('/static/sse-home.js');
  const ws = await lines('/static/ws-home.js');
  return {
    plain: await readPlainly(server, tag).catch(() => null),
    headers: looksAtHeaders(platform, tag),
    has: { EventSource: typeof platform.EventSource === 'function', WebSocket: typeof platform.WebSocket === 'function' },
    lines: { sse, ws },
  };
}

/** A stream of one tick by plain HTTP, as any program would read it. @param {import('./server.js').Server} server @param {string} tag */
async function readPlainly(server, tag) {
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
 * Whether EventSource reads an option `headers`: Web IDL reads of a dictionary only the members that it knows, so a
 * getter tells. The stream is closed before it is opened.
 * @param {{ EventSource: any, origin: string }} platform @param {string} tag
 */
function looksAtHeaders({ EventSource, origin }, tag) {
  let looked = false;
  const options = {
    get headers() {
      looked = true;
      return {};
    },
  };
  try {
    new EventSource(`${origin}/sse/subscribe?user=compare-headers-${tag}&limit=1`, options).close();
  } catch {
    // It could not even be made, so it can't take headers either.
  }
  return looked;
}
