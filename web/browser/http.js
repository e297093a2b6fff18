/** Milliseconds after which a request fails. */
export const TIMEOUT = 15_000;

/**
 * fetch with a time limit, which covers the response's body too.
 * @param {string | URL} url
 * @param {RequestInit & { fetch?: typeof globalThis.fetch, timeout?: number }} [options] timeout in ms
 * @returns {Promise<Response>} rejected with a TimeoutError after the limit, with the signal's reason when that aborts first
 */
export function request(url, { fetch = globalThis.fetch, timeout = TIMEOUT, signal, ...init } = {}) {
  const limit = AbortSignal.timeout(timeout);
  return fetch(url, { cache: 'no-store', ...init, signal: signal ? AbortSignal.any([signal, limit]) : limit });
}

/**
 * The JSON at a URL.
 * @param {string} url @param {{ signal?: AbortSignal, timeout?: number }} [options]
 * @returns {Promise<any>} rejected with the server's description (RFC 9457) when it refuses, with an AbortError when the signal aborts
 */
export async function getJSON(url, options) {
  try {
    const response = await request(url, options);
    if (response.ok) return await response.json();
    const problem = await response.json().catch(() => ({}));
    throw new Error(problem.detail || problem.title || `the server answered ${response.status}`);
  } catch (err) {
    if (/** @type {Error} */ (err).name === 'TimeoutError') throw new Error('no answer in time');
    throw err;
  }
}
