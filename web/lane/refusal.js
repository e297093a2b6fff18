import { request, retryAfter } from '../browser/http.js';

const PROBE = 5_000; // ms until the answer must have come

/**
 * The time before which a server or proxy that refuses an event stream asks not to request it again. A script can't see the
 * status that an EventSource got, but another request gets it, too.
 * @param {string} url @param {{ fetch: typeof globalThis.fetch, signal: AbortSignal }} options
 * @returns {Promise<number>} ms, 0 when there is none
 */
export async function refusal(url, options) {
  try {
    const response = await request(url, { ...options, method: 'HEAD', headers: { Accept: 'text/event-stream' }, timeout: PROBE });
    return response.status === 429 || response.status === 503 ? retryAfter(response) : 0;
  } catch {
    return 0;
  }
}
