import { ownName } from '../../browser/http.js';
import { Stored } from '../../browser/storage.js';
import { hasFigures, isNumber, isText } from './alertStore.js';

/**
 * @typedef {object} Firing
 * @property {string} id of the alert
 * @property {number} n the number of the firing, from 1
 * @property {string} S
 * @property {import('../../model/alerts.js').Kind} kind
 * @property {number} level
 * @property {number} minutes
 * @property {number} p the price that fired it
 * @property {number} t due time of that price, ms since 1970
 * @property {number} [at] when this browser recorded it, ms since 1970
 */

export const KEPT = 500; // firings; also so that a page that is behind doesn't report them again
const DATABASE = ownName('ticklane.alerts');
const STORE = 'firings';

/** @param {any} x @returns {x is Firing} */
export const isFiring = (x) => x && isText(x.id, 40) && isNumber(x.n) && hasFigures(x) && isNumber(x.p) && isNumber(x.t) && (x.at === undefined || isNumber(x.at));

/** The stored marks of version 1. @param {any} stored */
export const readMarks = (stored) => ({ seen: stored?.v === 1 && isNumber(stored.seen) ? stored.seen : 0 });

/**
 * The alerts that fired in this browser, in IndexedDB, where adding a key succeeds in one tab only, and up to when the user has
 * seen them, in localStorage. Without storage both last as long as the page.
 */
export class AlertHistory {
  /** @type {Firing[]} while there is no database */
  #memory = [];
  /** @type {Promise<IDBDatabase> | null} */
  #db = null;
  #marks;

  /** @param {Stored<{ seen: number }>} [marks] */
  constructor(marks = new Stored('ticklane.alerts.seen', readMarks)) {
    this.#marks = marks;
  }

  /** @param {() => void} fn called after another tab has cleared the history, or its user has seen it */
  onChange(fn) {
    this.#marks.onChange(fn);
  }

  /** Adds a firing. @param {Firing} firing @returns {Promise<boolean>} whether this page must report it: false when another page has added it */
  async add(firing) {
    try {
      const tx = (await this.#open()).transaction(STORE, 'readwrite');
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
      this.#memory = [firing, ...this.#memory].slice(0, KEPT); // without a database each page reports it
      return true;
    }
  }

  /** The newest firings, newest first, at most KEPT. @returns {Promise<Firing[]>} */
  async all() {
    let all = /** @type {any[]} */ ([]);
    try {
      const store = (await this.#open()).transaction(STORE, 'readwrite').objectStore(STORE);
      all = (await done(store.getAll())).sort((/** @type {any} */ a, /** @type {any} */ b) => b?.t - a?.t);
      for (const x of all.splice(KEPT)) if (x) store.delete([x.id, x.n]);
    } catch {
      // No database: only this page's own firings are known.
    }
    return [...this.#memory, ...all.filter(isFiring)].slice(0, KEPT);
  }

  /** Removes all firings. Their keys stay, so that a page that is behind doesn't report them again. */
  async clear() {
    this.#memory = [];
    try {
      const store = (await this.#open()).transaction(STORE, 'readwrite').objectStore(STORE);
      for (const { id, n, t } of (await done(store.getAll())).filter(isFiring)) await done(store.put({ id, n, t }, [id, n]));
    } catch {
      this.#db = null;
    }
    this.#marks.write({ v: 1, seen: Date.now() }); // other tabs read the history again
  }

  /** How many of these firings the user has not seen. @param {readonly Firing[]} firings */
  unread(firings) {
    const { seen } = this.#marks.read();
    return firings.filter(({ at }) => at !== undefined && at > seen).length;
  }

  /** Notes that the user has seen these firings. @param {readonly Firing[]} firings */
  markSeen(firings) {
    const newest = Math.max(0, ...firings.map(({ at }) => at ?? 0));
    if (newest > this.#marks.read().seen) this.#marks.write({ v: 1, seen: newest });
  }

  #open() {
    return (this.#db ??= open());
  }
}

/** @returns {Promise<IDBDatabase>} */
async function open() {
  indexedDB.deleteDatabase('ticklane'); // of earlier versions, which kept no history
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  return done(request);
}

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
const done = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});
