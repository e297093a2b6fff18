import { Alerts } from '../../model/alerts.js';
import { MOST } from './alertStore.js';

/** @import { Message, SymbolRecord } from '../../types.js' */
/** @import { Alert } from '../../model/alerts.js' */
/** @import { Firing } from './alertHistory.js' */
/** @typedef {Pick<Alert, 'S' | 'kind' | 'level' | 'minutes' | 'every'>} NewAlert */

const HIDDEN = 400; // ms that a hidden page waits, so that a visible one reports a firing
const SAVE = 200; // ms in which several changes are written at once

/**
 * The alerts that all tabs of this browser share. Each tab checks them; the one that adds a firing to the history first
 * reports it. Changes take effect in this tab at once and in the others after a storage event.
 */
export class SharedAlerts {
  #alerts;
  #store;
  #history;
  #get;
  #report;
  #hidden;
  /** @type {Set<string>} ids of alerts with changes that are not written yet */
  #dirty = new Set();
  /** @type {any} */
  #timer = null;
  /** @type {Set<() => void>} */
  #listeners = new Set();

  /**
   * @param {{
   *   get: (symbol: string) => SymbolRecord | undefined,
   *   store: import('./alertStore.js').AlertStore,
   *   history: import('./alertHistory.js').AlertHistory,
   *   report: (firing: Firing) => void,
   *   hidden?: () => boolean,
   * }} parts get: the newest quote of a symbol; report: called with a firing that this page must report
   */
  constructor({ get, store, history, report, hidden = () => document.hidden }) {
    this.#get = get;
    this.#store = store;
    this.#history = history;
    this.#report = report;
    this.#hidden = hidden;
    this.#alerts = new Alerts({ fired: (a, r) => void this.#fired(a, r), changed: (a) => this.#changed(a) });
    this.read();
  }

  /** @returns {readonly Readonly<Alert>[]} all alerts, in the order of their symbols */
  get list() {
    return this.#alerts.list;
  }

  /** The symbols of alerts that are not done. */
  get symbols() {
    return this.#alerts.symbols;
  }

  /** Reports whether no more alerts can be created. */
  get full() {
    return this.list.length >= MOST;
  }

  /** @param {string} id @returns {Readonly<Alert> | undefined} */
  find(id) {
    return this.list.find((a) => a.id === id);
  }

  /** Handles a message of the feed, after the quote store. @param {Message} m */
  take(m) {
    this.#alerts.take(m, this.#get);
  }

  /**
   * Creates an alert. It is checked with the newest quote: one that is true already waits until it is not.
   * @param {NewAlert} fields valid ones @param {boolean} [now] fires at once when it is true already
   * @returns {Alert | null} null when there are too many
   */
  create(fields, now = false) {
    if (this.full) return null;
    const id = crypto.getRandomValues(new Uint32Array(2)).join('-');
    const alert = { ...fields, id, done: false, n: 0, ...this.#start(fields.S, now) };
    this.#change((all) => [...all, alert]);
    return alert;
  }

  /** Changes an alert, for example its level. It is checked as a new one is; a done one is active again. @param {string} id @param {Partial<Omit<NewAlert, 'S'>>} patch @param {boolean} [now] */
  edit(id, patch, now = false) {
    this.#change((all) => all.map((a) => (a.id === id ? { ...a, ...patch, done: false, ...this.#start(a.S, now) } : a)));
  }

  /** Activates an alert that is done. @param {string} id */
  rearm(id) {
    this.edit(id, {});
  }

  /** @param {string} id */
  remove(id) {
    this.#change((all) => all.filter((a) => a.id !== id));
  }

  /** @param {() => void} fn called when an alert was created, changed, removed, armed or fired */
  on(fn) {
    this.#listeners.add(fn);
  }

  /** Reads the stored alerts, to be called when another tab changed them. What this page has checked or fired since then is kept. */
  read() {
    const own = new Map(this.#alerts.list.map((a) => [a.id, a]));
    this.#alerts.load(this.#store.read().map((stored) => {
      const mine = own.get(stored.id);
      if (!mine) return stored;
      // The object stays the same: one of its firings may not be stored yet.
      if (mine.n > stored.n) this.#changed(mine); // another page wrote an older state
      else if (!this.#dirty.has(stored.id)) Object.assign(mine, stored, { i: mine.epoch === stored.epoch ? Math.max(mine.i, stored.i) : stored.i });
      return mine;
    }));
    for (const S of this.#alerts.symbols) this.#alerts.check(this.#get(S));
    this.#notify();
  }

  /** Writes what this page has checked, to be called before the page ends. */
  save() {
    clearTimeout(this.#timer);
    this.#timer = null;
    if (!this.#dirty.size) return;
    const changed = new Map(this.#alerts.list.filter((a) => this.#dirty.has(a.id)).map((a) => [a.id, a]));
    this.#dirty.clear();
    // Only alerts that are still stored: another tab may have removed some.
    this.#store.change((all) => all.map((stored) => {
      const mine = changed.get(stored.id);
      return mine && mine.n >= stored.n ? { ...mine } : stored;
    }));
    this.#notify();
  }

  /** The state of an alert before its first check. @param {string} symbol @param {boolean} now armed before the newest quote, so that this one fires it */
  #start(symbol, now) {
    const r = this.#get(symbol);
    const { epoch } = this.#alerts;
    return now && r && epoch ? { armed: true, epoch, i: r.i - 1 } : { armed: false, epoch: '', i: 0 };
  }

  /** @param {(alerts: Alert[]) => Alert[]} fn */
  #change(fn) {
    this.save();
    this.#store.change(fn);
    this.read();
  }

  /** @param {Alert} a */
  #changed(a) {
    this.#dirty.add(a.id);
    this.#timer ??= setTimeout(() => this.save(), SAVE);
  }

  /** @param {Alert} a @param {SymbolRecord} r */
  async #fired(a, r) {
    const { id, S, kind, level, minutes, n } = a;
    const firing = { id, n, S, kind, level, minutes, p: r.p, t: r.t / 1000, at: Date.now() };
    if (this.#hidden()) await new Promise((resolve) => setTimeout(resolve, HIDDEN));
    const mine = await this.#history.add(firing);
    this.#changed(a);
    this.save();
    if (mine) this.#report(firing);
  }

  #notify() {
    for (const fn of this.#listeners) fn();
  }
}
