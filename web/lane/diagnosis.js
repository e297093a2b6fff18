import { request } from '../browser/http.js';

/** @typedef {import('./proxyWatch.js').Symptom} Symptom */
/** @typedef {'buffered' | 'compressed' | 'upgrade' | 'host' | 'timeout'} Fault what a proxy does wrong: it holds the stream back; it compresses it, too; it drops Upgrade; it changes Host; it cuts streams */

const LIMIT = 5_000; // ms until an answer must have come

/**
 * Finds by a few requests which fault of a proxy explains a symptom.
 * @param {Symptom} symptom
 * @param {{ origin: string, fetch: typeof globalThis.fetch, compression?: string | undefined }} page compression: of the page's open event stream, as the server reports it
 * @returns {Promise<Fault | null>} null when no proxy explains it, for example because the server can't be reached
 */
export async function diagnose(symptom, page) {
  const status = async (/** @type {string} */ path, /** @type {RequestInit} */ init = {}) => {
    const response = await request(`${page.origin}${path}`, { ...init, fetch: page.fetch, timeout: LIMIT });
    await response.body?.cancel();
    return response;
  };
  try {
    if (!(await status('/api/time')).ok) return null;
    if (symptom === 'cuts') return 'timeout';
    if (symptom === 'websocket') return await websocket(status);
    return (await compressedOnTheWay(status, page.compression)) ? 'compressed' : 'buffered';
  } catch {
    return null;
  }
}

/** @typedef {(path: string, init?: RequestInit) => Promise<Response>} Ask */

/** @param {Ask} status @returns {Promise<Fault | null>} */
async function websocket(status) {
  // The browser sends Origin with a POST, as with a handshake. The server compares it with Host before it looks for the stream.
  const post = await status('/sse/connections/none', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"action":"time"}' });
  if (post.status === 403 || post.status === 421) return 'host';
  // Without Upgrade the server answers 426; any other status is a refusal that a WebSocket gets, too.
  return (await status('/ws/subscribe')).status === 426 ? 'upgrade' : null;
}

/** Reports whether a proxy compresses event streams that the server sends uncompressed. @param {Ask} status @param {string | undefined} compression */
async function compressedOnTheWay(status, compression) {
  if (compression !== undefined && compression !== 'none') return false;
  // A stream of one tick ends at once, and with it whatever holds it back.
  const stream = await status('/sse/subscribe?limit=1&user=diagnosis', { headers: { Accept: 'text/event-stream' } }).catch(() => null);
  return stream?.headers.has('Content-Encoding') ?? false;
}
