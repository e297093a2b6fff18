import { request, retryAfter } from '../browser/http.js';

const PROBE = 5_000; // ms until the answer must have come

/** @typedef {{ why: string, retry: number }} Refusal why: unauthorized, unavailable or closed; retry: ms before which the sender asked not to try again, 0 when it gave no time */

/**
 * Why a server or proxy refuses an event stream. A script can't see the status that an EventSource got, but another request
 * gets it, too.
 * @param {string} url @param {{ fetch: typeof globalThis.fetch, signal: AbortSignal }} options
 * @returns {Promise<Refusal>}
 */
export async function refusal(url, options) {
  const unknown = { why: 'closed', retry: 0 };
  try {
    const response = await request(url, { ...options, method: 'HEAD', headers: { Accept: 'text/event-stream' }, timeout: PROBE });
    if (response.status === 401) return { why: 'unauthorized', retry: 0 };
    if (response.status !== 429 && response.status !== 503) return unknown;
    const retry = retryAfter(response);
    return retry > 0 ? { why: 'unavailable', retry } : unknown;
  } catch {
    return unknown;
  }
}
