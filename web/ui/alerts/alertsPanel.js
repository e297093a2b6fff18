import { Alerts } from '../../model/alerts.js';
import { dates, percent, price, timeOfDay } from '../../model/formats.js';
import { t } from '../../text.js';
import { AlertStore, MOST } from './alertStore.js';
import { buttonOf, el, keepFocus, part, setText } from '../common/dom.js';
import { Toasts } from '../common/toasts.js';

/** @import { Message, SymbolRecord } from '../../types.js' */
/** @import { Alert } from '../../model/alerts.js' */
/** @import { Firing } from './alertStore.js' */

const HIDDEN = 400; // ms that a hidden page waits, so that a visible one reports a firing
const SAVE = 200; // ms in which several changes are written at once

/** Describes an alert's condition. @param {{ S: string, kind: string, level: number, minutes: number }} a */
export const condition = ({ S, kind, level, minutes }) =>
  t(`alert.is.${kind}`, { symbol: S, level: kind === 'above' || kind === 'below' ? price(level) : percent(level), minutes: String(minutes) });

/** The alerts of this browser: checked and listed in each of its pages; one of them reports a firing. */
export class AlertsPanel {
  #alerts;
  #store;
  #toasts;
  #list = part('alert-list');
  #firings = part('alert-triggered');
  #allow = part('alert-allow');
  #tab = part('tab-alerts');
  /** @type {Set<string>} ids of alerts with changes that are not written yet */
  #dirty = new Set();
  /** @type {any} */
  #saveTimer = null;
  #parts;
  #get = (/** @type {string} */ symbol) => this.#parts.store.get(symbol);
  #loading = false; // the dialog's code

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
    this.#firings.addEventListener('click', (e) => this.#click(e));
    part('alert-new').addEventListener('click', () => void this.make(parts.view.now.symbol));
    part('alert-chart').addEventListener('click', () => void this.make(parts.view.now.symbol));
    this.#allow.addEventListener('click', async () => {
      await Notification.requestPermission();
      this.#permission();
    });
    addEventListener('pagehide', () => this.#save());
    this.#permission();
    this.#read();
  }

  /** Handles a message of the feed, after the quote store. @param {Message} m */
  take(m) {
    this.#alerts.take(m, this.#get);
  }

  /** Opens the dialog for a symbol. @param {string} symbol */
  async make(symbol) {
    if (!symbol || this.#loading) return;
    this.#loading = true;
    const module = await import('./alertDialog.js').catch(() => null);
    this.#loading = false;
    if (document.querySelector('dialog[open]')) return; // another dialog was opened meanwhile
    if (!module) {
      const text = t('bar.unavailable');
      this.#toasts.show(symbol, text, Date.now());
      this.#parts.announce(text);
      return;
    }
    module.openAlertDialog({ symbol, r: this.#parts.store.get(symbol), full: this.#alerts.list.length >= MOST, create: (alert) => this.#create(alert) });
  }

  /** To be called when the settings changed. */
  refresh() {
    this.#show();
  }

  /** @param {Pick<Alert, 'S' | 'kind' | 'level' | 'minutes' | 'every'>} fields */
  #create(fields) {
    const id = crypto.getRandomValues(new Uint32Array(2)).join('-');
    const alert = { ...fields, id, armed: false, done: false, n: 0, epoch: '', i: 0 };
    this.#store.change((all) => [...all, alert]);
    this.#read();
    this.#parts.announce(t('alert.set', { what: condition(alert) }));
    this.#parts.view.set({ panel: 'alerts' });
  }

  /** Reads the stored alerts. What this page has checked or fired since then is kept. */
  #read() {
    const own = new Map(this.#alerts.list.map((a) => [a.id, a]));
    this.#alerts.load(this.#store.read().map((stored) => {
      const mine = own.get(stored.id);
      if (!mine) return stored;
      // The object stays the same: one of its firings may not be stored yet.
      if (mine.n > stored.n) this.#changed(mine); // another page wrote an older state
      else if (!this.#dirty.has(stored.id)) Object.assign(mine, stored, { i: mine.epoch === stored.epoch ? Math.max(mine.i, stored.i) : stored.i });
      return mine;
    }));
    for (const S of this.#alerts.symbols) this.#alerts.check(this.#parts.store.get(S));
    this.#show();
  }

  /** @param {Alert} a */
  #changed(a) {
    this.#dirty.add(a.id);
    this.#saveTimer ??= setTimeout(() => this.#save(), SAVE);
  }

  #save() {
    clearTimeout(this.#saveTimer);
    this.#saveTimer = null;
    if (!this.#dirty.size) return;
    const changed = new Map(this.#alerts.list.filter((a) => this.#dirty.has(a.id)).map((a) => [a.id, a]));
    this.#dirty.clear();
    // Only alerts that are still stored: another tab may have removed some.
    this.#store.change((all) => all.map((stored) => {
      const mine = changed.get(stored.id);
      return mine && mine.n >= stored.n ? { ...mine } : stored;
    }));
    this.#show();
  }

  /** @param {Alert} a @param {SymbolRecord} r */
  async #fired(a, r) {
    const { id, S, kind, level, minutes, n } = a;
    const firing = { id, n, S, kind, level, minutes, p: r.p, t: r.t / 1000 };
    if (document.hidden) await new Promise((resolve) => setTimeout(resolve, HIDDEN));
    const mine = await this.#store.claim(firing);
    this.#changed(a);
    this.#save();
    if (!mine) return;
    const text = t('alert.fired', { what: condition(firing), price: price(firing.p) });
    this.#toasts.show(S, text, firing.t);
    this.#parts.announce(text);
    this.#notify(firing, text);
  }

  /** @param {Firing} firing @param {string} body */
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
      // Browsers on phones allow notifications only from a service worker; the page has shown a toast.
    }
  }

  #permission() {
    const state = 'Notification' in globalThis ? Notification.permission : 'unsupported';
    this.#allow.hidden = state !== 'default';
    part('alert-denied').hidden = state !== 'denied';
  }

  /** @param {Event} e */
  #click(e) {
    const button = buttonOf(e);
    if (!button) return;
    const { id, action, symbol } = button.dataset;
    if (symbol) this.#parts.view.set({ symbol });
    if (!id) return;
    this.#save();
    this.#store.change((all) => {
      if (action === 'remove') return all.filter((a) => a.id !== id);
      // Checked again from the next quote.
      return all.map((a) => (a.id === id ? { ...a, done: false, epoch: '' } : a));
    });
    this.#read();
    part('alerts').focus();
  }

  /** Shows the list and subscribes to the symbols that it needs. */
  #show() {
    this.#parts.subscriptions.require('alerts', this.#alerts.symbols);
    const alerts = this.#alerts.list;
    const watching = alerts.filter((a) => !a.done).length;
    const name = t('alert.tab') + (watching ? ` ${watching}` : '');
    setText(this.#tab, name);
    this.#tab.dataset.bold = name;
    keepFocus(this.#list, () => this.#list.replaceChildren(...alerts.map((a) => {
      const what = condition(a);
      const state = a.done ? 'done' : !a.epoch ? 'unknown' : a.armed ? 'armed' : 'waiting';
      const again = el('button', { type: 'button', class: 'link', 'data-id': a.id, 'data-action': 'again', 'aria-label': t('alert.rearm.label', { what }) }, t('alert.rearm'));
      again.hidden = !a.done;
      return el('li', { class: state, 'data-state': state },
        el('button', { type: 'button', class: 'link what', 'data-symbol': a.S, 'data-alert': a.id }, what),
        el('span', { class: 'soft cut' }, `${t(`alert.state.${state}`)} · ${t(a.every ? 'alert.every' : 'alert.once')}`), again,
        el('button', { type: 'button', class: 'icon bare', 'data-id': a.id, 'data-action': 'remove', 'aria-label': t('alert.remove', { what }) }, '✕'));
    })));
    void this.#showFirings();
  }

  async #showFirings() {
    const firings = await this.#store.firings();
    part('alert-none').hidden = this.#alerts.list.length + firings.length > 0;
    part('alert-triggered-title').hidden = firings.length === 0;
    const day = dates({ dateStyle: 'short' });
    const today = day.format(Date.now());
    keepFocus(this.#firings, () => this.#firings.replaceChildren(...firings.map((x) => el('li', {},
      el('time', {}, `${day.format(x.t) === today ? '' : `${day.format(x.t)} `}${timeOfDay(x.t)}`),
      el('button', { type: 'button', class: 'link what', 'data-symbol': x.S, 'data-firing': `${x.id} ${x.n}` }, t('alert.fired', { what: condition(x), price: price(x.p) }))))));
  }
}
