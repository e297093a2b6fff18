// Where alerts are kept, for all tabs of this browser: what there is in localStorage, what was told in IndexedDB, whose
// "add" lets one page through and no other. Tolerant of forbidden storage: then they live with the page.
import { Stored } from '../../browser/storage.js';
import { kinds } from '../../model/alerts.js';

/** @typedef {import('../../model/alerts.js').Alert} Alert */
/**
 * @typedef {object} Firing what an alert said
 * @property {string} id of the alert
 * @property {number} n its firing
 * @property {string} S
 * @property {import('../../model/alerts.js').Kind} kind
 * @property {number} level
 * @property {number} minutes
 * @property {number} p the price then, dollars
 * @property {number} t when that price was due, ms since 1970
 */

export const MOST = 50; // alerts
const TOLD = 50; // that are listed
const CLAIMED = 500; // that are remembered, lest a page that lags tells them again

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
const isTold = (x) => x && text(x.id, 40) && number(x.n) && figures(x) && number(x.p) && number(x.t);

/** The stored alerts of version 1; invalid ones are left out. @param {any} stored @returns {Alert[]} */
export function readAlerts(stored) {
  if (stored?.v !== 1 || !Array.isArray(stored.alerts)) return [];
  return [...new Map(stored.alerts.filter(isAlert).map((/** @type {Alert} */ a) => [a.id, a])).values()].slice(0, MOST);
}

export class AlertStore {
  /** @type {Alert[]} where storage is forbidden */
  #own = [];
  /** @type {Firing[]} the same */
  #ownTold = [];
  #stored = new Stored('ticklane.alerts', readAlerts);
  /** @type {Promise<IDBDatabase> | null} */
  #db = null;

  /** @param {() => void} changed another tab wrote */
  constructor(changed) {
    this.#stored.onChange(changed);
  }

  /** @returns {Alert[]} */
  read() {
    return this.#stored.current ? this.#stored.read() : this.#own;
  }

  /** Changes what is kept. Others may have written meanwhile, so it is read anew. @param {(alerts: Alert[]) => Alert[]} fn */
  change(fn) {
    this.#own = fn(this.read());
    this.#stored.write({ v: 1, alerts: this.#own });
  }

  /** Keeps a firing, unless some page did: then it isn't this one that tells it. @param {Firing} told @returns {Promise<boolean>} */
  async claim(told) {
    try {
      this.#db ??= open();
      const tx = (await this.#db).transaction('told', 'readwrite');
      return await new Promise((resolve, reject) => {
        tx.objectStore('told').add(told, [told.id, told.n]).onerror = (e) => {
          e.preventDefault(); // the key is there
          resolve(false);
        };
        tx.oncomplete = () => resolve(true);
        tx.onabort = () => reject(tx.error);
      });
    } catch {
      this.#db = null; // a closed one, as after the person cleared this site's data, may be had again
      this.#ownTold = [told, ...this.#ownTold].slice(0, TOLD); // without a database better twice than never
      return true;
    }
  }

  /** What was told, newest first. @returns {Promise<Firing[]>} */
  async told() {
    /** @type {Firing[]} */
    let all = [];
    try {
      this.#db ??= open();
      const store = (await this.#db).transaction('told', 'readwrite').objectStore('told');
      all = await new Promise((resolve, reject) => {
        const request = store.getAll();
        request.onerror = () => reject(request.error);
        request.onsuccess = () => {
          const sorted = request.result.sort((a, b) => b?.t - a?.t);
          for (const { id, n } of sorted.splice(CLAIMED)) store.delete([id, n]);
          resolve(sorted.filter(isTold));
        };
      });
    } catch {
      // There is none: what this page told is all.
    }
    return [...this.#ownTold, ...all].slice(0, TOLD);
  }
}

/** @returns {Promise<IDBDatabase>} */
function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open('ticklane', 1);
    request.onupgradeneeded = () => request.result.createObjectStore('told');
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
