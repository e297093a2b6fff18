import { Chart } from './chart.js';
import { Stored } from '../../browser/storage.js';
import { readOptions } from '../../model/chartOptions.js';
import { formatCharts, parseCharts, same } from '../../model/chartSpec.js';
import { t } from '../../text.js';
import { el, part, press, setText } from '../common/dom.js';

/** @import { Spec } from '../../model/chartSpec.js' */
/** @import { Name } from '../../model/chartOptions.js' */
/** @import { ViewState } from '../common/viewState.js' */
/** @import { Frames } from '../common/frames.js' */
/** @import { Message } from '../../types.js' */

/**
 * One, two or four charts side by side. One of them is focused: the view's symbol, interval and kind, the watchlist, the
 * figures above and the buttons refer to it. A phone shows only that one.
 */
export class Charts {
  #host = part('chart');
  #tabs = part('chart-tabs');
  #menu = part('chart-menu');
  #alerts;
  #announce;
  #view;
  #frames;
  #record;
  #subscriptions;
  #stored = new Stored('ticklane.chart', readOptions);
  #shown = this.#stored.read();
  #narrow = matchMedia('(max-width:900px)');
  /** @type {Chart[]} */
  #charts = [];
  #focus = 0;
  /** @type {readonly string[]} in the server's order */
  #symbols = [];
  /** @type {Message | null} */
  #hello = null;

  /** @param {{ alerts: () => import('../alerts/alertsPanel.js').AlertsPanel, announce: (text: string) => void, view: ViewState, frames: Frames, theme: import('../settings/theme.js').Theme, subscriptions: import('../../model/subscriptions.js').Subscriptions, record: (symbol: string) => import('../../types.js').SymbolRecord | undefined }} parts */
  constructor({ alerts, announce, view, frames, theme, subscriptions, record }) {
    this.#alerts = alerts;
    this.#announce = announce;
    this.#subscriptions = subscriptions;
    this.#view = view;
    this.#frames = frames;
    this.#record = record;
    this.#restore();
    theme.on(() => this.#each((c) => c.recolour()));
    matchMedia('(forced-colors: active)').addEventListener('change', () => this.restyle());
    matchMedia('(prefers-reduced-motion: reduce)').addEventListener('change', () => this.restyle());
    this.#narrow.addEventListener('change', () => frames.request());
    view.on((now, before) => {
      if (now.charts !== before.charts && now.charts !== this.#formatted) this.#restore();
      else if (now.symbol === before.symbol && now.interval === before.interval && now.kind === before.kind) return;
      else this.#charts[this.#focus]?.show(this.#chosen);
      this.#update();
    });
    this.#listen();
    this.#update();
  }

  /** The charts as in the address. */
  get #formatted() {
    return formatCharts(this.#charts.map((c) => c.spec));
  }

  /** @returns {Spec} */
  get #chosen() {
    const { symbol, interval, kind } = this.#view.now;
    return { symbol, interval, kind };
  }

  /** The symbols of all charts. */
  get symbols() {
    return this.#charts.map((c) => c.spec.symbol);
  }

  /** Handles a message of the feed; it needs all of them, in order. @param {Message} m */
  take(m) {
    if (m.T === 'hello') this.#hello = m;
    for (let k = 0; k < this.#charts.length; k++) /** @type {Chart} */ (this.#charts[k]).take(m);
  }

  /** Sets the server's symbols, after the instruments; a chart of an unknown one shows the first. @param {readonly string[]} symbols */
  setSymbols(symbols) {
    this.#symbols = symbols;
    this.#each((c) => c.refreshInstrument());
    const [first] = symbols;
    if (first === undefined) return;
    this.#charts.forEach((c, k) => {
      if (k !== this.#focus && !symbols.includes(c.spec.symbol)) c.show({ ...c.spec, symbol: first });
    });
    this.#update();
  }

  /** To be called when alerts changed. */
  refreshAlerts() {
    this.#each((c) => c.refreshAlerts());
  }

  /** To be called when the settings changed. */
  restyle() {
    this.#each((c) => c.restyle());
    this.#frames.request();
  }

  /** @param {number} now performance.now() @param {boolean} paused paints only charts that wait for other bars */
  paint(now, paused) {
    for (let k = 0; k < this.#charts.length; k++) {
      const c = /** @type {Chart} */ (this.#charts[k]);
      if (this.#narrow.matches && k !== this.#focus) continue; // not visible
      if (!paused || c.fresh) c.paint(now);
    }
  }

  /** @param {(c: Chart) => void} fn */
  #each(fn) {
    for (const c of this.#charts) fn(c);
  }

  /** Makes the charts of the address, at first and after back or forward. */
  #restore() {
    const specs = parseCharts(this.#view.now.charts);
    this.#focus = Math.max(0, specs.findIndex((spec) => same(spec, this.#chosen)));
    this.#make(specs.length ? specs : [this.#chosen]);
  }

  /** @param {readonly Spec[]} specs */
  #make(specs) {
    for (const c of this.#charts.splice(specs.length)) c.close();
    specs.forEach((spec, k) => {
      let c = this.#charts[k];
      if (!c) {
        const made = (c = new Chart({ alerts: this.#alerts, record: this.#record, announce: this.#announce, frames: this.#frames, shown: this.#shown, onFocus: () => this.#focusOn(this.#charts.indexOf(made)), onCross: (µs) => this.#each((other) => other !== made && other.follow(µs)) }));
        if (this.#hello) made.take(this.#hello);
        this.#charts.push(made);
        this.#host.append(made.root);
      }
      c.show(spec);
    });
  }

  /** Changes the number of charts. @param {number} n */
  #setCount(n) {
    const specs = this.#charts.map((c) => c.spec).slice(0, n);
    const own = this.#charts[this.#focus]?.spec;
    if (this.#focus >= n && own) specs[(this.#focus = 0)] = own; // the focused one stays
    while (specs.length < n) {
      const symbol = this.#symbols.find((s) => !specs.some((x) => x.symbol === s)) ?? this.#view.now.symbol;
      specs.push({ ...this.#chosen, symbol });
    }
    this.#make(specs);
    this.#update();
  }

  /** @param {number} k */
  #focusOn(k) {
    const c = this.#charts[k];
    if (!c || k === this.#focus) return;
    this.#focus = k;
    this.#view.set({ ...c.spec });
    this.#update();
    this.#frames.request();
  }

  /** Updates marks, buttons and address. */
  #update() {
    const n = this.#charts.length;
    this.#host.dataset.count = String(n);
    this.#subscriptions.require('charts', [...new Set(this.#charts.map((c) => c.spec.symbol).filter(Boolean))]);
    this.#charts.forEach((c, k) => c.mark(k === this.#focus, n === 1));
    press(document.querySelectorAll('[data-interval]'), (b) => b.dataset.interval === this.#view.now.interval);
    press(document.querySelectorAll('[data-kind]'), (b) => b.dataset.kind === this.#view.now.kind);
    press(document.querySelectorAll('[data-charts]'), (b) => b.dataset.charts === String(n));
    press([part('chart-table')], () => this.#charts[this.#focus]?.tabled ?? false);
    this.#tabs.hidden = n === 1;
    while (this.#tabs.childElementCount > n) this.#tabs.lastElementChild?.remove();
    for (let k = this.#tabs.childElementCount; k < n; k++) {
      const b = el('button', { type: 'button' });
      b.addEventListener('click', () => this.#focusOn(k));
      this.#tabs.append(b);
    }
    this.#charts.forEach((c, k) => setText(/** @type {Node} */ (this.#tabs.children[k]), c.short));
    press(this.#tabs.children, (b) => this.#tabs.children[this.#focus] === b);
    if (this.#view.now.symbol) this.#view.adjust({ charts: this.#formatted });
  }

  /** Saves a picture of the focused chart. */
  async picture() {
    const name = await this.#charts[this.#focus]?.picture(document.querySelector('.foot .sim')?.textContent ?? '');
    this.#announce(name ? t('chart.picture.saved', { name }) : t('bar.unavailable'));
  }

  #listen() {
    part('chart-picture').addEventListener('click', () => {
      this.#menu.removeAttribute('open');
      void this.picture();
    });
    const on = (/** @type {string} */ name, /** @type {(value: string) => void} */ fn) => {
      for (const b of document.querySelectorAll(`[data-${name}]`)) b.addEventListener('click', () => fn(b.getAttribute(`data-${name}`) ?? ''));
    };
    on('interval', (interval) => this.#view.set({ interval }));
    on('kind', (kind) => this.#view.set({ kind: kind === 'line' ? 'line' : 'candles' }));
    on('charts', (n) => this.#setCount(Number(n)));
    part('chart-table').addEventListener('click', () => {
      const c = this.#charts[this.#focus];
      c?.table(!c.tabled);
      this.#update();
    });
    for (const box of this.#menu.querySelectorAll('input')) {
      const name = /** @type {Name} */ (box.name);
      box.checked = this.#shown[name];
      box.addEventListener('change', () => {
        this.#shown = { ...this.#shown, [name]: box.checked };
        this.#stored.write(this.#shown);
        this.#each((c) => c.configure(this.#shown));
      });
    }
    const shut = () => this.#menu.removeAttribute('open');
    document.addEventListener('pointerdown', (e) => e.target instanceof Node && !this.#menu.contains(e.target) && shut());
    this.#menu.addEventListener('keydown', (e) => {
      if (e.key !== 'Escape' || !this.#menu.hasAttribute('open')) return;
      shut();
      this.#menu.querySelector('summary')?.focus();
      e.preventDefault();
      e.stopPropagation();
    });
  }
}
