import { request } from '../../browser/http.js';
import { CommandError } from '../../lane/commandError.js';
import { t } from '../../text.js';

/** @typedef {import('./types.js').DrillAction} DrillAction */
/** @typedef {import('./types.js').Lane} Lane */

const TIMEOUT = 10_000; // ms

/** The server's HTTP API. Failures are CommandErrors with code "network", "off" (no lab), "refused" (not for this user, or not on this address) or "http". */
export class Server {
  #origin;
  #fetch;
  #lab;

  /** @param {{ origin: string, fetch: typeof globalThis.fetch, lab: boolean }} options */
  constructor({ origin, fetch, lab }) {
    this.#origin = origin;
    this.#fetch = fetch;
    this.#lab = lab;
  }

  get lab() {
    return this.#lab;
  }

  /** Counters of a connection. @param {Lane} lane @param {string} conn */
  connection(lane, conn) {
    return this.#request(`/${lane}/connections/${encodeURIComponent(conn)}`);
  }

  stats() {
    return this.#request('/api/stats');
  }

  /** A file as text. @param {string} path */
  async text(path) {
    const response = await this.#send(path, {});
    if (!response.ok) throw new CommandError('http', t('compare.lab.status', { path, status: String(response.status) }));
    return response.text();
  }

  /** The response whatever its status. @param {string} path @param {RequestInit} [init] */
  raw(path, init = {}) {
    return this.#send(path, init);
  }

  /** @param {DrillAction} action @param {string[]} conns secrets of the page's streams */
  drill(action, conns) {
    return this.#post('/api/lab/drill', { action, conns });
  }

  /** Changes the market's rate, for every client. @param {number} rate ticks per second @returns {Promise<{ rate: number }>} */
  rate(rate) {
    return this.#post('/api/lab/rate', { rate });
  }

  /** @param {{ sse: number, ws: number }} clients @param {boolean} [keepalive] completes even if the page is closed */
  background(clients, keepalive = false) {
    return this.#post('/api/lab/background', clients, keepalive);
  }

  /** @param {string} path @param {object} body @param {boolean} [keepalive] */
  async #post(path, body, keepalive = false) {
    if (!this.#lab) throw new CommandError('off', t('compare.lab.off'));
    return this.#request(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body), keepalive });
  }

  /** @param {string} path @param {RequestInit} [init] @returns {Promise<any>} */
  async #request(path, init = {}) {
    const response = await this.#send(path, init);
    const body = await response.json().catch(() => {
      if (response.ok) throw new CommandError('network', t('compare.lab.network')); // cut, as when the page is left
      return {};
    });
    if (response.ok) return body;
    if (response.status === 403) throw new CommandError('refused', t('compare.lab.denied'));
    throw new CommandError(response.status === 404 ? 'refused' : 'http', body.detail ?? body.title ?? t('compare.lab.status', { path, status: String(response.status) }));
  }

  /** @param {string} path @param {RequestInit} init */
  async #send(path, init) {
    try {
      return await request(`${this.#origin}${path}`, { ...init, fetch: this.#fetch, timeout: TIMEOUT });
    } catch {
      throw new CommandError('network', t('compare.lab.network'));
    }
  }
}
