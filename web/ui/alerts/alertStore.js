import { Stored } from '../../browser/storage.js';
import { isPriced, kinds } from '../../model/alerts.js';
import { isSymbol } from '../../model/instruments.js';

/** @import { Alert } from '../../model/alerts.js' */

export const MOST = 50; // alerts

export const isNumber = (/** @type {any} */ x) => typeof x === 'number' && Number.isFinite(x);
export const isText = (/** @type {any} */ x, /** @type {number} */ most) => typeof x === 'string' && x.length <= most;

/** Reports whether symbol, kind, level and minutes are valid. @param {any} a */
export const hasFigures = (a) =>
  isSymbol(a.S) && kinds.includes(a.kind) && isNumber(a.level) && (isPriced(a) || (a.level !== 0 && Math.abs(a.level) <= 50)) &&
  Number.isInteger(a.minutes) && (a.kind === 'within' ? a.minutes >= 1 && a.minutes <= 60 : a.minutes === 0);

/** @param {any} a */
const isAlert = (a) =>
  a && isText(a.id, 40) && a.id !== '' && hasFigures(a) && isText(a.epoch, 40) && isNumber(a.i) && Number.isInteger(a.n) && a.n >= 0 &&
  [a.every, a.armed, a.done].every((x) => typeof x === 'boolean');

/** The stored alerts of version 1; invalid ones are left out. @param {any} stored @returns {Alert[]} */
export function readAlerts(stored) {
  if (stored?.v !== 1 || !Array.isArray(stored.alerts)) return [];
  return [...new Map(stored.alerts.filter(isAlert).map((/** @type {Alert} */ a) => [a.id, a])).values()].slice(0, MOST);
}

/** The alerts of all tabs of this browser, in localStorage. */
export class AlertStore {
  #stored;

  /** @param {Stored<Alert[]>} [stored] */
  constructor(stored = new Stored('ticklane.alerts', readAlerts)) {
    this.#stored = stored;
  }

  /** @param {() => void} fn called after another tab changed the alerts */
  onChange(fn) {
    this.#stored.onChange(fn);
  }

  /** @returns {Alert[]} */
  read() {
    return this.#stored.read();
  }

  /** Changes the stored alerts. They are read again, since another tab may have changed them. @param {(alerts: Alert[]) => Alert[]} fn */
  change(fn) {
    this.#stored.write({ v: 1, alerts: fn(this.read()) });
  }
}
