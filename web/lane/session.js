import { ownName, request, retryAfter } from '../browser/http.js';

/** @import { SessionState, Timers } from '../types.js' */
/** @typedef {{ subject: string, ends: number | null }} Answer ends: wall ms at which the session ends, null when it doesn't */

const SHARE = 0.6; // of a session's time after which it is renewed
const SPREAD = 0.1; // of its time that this varies by, at random
const SAME = 2_000; // ms by which the end must move to count as renewed; the server's time is known to the second
const SOON = 1_000; // ms
const MOST = 60_000; // ms between tries while the server can't be reached
const LONGEST = 300_000; // ms of a timer: timers stop while the machine sleeps
const GONE = new Set([401, 403, 409]); // no session, or one that can't be renewed
const PAUSE = 5_000; // ms between two checks that the end of a stream causes

/**
 * The session of the browser's user, renewed before it ends. One instance serves all tabs that share a worker. The cookie itself
 * can't be read by scripts; the server's answers have its user and its end.
 */
export class Session {
  /** @type {SessionState} */
  state = { name: 'unknown', subject: '', ends: null, final: false, renewals: 0 };
  #options;
  #changed;
  #renewAt = Infinity; // wall ms
  #failures = 0;
  #checkedAt = -Infinity; // wall ms
  /** @type {Promise<void> | null} */
  #running = null;
  /** @type {any} */
  #timer = null;

  /**
   * @param {Timers & { origin: string, fetch: typeof globalThis.fetch, wall: () => number, random: () => number, locks?: Pick<LockManager, 'request'> | undefined }} options locks: the
   *   browser's, so that two pages without a worker don't renew at once
   * @param {(state: SessionState) => void} changed
   */
  constructor(options, changed) {
    this.#options = options;
    this.#changed = changed;
  }

  /** Reads the session, and renews it when that is due or it has ended. @returns {Promise<void>} fulfilled in any case */
  check() {
    this.#options.clearTimeout(this.#timer);
    const { locks } = this.#options;
    const run = () => this.#check();
    this.#running ??= (locks ? locks.request(ownName('ticklane.session'), run) : run()).catch((err) => this.#failed(err)).finally(() => {
      this.#running = null;
      this.#checkedAt = this.#options.wall();
      this.#schedule();
    });
    return this.#running;
  }

  /** Checks it because a stream or a request was refused, but not more often than every few seconds. */
  suspect() {
    if (this.state.name === 'over') return; // only check changes this, for example from a page of the user who has signed in again
    const { wall, setTimeout, clearTimeout } = this.#options;
    const wait = this.#checkedAt + PAUSE - wall();
    if (this.#running) return;
    clearTimeout(this.#timer);
    if (wait <= 0) void this.check();
    else this.#timer = setTimeout(() => void this.check(), wait);
  }

  /** Reports whether it should have been renewed by now. */
  get due() {
    return this.#options.wall() >= this.#renewAt;
  }

  stop() {
    this.#options.clearTimeout(this.#timer);
    this.#renewAt = Infinity;
  }

  async #check() {
    const found = await this.#request('GET', '/api/session');
    if (found) this.#adopt(found);
    if (this.state.name === 'none' || (found && !this.due)) return;
    const renewed = await this.#request('POST', '/api/session/renew');
    if (renewed) this.#renewed(renewed);
    else if (found) this.#set({ final: true });
    else this.#set({ name: 'over', ends: null, final: true });
  }

  /** @param {'GET' | 'POST'} method @param {string} path @returns {Promise<Answer | null>} null when there is no session, or none that can be renewed; rejects when the server gave no answer about it */
  async #request(method, path) {
    const { origin, fetch, wall } = this.#options;
    const response = await request(`${origin}${path}`, { fetch, method });
    if (GONE.has(response.status)) return null;
    if (response.status === 404 && method === 'GET') {
      this.#set({ name: 'none', ends: null, final: true });
      return null;
    }
    if (!response.ok) throw Object.assign(new Error(`status ${response.status}`), { retryAfter: retryAfter(response) });
    const { subject, expires } = await response.json();
    const date = Date.parse(response.headers.get('Date') ?? '') || wall(); // of the server's clock
    return { subject, ends: expires ? wall() + expires / 1000 - date : null };
  }

  /** Takes over a session as the server reports it. @param {Answer} answer */
  #adopt({ subject, ends }) {
    this.#failures = 0;
    const { state } = this;
    const same = state.name === 'valid' && state.subject === subject;
    if (same && ends !== null && state.ends !== null && Math.abs(ends - state.ends) < SAME) return;
    const { wall, random } = this.#options;
    this.#renewAt = ends === null ? Infinity : wall() + (ends - wall()) * (SHARE + SPREAD * random());
    const longer = state.name === 'over' || (same && (ends ?? Infinity) > (state.ends ?? Infinity));
    this.#set({ name: 'valid', subject, ends, final: ends === null, renewals: state.renewals + (longer ? 1 : 0) });
  }

  /** Handles the answer of a renewal. @param {Answer} answer */
  #renewed(answer) {
    const { state } = this;
    this.#adopt(answer);
    if (this.state === state) this.#set({ final: true }); // it ends with its token
  }

  /** @param {any} err */
  #failed(err) {
    const { wall, random } = this.#options;
    this.#renewAt = wall() + Math.max(err.retryAfter ?? 0, SOON + random() * Math.min(MOST, SOON * 2 ** this.#failures++));
  }

  /** @param {Partial<SessionState>} change */
  #set(change) {
    const before = this.state;
    this.state = { ...before, ...change };
    if (Object.entries(change).some(([key, value]) => /** @type {any} */ (before)[key] !== value)) this.#changed(this.state);
  }

  /** Sets the timer of the next check: to renew, or at the end of a session that can't be renewed. */
  #schedule() {
    const { wall, setTimeout } = this.#options;
    const { name, ends, final } = this.state;
    if (name === 'none' || name === 'over') return;
    const at = final && ends !== null ? ends + SOON : this.#renewAt;
    if (at === Infinity) return;
    const wait = Math.max(SOON, at - wall());
    this.#timer = setTimeout(() => (wait > LONGEST ? this.#schedule() : void this.check()), Math.min(wait, LONGEST));
  }
}
