import { address, request } from '../browser/http.js';

/**
 * Gives an open stream the rights of the browser's present session, whose cookie the request has. A stream that can't be renewed
 * keeps its old rights and ends with them; the feed then reconnects from its position.
 * @param {string} url of the subscription
 * @param {string} conn
 * @param {{ fetch: typeof globalThis.fetch }} platform
 * @returns {Promise<void>} fulfilled in any case
 */
export async function renewStream(url, conn, { fetch }) {
  const target = new URL(`connections/${encodeURIComponent(conn)}`, address(url));
  await request(target, { fetch, method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"action":"auth"}' }).catch(() => null);
}
