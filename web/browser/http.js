/** Milliseconds after which a request fails. */
export const TIMEOUT = 15_000;

/** The browser's fetch, looked up at each call. Only request calls it, so that every request has a time limit. @type {typeof globalThis.fetch} */
export const browserFetch = (...args) => globalThis.fetch(...args);

/**
 * The server's base path (server.base_path), "" at the root: that of this module, which is in its folder assets. So a page and
 * its worker find it alike.
 */
export const base = import.meta.url.startsWith('http') ? new URL('..', import.meta.url).pathname.slice(0, -1) : '';

/**
 * The address of a path of this server. The page's own address may have credentials (http://user:password@host/), with which
 * fetch rejects every relative address; the origin has none.
 * @param {string | URL} path without the base path, or an absolute address @returns {string}
 */
export function address(path) {
  const origin = globalThis.location?.origin;
  const local = typeof path === 'string' && path.startsWith('/') ? base + path : path;
  return String(origin ? new URL(local, origin) : local);
}

/** The page's own address without credentials, to be shown or copied. */
export const pageAddress = () => location.origin + location.pathname + location.search + location.hash;

/**
 * The name of something that the browser keeps for this server's pages or that connects them, such as a key of localStorage. Servers
 * below different paths of one origin don't share it.
 * @param {string} name @param {string} [path] server.base_path
 */
export const ownName = (name, path = base) => (path ? `${path}:${name}` : name);

let unauthorized = () => {};

/** Calls fn for each response with status 401: the user has no session. @param {() => void} fn */
export function onUnauthorized(fn) {
  unauthorized = fn;
}

/**
 * fetch with a time limit, which covers the response's body too.
 * @param {string | URL} url relative to the origin
 * @param {RequestInit & { fetch?: typeof globalThis.fetch, timeout?: number }} [options] timeout in ms
 * @returns {Promise<Response>} rejected with a TimeoutError after the limit, with the signal's reason when that aborts first
 */
export async function request(url, { fetch = browserFetch, timeout = TIMEOUT, signal, ...init } = {}) {
  const limit = AbortSignal.timeout(timeout);
  const response = await fetch(address(url), { cache: 'no-store', ...init, signal: signal ? AbortSignal.any([signal, limit]) : limit });
  if (response.status === 401) unauthorized();
  return response;
}

/** A request that the server refused. */
export class RefusedError extends Error {
  /** Ms before which the server asks not to repeat the request. */
  retryAfter;
  /** Of the response. */
  status;

  /** @param {string} message @param {number} retryAfter ms @param {number} [status] */
  constructor(message, retryAfter, status = 0) {
    super(message);
    this.retryAfter = retryAfter;
    this.status = status;
  }
}

/**
 * The time before which a response's sender asks not to repeat the request (RFC 9110 §10.2.3).
 * @param {Response} response @param {number} [now] ms since 1970 @returns {number} ms, 0 when it gave none
 */
export function retryAfter({ headers }, now = Date.now()) {
  const value = headers.get('Retry-After') ?? '';
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return ms > 0 ? ms : 0;
}

/**
 * The JSON at a URL.
 * @param {string} url @param {{ signal?: AbortSignal, timeout?: number, fetch?: typeof globalThis.fetch }} [options]
 * @returns {Promise<any>} rejected with a RefusedError that has the server's description (RFC 9457) when it refuses, with
 *   an AbortError when the signal aborts
 */
export async function getJSON(url, options) {
  try {
    const response = await request(url, options);
    if (response.ok) return await response.json();
    const problem = await response.json().catch(() => ({}));
    throw new RefusedError(problem.detail || problem.title || `the server answered ${response.status}`, retryAfter(response), response.status);
  } catch (err) {
    if (/** @type {Error} */ (err).name === 'TimeoutError') throw new Error('no answer in time');
    throw err;
  }
}
