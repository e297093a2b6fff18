import { Stored } from '../../browser/storage.js';
import { kinds } from '../../model/alerts.js';

/** @import { Alert } from '../../model/alerts.js' */
/**
 * @typedef {object} Firing
 * @property {string} id of the alert
 * @property {number} n the number of the firing, from 1
 * @property {string} S
 * @property {import('../../model/alerts.js').Kind} kind
 * @property {number} level
 * @property {number} minutes
 * @property {number} p the price that fired it, dollars
 * @property {number} t due time of that price, ms since 1970
 */

export const MOST = 50; // alerts
const LISTED = 50; // firings
const STORE = 'told'; // of firings, in the database
const KEPT = 500; // firings, so that a page that is behind doesn't report them again

const number = (/** @type {any} */ x) => typeof x === 'number' && Number.isFinite(x);
const text = (/** @type {any} */ x, /** @type {number} */ most) => typeof x === 'string' && x.length <= most;

/** @param {any} a */
const figures = (a) =>
  text(a.S, 16) && a.S !== '' && kinds.includes(a.kind) && number(a.level) && (a.kind === 'above' || a.kind === 'below' ? a.level > 0 : a.level !== 0 && Math.abs(a.level) <= 50) &&
  Number.isInteger(a.minutes) && (a.kind === 'within' ? a.minutes >= 1 && a.minutes <= 60 : a.minutes === 0);

/** @param {any} a */
const isAlert = (a) =>
  a && text(a.id, 40) && a.id !== '' && figures(a) && text(a.epoch, 40) && number(a.i) && Number.isInteger(a.n) && a.n >= 0 &&
  [a.every, a.armed, a.done].every((x) => typeof x === 'boolean');

/** @param {any} x */
const isFiring = (x) => x && text(x.id, 40) && number(x.n) && figures(x) && number(x.p) && number(x.t);

/** The stored alerts of version 1; invalid ones are left out. @param {any} stored @returns {Alert[]} */
export function readAlerts(stored) {
  if (stored?.v !== 1 || !Array.isArray(stored.alerts)) return [];
  return [...new Map(stored.alerts.filter(isAlert).map((/** @type {Alert} */ a) => [a.id, a])).values()].slice(0, MOST);
}

/**
 * The alerts of all tabs of this browser, in localStorage, and their firings, in IndexedDB, where adding a key succeeds in
 * one tab only. Without storage both last as long as the page.
 */
export class AlertStore {
  /** @type {Firing[]} while there is no database */
  #firings = [];
  #stored = new Stored('ticklane.alerts', readAlerts);
  /** @type {Promise<IDBDatabase> | null} */
  #db = null;

  /** @param {() => void} changed called after another tab changed the alerts */
  constructor(changed) {
    this.#stored.onChange(changed);
  }

  /** @returns {Alert[]} */
  read() {
    return this.#stored.read();
  }

  /** Changes the stored alerts. They are read again, since another tab may have changed them. @param {(alerts: Alert[]) => Alert[]} fn */
  change(fn) {
    this.#stored.write({ v: 1, alerts: fn(this.read()) });
  }

  /** Adds a firing. @param {Firing} firing @returns {Promise<boolean>} whether this page must report it: false when another page has added it */
  async claim(firing) {
    try {
      this.#db ??= open();
      const tx = (await this.#db).transaction(STORE, 'readwrite');
      return await new Promise((resolve, reject) => {
        tx.objectStore(STORE).add(firing, [firing.id, firing.n]).onerror = (e) => {
          e.preventDefault(); // the key exists
          resolve(false);
        };
        tx.oncomplete = () => resolve(true);
        tx.onabort = () => reject(tx.error);
      });
    } catch {
      this.#db = null; // opened again next time: it may have been closed when the user cleared the site's data
      this.#firings = [firing, ...this.#firings].slice(0, LISTED); // without a database each page reports it
      return true;
    }
  }

  /** The newest firings, newest first. @returns {Promise<Firing[]>} */
  async firings() {
    /** @type {Firing[]} */
    let all = [];
    try {
      this.#db ??= open();
      const store = (await this.#db).transaction(STORE, 'readwrite').objectStore(STORE);
      all = await new Promise((resolve, reject) => {
        const request = store.getAll();
        request.onerror = () => reject(request.error);
        request.onsuccess = () => {
          const sorted = request.result.sort((a, b) => b?.t - a?.t);
          for (const { id, n } of sorted.splice(KEPT)) store.delete([id, n]);
          resolve(sorted.filter(isFiring));
        };
      });
    } catch {
      // No database: only this page's own firings are known.
    }
    return [...this.#firings, ...all].slice(0, LISTED);
  }
}

/** @returns {Promise<IDBDatabase>} */
function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open('ticklane', 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
