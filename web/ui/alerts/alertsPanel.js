import { Alerts } from '../../model/alerts.js';
import { dates, percent, price, timeOfDay } from '../../model/formats.js';
import { t } from '../../text.js';
import { AlertStore, MOST } from './alertStore.js';
import { el, keepFocus, part, setText } from '../common/dom.js';
import { Toasts } from '../common/toasts.js';

/** @typedef {import('../../types.js').SymbolRecord} SymbolRecord */
/** @typedef {import('../../types.js').Message} Message */
/** @typedef {import('../../model/alerts.js').Alert} Alert */
/** @typedef {import('./alertStore.js').Firing} Firing */

const LATER = 400; // ms that a hidden page leaves to those that are seen
const KEEP = 200; // ms in which several changes are kept at once

/** What an alert waits for, in words. @param {{ S: string, kind: string, level: number, minutes: number }} a */
export const words = ({ S, kind, level, minutes }) =>
  t(`alert.is.${kind}`, { symbol: S, level: kind === 'above' || kind === 'below' ? price(level) : percent(level), minutes: String(minutes) });

/** Alerts of this browser: watched in each of its pages, told by one of them, listed in all. */
export class AlertsPanel {
  #alerts;
  #store;
  #toasts;
  #list = part('alert-list');
  #told = part('alert-told');
  #allow = part('alert-allow');
  #tab = part('tab-alerts');
  /** @type {Set<string>} ids that changed and aren't kept yet */
  #dirty = new Set();
  /** @type {any} */
  #keeping = null;
  #parts;
  #get = (/** @type {string} */ symbol) => this.#parts.store.get(symbol);
  #asking = false; // the dialog's code is on its way

  /**
   * @param {{
   *   store: { get(symbol: string): SymbolRecord | undefined },
   *   view: import('../common/viewState.js').ViewState,
   *   subscriptions: import('../../model/subscriptions.js').Subscriptions,
   *   announce: (text: string) => void,
   * }} parts
   */
  constructor(parts) {
    this.#parts = parts;
    this.#toasts = new Toasts((symbol) => parts.view.set({ symbol }));
    this.#alerts = new Alerts({ fired: (a, r) => void this.#fired(a, r), changed: (a) => this.#changed(a) });
    this.#store = new AlertStore(() => this.#read());
    this.#list.addEventListener('click', (e) => this.#click(e));
    this.#told.addEventListener('click', (e) => this.#click(e));
    part('alert-new').addEventListener('click', () => void this.make(parts.view.now.symbol));
    part('alert-chart').addEventListener('click', () => void this.make(parts.view.now.symbol));
    this.#allow.addEventListener('click', async () => {
      await Notification.requestPermission();
      this.#permission();
    });
    addEventListener('pagehide', () => this.#keep());
    this.#permission();
    this.#read();
  }

  /** @param {Message} m every message of the feed, after the store took it */
  take(m) {
    this.#alerts.take(m, this.#get);
  }

  /** Opens the dialog for a symbol. @param {string} symbol */
  async make(symbol) {
    if (!symbol || this.#asking) return;
    this.#asking = true;
    const found = await import('./alertDialog.js').catch(() => null);
    this.#asking = false;
    if (document.querySelector('dialog[open]')) return; // another one was faster
    if (!found) {
      const text = t('bar.unavailable');
      this.#toasts.show(symbol, text, Date.now());
      this.#parts.announce(text);
      return;
    }
    found.ask({ symbol, r: this.#parts.store.get(symbol), full: this.#alerts.list.length >= MOST, set: (wish) => this.#set(wish) });
  }

  /** To be called when the settings changed. */
  refresh() {
    this.#show();
  }

  /** @param {Pick<Alert, 'S' | 'kind' | 'level' | 'minutes' | 'every'>} wish */
  #set(wish) {
    const id = crypto.getRandomValues(new Uint32Array(2)).join('-');
    const alert = { ...wish, id, armed: false, done: false, n: 0, epoch: '', i: 0 };
    this.#store.change((all) => [...all, alert]);
    this.#read();
    this.#parts.announce(t('alert.set', { what: words(alert) }));
    this.#parts.view.set({ panel: 'alerts' });
  }

  /** Takes what is kept. What this page told or saw later than that stays. */
  #read() {
    const own = new Map(this.#alerts.list.map((a) => [a.id, a]));
    this.#alerts.load(this.#store.read().map((kept) => {
      const mine = own.get(kept.id);
      if (!mine) return kept;
      // The same object stays in use: a firing of it may be on its way to the book.
      if (mine.n > kept.n) this.#changed(mine); // another page wrote from before
      else if (!this.#dirty.has(kept.id)) Object.assign(mine, kept, { i: mine.epoch === kept.epoch ? Math.max(mine.i, kept.i) : kept.i });
      return mine;
    }));
    for (const S of this.#alerts.symbols) this.#alerts.check(this.#parts.store.get(S));
    this.#show();
  }

  /** @param {Alert} a */
  #changed(a) {
    this.#dirty.add(a.id);
    this.#keeping ??= setTimeout(() => this.#keep(), KEEP);
  }

  #keep() {
    clearTimeout(this.#keeping);
    this.#keeping = null;
    if (!this.#dirty.size) return;
    const changed = new Map(this.#alerts.list.filter((a) => this.#dirty.has(a.id)).map((a) => [a.id, a]));
    this.#dirty.clear();
    // Only what is still there: another tab may have removed it.
    this.#store.change((all) => all.map((kept) => {
      const mine = changed.get(kept.id);
      return mine && mine.n >= kept.n ? { ...mine } : kept;
    }));
    this.#show();
  }

  /** @param {Alert} a @param {SymbolRecord} r */
  async #fired(a, r) {
    const { id, S, kind, level, minutes, n } = a;
    const told = { id, n, S, kind, level, minutes, p: r.p, t: r.t / 1000 };
    if (document.hidden) await new Promise((resolve) => setTimeout(resolve, LATER));
    const mine = await this.#store.claim(told);
    this.#changed(a);
    this.#keep();
    if (!mine) return;
    const text = t('alert.fired', { what: words(told), price: price(told.p) });
    this.#toasts.show(S, text, told.t);
    this.#parts.announce(text);
    this.#notify(told, text);
  }

  /** @param {Firing} told @param {string} body */
  #notify({ S, id, n: firing }, body) {
    if (!('Notification' in globalThis) || Notification.permission !== 'granted') return;
    try {
      const n = new Notification(`Ticklane: ${S}`, { body, tag: `${id} ${firing}` });
      n.onclick = () => {
        focus();
        this.#parts.view.set({ symbol: S });
        n.close();
      };
    } catch {
      // Phones allow them from a service worker only: the page has told it.
    }
  }

  #permission() {
    const state = 'Notification' in globalThis ? Notification.permission : 'unsupported';
    this.#allow.hidden = state !== 'default';
    part('alert-denied').hidden = state !== 'denied';
  }

  /** @param {Event} e */
  #click(e) {
    const button = e.target instanceof Element ? e.target.closest('button') : null;
    if (!button) return;
    const { id, action, symbol } = button.dataset;
    if (symbol) this.#parts.view.set({ symbol });
    if (!id) return;
    this.#keep();
    this.#store.change((all) => {
      if (action === 'remove') return all.filter((a) => a.id !== id);
      // It waits anew: the next quote says on which side it stands.
      return all.map((a) => (a.id === id ? { ...a, done: false, epoch: '' } : a));
    });
    this.#read();
    part('alerts').focus();
  }

  /** After whatever changed: the list, and the quotes that it still needs. */
  #show() {
    this.#parts.subscriptions.require('alerts', this.#alerts.symbols);
    const alerts = this.#alerts.list;
    const watching = alerts.filter((a) => !a.done).length;
    const name = t('alert.tab') + (watching ? ` ${watching}` : '');
    setText(this.#tab, name);
    this.#tab.dataset.bold = name;
    keepFocus(this.#list, () => this.#list.replaceChildren(...alerts.map((a) => {
      const what = words(a);
      const state = a.done ? 'done' : !a.epoch ? 'unknown' : a.armed ? 'armed' : 'waiting';
      const again = el('button', { type: 'button', class: 'link', 'data-id': a.id, 'data-action': 'again', 'aria-label': t('alert.rearm.label', { what }) }, t('alert.rearm'));
      again.hidden = !a.done;
      return el('li', { class: state, 'data-state': state },
        el('button', { type: 'button', class: 'link what', 'data-symbol': a.S, 'data-alert': a.id }, what),
        el('span', { class: 'soft cut' }, `${t(`alert.state.${state}`)} · ${t(a.every ? 'alert.every' : 'alert.once')}`), again,
        el('button', { type: 'button', class: 'icon bare', 'data-id': a.id, 'data-action': 'remove', 'aria-label': t('alert.remove', { what }) }, '✕'));
    })));
    void this.#showTold();
  }

  async #showTold() {
    const told = await this.#store.told();
    part('alert-none').hidden = this.#alerts.list.length + told.length > 0;
    part('alert-told-title').hidden = told.length === 0;
    const day = dates({ dateStyle: 'short' });
    const today = day.format(Date.now());
    keepFocus(this.#told, () => this.#told.replaceChildren(...told.map((x) => el('li', {},
      el('time', {}, `${day.format(x.t) === today ? '' : `${day.format(x.t)} `}${timeOfDay(x.t)}`),
      el('button', { type: 'button', class: 'link what', 'data-symbol': x.S, 'data-firing': `${x.id} ${x.n}` }, t('alert.fired', { what: words(x), price: price(x.p) }))))));
  }
}
