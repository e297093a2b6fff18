import { request } from '../browser/http.js';

/** @typedef {import('./proxyWatch.js').Symptom} Symptom */
/** @typedef {'buffered' | 'compressed' | 'upgrade' | 'host' | 'timeout'} Fault what a proxy does wrong: it holds the stream back; it compresses it, too; it drops Upgrade; it changes Host; it cuts streams */
/** @typedef {{ origin: string, fetch: typeof globalThis.fetch, symbol: string, duration?: number }} Page symbol: one that the page may read; duration: s of the stream that shows whether it is held back */

const LIMIT = 15_000; // ms until an answer must have come
const SLOW = 1_000; // ms of a short request above which this machine or its network is too slow to judge a proxy

/**
 * Finds by a few requests which fault of a proxy explains a symptom.
 * @param {Symptom} symptom
 * @param {Page} page
 * @returns {Promise<Fault | null>} null when no proxy explains it, for example because the server can't be reached
 */
export async function diagnose(symptom, page) {
  try {
    const begun = performance.now();
    if (!(await status(page, '/api/time')).ok || performance.now() - begun > SLOW) return null;
    if (symptom === 'cuts') return 'timeout';
    return symptom === 'websocket' ? await websocket(page) : await stream(page);
  } catch {
    return null;
  }
}

/** @param {Page} page @param {string} path @param {RequestInit} [init] */
async function status({ origin, fetch }, path, init) {
  const response = await request(`${origin}${path}`, { ...init, fetch, timeout: LIMIT });
  await response.body?.cancel();
  return response;
}

/** @param {Page} page @returns {Promise<Fault | null>} */
async function websocket(page) {
  // The browser sends Origin with a POST, as with a handshake. The server compares it with Host before it looks for the stream.
  const post = await status(page, '/sse/connections/none', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"action":"time"}' });
  if (post.status === 403 || post.status === 421) return 'host';
  // Without Upgrade the server answers 426; any other status is a refusal that a WebSocket gets, too.
  return (await status(page, '/ws/subscribe')).status === 426 ? 'upgrade' : null;
}

/**
 * Opens a stream of a few seconds and little content: its hello comes at once, or, from a proxy that holds it back, with its end.
 * @param {Page} page @returns {Promise<Fault | null>}
 */
async function stream({ origin, fetch, symbol, duration = 4 }) {
  const begun = performance.now();
  const query = new URLSearchParams({ user: 'diagnosis', topics: symbol, snapshot: 'false', duration: `${duration}s` });
  const response = await request(`${origin}/sse/subscribe?${query}`, { fetch, timeout: LIMIT, headers: { Accept: 'text/event-stream' } });
  const reader = response.body?.getReader();
  await reader?.read();
  const held = performance.now() - begun > duration * 500;
  await reader?.cancel();
  if (!response.ok || !held) return null;
  return response.headers.has('Content-Encoding') ? 'compressed' : 'buffered';
}
