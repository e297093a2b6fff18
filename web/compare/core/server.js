import { CommandError } from '../../lane/commandError.js';
import { t } from '../../text.js';

/** @typedef {import('./types.js').DrillAction} DrillAction */
/** @typedef {import('./types.js').Lane} Lane */

const TIMEOUT = 10_000; // ms

/** Talks to the server's HTTP interfaces. Failures are CommandErrors: "network", "off" when there is no lab, "http". */
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

  /** That stream's own counters. @param {Lane} lane @param {string} conn */
  connection(lane, conn) {
    return this.#ask(`/${lane}/connections/${encodeURIComponent(conn)}`);
  }

  stats() {
    return this.#ask('/api/stats');
  }

  /** A file as text. @param {string} path */
  async text(path) {
    const response = await this.#send(path, {});
    if (!response.ok) throw new CommandError('http', t('compare.lab.status', { path, status: String(response.status) }));
    return response.text();
  }

  /** Any answer, whatever its status. @param {string} path @param {RequestInit} [init] */
  raw(path, init = {}) {
    return this.#send(path, init);
  }

  /** @param {DrillAction} action @param {string[]} conns secrets of the page's own streams */
  drill(action, conns) {
    return this.#post('/api/lab/drill', { action, conns });
  }

  /** Changes everybody's feed. @param {number} rate ticks a second @returns {Promise<{ rate: number }>} */
  rate(rate) {
    return this.#post('/api/lab/rate', { rate });
  }

  /** @param {{ sse: number, ws: number }} clients @param {boolean} [keepalive] the page may be going away */
  background(clients, keepalive = false) {
    return this.#post('/api/lab/background', clients, keepalive);
  }

  /** @param {string} path @param {object} body @param {boolean} [keepalive] */
  async #post(path, body, keepalive = false) {
    if (!this.#lab) throw new CommandError('off', t('compare.lab.off'));
    return this.#ask(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body), keepalive });
  }

  /** @param {string} path @param {RequestInit} [init] @returns {Promise<any>} */
  async #ask(path, init = {}) {
    const response = await this.#send(path, init);
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer;
    throw new CommandError('http', answer.detail ?? answer.title ?? t('compare.lab.status', { path, status: String(response.status) }));
  }

  /** @param {string} path @param {RequestInit} init */
  async #send(path, init) {
    try {
      return await this.#fetch(`${this.#origin}${path}`, { cache: 'no-store', signal: AbortSignal.timeout(TIMEOUT), ...init });
    } catch {
      throw new CommandError('network', t('compare.lab.network'));
    }
  }
}
