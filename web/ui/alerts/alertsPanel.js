import { stateOf } from '../../model/alerts.js';
import { price } from '../../model/formats.js';
import { decimals } from '../../model/instruments.js';
import { t } from '../../text.js';
import { AlertHistory } from './alertHistory.js';
import { AlertSound } from './alertSound.js';
import { AlertStore } from './alertStore.js';
import { condition, stateText } from './alertText.js';
import { FiringsView } from './firingsView.js';
import { SharedAlerts } from './sharedAlerts.js';
import { buttonOf, el, keepFocus, part, setText } from '../common/dom.js';
import { settings } from '../settings/settings.js';
import { Toasts } from '../common/toasts.js';

/** @import { Message, SymbolRecord } from '../../types.js' */
/** @import { Alert } from '../../model/alerts.js' */
/** @import { Firing } from './alertHistory.js' */
/** @import { NewAlert } from './sharedAlerts.js' */

/** The panel of alerts: lists them, opens the dialog for new ones, and reports those that fired. */
export class AlertsPanel {
  /** The alerts of this browser; other views may listen to them and change them. */
  alerts;
  #history = new AlertHistory();
  #firings;
  #sound = new AlertSound(() => settings.now.sound === 'on');
  #toasts;
  #list = part('alert-list');
  #allow = part('alert-allow');
  #tab = part('tab-alerts');
  #parts;
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
    const { view, announce } = parts;
    this.#toasts = new Toasts((symbol) => view.set({ symbol }));
    const store = new AlertStore();
    this.alerts = new SharedAlerts({ get: (symbol) => parts.store.get(symbol), store, history: this.#history, report: (firing) => this.#report(firing) });
    this.#firings = new FiringsView({ history: this.#history, view, announce, changed: () => this.#mark() });
    store.onChange(() => this.alerts.read());
    this.alerts.on(() => this.#show());
    this.#list.addEventListener('click', (e) => this.#click(e));
    part('alert-new').addEventListener('click', () => void this.make(view.now.symbol));
    part('alert-chart').addEventListener('click', () => void this.make(view.now.symbol));
    this.#allow.addEventListener('click', async () => {
      await Notification.requestPermission();
      this.#permission();
    });
    for (const type of ['pointerdown', 'keydown']) addEventListener(type, () => this.#sound.unlock(), { capture: true, passive: true });
    settings.on((now, before) => { if (now.sound !== before.sound) this.#sound.play(); });
    addEventListener('pagehide', () => this.alerts.save());
    this.#permission();
    this.#show();
  }

  /** Handles a message of the feed, after the quote store. @param {Message} m */
  take(m) {
    this.alerts.take(m);
  }

  /** Opens the dialog for a new alert on a symbol. @param {string} symbol @param {Partial<NewAlert>} [first] the first values, for example kind and level */
  async make(symbol, first = {}) {
    if (symbol) await this.#open(symbol, first, (fields, now) => this.#create(fields, now));
  }

  /** Opens the dialog to edit an alert. @param {string} id */
  async edit(id) {
    const alert = this.alerts.find(id);
    if (alert) await this.#open(alert.S, alert, ({ S: _, ...patch }, now) => this.alerts.edit(id, patch, now));
  }

  /** To be called when the settings or the instruments have changed. */
  refresh() {
    this.#show();
  }

  /** @param {string} symbol @param {Partial<Readonly<Alert>>} alert @param {(fields: NewAlert, now: boolean) => void} save */
  async #open(symbol, alert, save) {
    if (this.#loading) return;
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
    module.openAlertDialog({ symbol, alert, quote: () => this.#parts.store.get(symbol), full: this.alerts.full, save });
  }

  /** @param {NewAlert} fields @param {boolean} now */
  #create(fields, now) {
    if (!this.alerts.create(fields, now)) return;
    this.#parts.announce(t('alert.set', { what: condition(fields) }));
    this.#parts.view.set({ panel: 'alerts' });
  }

  /** @param {Firing} firing */
  #report(firing) {
    const text = t('alert.fired', { what: condition(firing), price: price(firing.p, decimals(firing.S)) });
    this.#toasts.show(firing.S, text, firing.t);
    this.#parts.announce(text);
    this.#sound.play();
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
    const { id, action, symbol } = buttonOf(e)?.dataset ?? {};
    if (symbol) this.#parts.view.set({ symbol });
    if (!id) return;
    if (action === 'edit') {
      void this.edit(id);
      return;
    }
    if (action === 'remove') this.alerts.remove(id);
    else this.alerts.rearm(id);
    part('alerts').focus();
  }

  /** Shows the list and subscribes to the symbols that it needs. */
  #show() {
    this.#parts.subscriptions.require('alerts', this.alerts.symbols);
    keepFocus(this.#list, () => this.#list.replaceChildren(...this.alerts.list.map(row)));
    this.#mark();
    void this.#firings.show();
  }

  /** Shows on the tab how many alerts are active, and how many that fired the user has not seen. */
  #mark() {
    const { unread, count } = this.#firings;
    const active = this.alerts.list.filter((a) => !a.done).length;
    const name = t('alert.tab') + (active ? ` ${active}` : '');
    setText(this.#tab, name);
    this.#tab.dataset.bold = name;
    if (unread) {
      this.#tab.dataset.unread = String(unread);
      this.#tab.setAttribute('aria-label', t('alert.unread', { name, n: unread }));
    } else {
      delete this.#tab.dataset.unread;
      this.#tab.removeAttribute('aria-label');
    }
    part('alert-none').hidden = this.alerts.list.length + count > 0;
  }
}

/** @param {Readonly<Alert>} a */
function row(a) {
  const what = condition(a);
  const state = stateOf(a);
  const button = (/** @type {string} */ action, /** @type {string} */ label, /** @type {string} */ text) =>
    el('button', { type: 'button', class: 'icon bare', 'data-id': a.id, 'data-action': action, 'aria-label': label }, text);
  const again = button('again', t('alert.rearm.label', { what }), t('alert.rearm'));
  again.className = 'link';
  again.hidden = state !== 'done';
  return el('li', { class: state, 'data-state': state },
    el('button', { type: 'button', class: 'link what', 'data-symbol': a.S, 'data-alert': a.id }, what),
    el('span', { class: 'soft' }, `${stateText(a)} · ${t(a.every ? 'alert.every' : 'alert.once')}`), again,
    button('edit', t('alert.edit', { what }), '✎'), button('remove', t('alert.remove', { what }), '✕'));
}
