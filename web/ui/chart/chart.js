import { countdown, percent, price, signed, volume } from '../../model/formats.js';
import { t } from '../../text.js';
import { download } from '../../browser/download.js';
import { BarFeed } from '../../model/barFeed.js';
import { BarTable, changeClass, csv } from './barTable.js';
import { decimals, fileName, sizeDecimals } from '../../model/instruments.js';
import { changePercent, difference } from '../../model/units.js';
import { barTimes, pictureName, zoneText } from '../../model/barTimes.js';
import { same } from '../../model/chartSpec.js';
import { el, setText } from '../common/dom.js';
import { fetchHistory } from '../../model/history.js';

/** @import { Spec } from '../../model/chartSpec.js' */
/** @import { Shown } from '../../model/chartOptions.js' */
/** @import { Frames } from '../common/frames.js' */
/** @import { Candles } from './candles.js' */
/** @import { SymbolRecord } from '../../types.js' */

const NEAR = 40; // bars left before the oldest when older ones are requested
const LATER = 10_000; // ms until the lines of alerts are loaded, when there are none yet
const LEGEND = 100; // ms between updates of the newest bar's figures

/** One chart in its pane: bars, crosshair, legend, notes, and the same bars as a table. */
export class Chart {
  #frames;
  #parts;
  #feed;
  /** @type {Candles | null} loaded after the page's first paint */
  #candles = null;
  /** @type {import('./alertLines.js').AlertLines | null} */
  #alertLines = null;
  /** @type {BarTable | null} */
  #table = null;
  #closed = false;
  /** @type {import('../../model/barFeed.js').Change | null} changes that are not drawn yet */
  #pending = null;
  #repaintTable = false;
  #times = barTimes('1m');
  /** @type {number | null} the start of the bar under the crosshair */
  #hover = null;
  #keyed = false; // moved there by a key
  /** @type {number | null} the time, in µs, of another chart's crosshair, which this one follows */
  #followed = null;
  #legendAt = -Infinity;
  #widest = 0; // characters of the longest price so far
  #atOldest = false;
  #touched = false; // the user has scrolled
  #alone = true;

  /** @type {Spec} */
  spec = { symbol: '', interval: '1m', kind: 'candles' };

  #name = el('button', { type: 'button', class: 'pane-name' });
  #legend = el('p', { class: 'legend' });
  /** @type {Record<string, HTMLElement>} */
  #cells = {};
  #averages = el('p', { class: 'legend averages' });
  #host = el('div', { class: 'host', role: 'slider', tabindex: '0', 'aria-label': t('chart.loading'), 'aria-valuemin': '0', 'aria-valuemax': '0', 'aria-valuenow': '0' });
  #note = el('p', { class: 'note' });
  #edge = el('p', { class: 'edge', hidden: '' });
  root = el('section', { class: 'pane loading' });

  /**
   * @param {{
   *   frames: Frames, shown: Shown, onFocus: () => void, onCross: (µs: number | null) => void,
   *   alerts: () => import('../alerts/alertsPanel.js').AlertsPanel, record: (symbol: string) => SymbolRecord | undefined, announce: (text: string) => void,
   * }} parts onCross: called when its crosshair moved; record: a symbol's newest quote
   */
  constructor(parts) {
    const { frames, shown, onFocus } = (this.#parts = parts);
    this.#frames = frames;
    this.shown = shown;
    this.#feed = new BarFeed({
      load: fetchHistory,
      changed: (what) => {
        if (this.#pending !== 'first') this.#pending = what === 'last' ? this.#pending ?? what : what;
        frames.request();
      },
    });
    const cell = (/** @type {string} */ name, /** @type {string} */ head) => el('span', {}, el('i', {}, head), (this.#cells[name] = el('b', { class: name })));
    this.#legend.append(cell('time', ''), cell('open', t('chart.legend.open')), cell('high', t('chart.legend.high')), cell('low', t('chart.legend.low')),
      cell('close', t('chart.legend.close')), cell('change', ''), cell('share', ''), cell('volume', t('chart.legend.volume')));
    this.root.append(el('div', { class: 'over' }, this.#name, this.#legend, this.#averages), this.#host, this.#note, this.#edge);
    this.#name.addEventListener('click', onFocus);
    this.root.addEventListener('pointerdown', onFocus);
    for (const name of ['pointerdown', 'wheel', 'keydown']) this.#host.addEventListener(name, () => (this.#touched = true), { passive: true });
    this.root.addEventListener('focusin', onFocus);
    this.root.addEventListener('pointerenter', () => void this.#loadAlertLines());
    this.#host.addEventListener('keydown', (e) => this.#key(e));
    this.#host.addEventListener('blur', () => this.#keyed && this.#cross(null));
    void this.#load();
  }

  get list() {
    return this.#feed.list;
  }

  get tabled() {
    return this.#table !== null;
  }

  /** Whether it waits for other bars, which are drawn even while paused. */
  get fresh() {
    return this.#pending === 'first' || this.#feed.state !== 'ready';
  }

  /** Handles a message of the feed; it needs all of them, in order. @param {import('../../types.js').Message} m */
  take(m) {
    this.#feed.take(m);
  }

  /** @param {Spec} spec */
  show(spec) {
    const before = this.spec;
    if (same(spec, before)) return;
    this.spec = { ...spec };
    this.root.setAttribute('aria-label', this.label);
    this.#host.setAttribute('aria-label', this.label);
    setText(this.#name, this.short);
    if (spec.kind !== before.kind) this.#candles?.configure(this.shown, spec.kind, this.list);
    if (spec.symbol === before.symbol && spec.interval === before.interval) return this.#frames.request();
    if (this.#table) this.table(true);
    this.#hover = null;
    this.#widest = 0;
    this.#touched = false;
    this.#times = barTimes(spec.interval);
    this.#candles?.scale(spec.interval);
    this.refreshInstrument();
    this.#alertLines?.show(spec.symbol);
    if (spec.symbol) this.#feed.show(spec.symbol, spec.interval);
  }

  /** Applies the decimals of its symbol, to be called when the instruments have changed. */
  refreshInstrument() {
    if (!this.#candles?.use(decimals(this.spec.symbol))) return;
    this.#candles.configure(this.shown, this.spec.kind, this.list);
    this.#legendAt = -Infinity;
    this.#repaintTable = true;
  }

  /** Its accessible name. */
  get label() {
    const { symbol, interval, kind } = this.spec;
    return kind === 'line' ? t('chart.description.line', { symbol, interval }) : t('chart.description.candles', { symbol, interval });
  }

  /** Its name on a button. */
  get short() {
    return `${this.spec.symbol} ${this.spec.interval}`;
  }

  /** @param {boolean} focused symbol and interval are chosen for it @param {boolean} alone the only chart */
  mark(focused, alone) {
    this.root.classList.toggle('focused', focused && !alone);
    this.#alone = alone;
    this.#name.hidden = alone;
    this.#candles?.room(alone);
    this.#name.setAttribute('aria-pressed', String(focused));
  }

  /** @param {Shown} shown */
  configure(shown) {
    this.shown = shown;
    this.#candles?.configure(shown, this.spec.kind, this.list);
    this.#legendAt = -Infinity;
    this.#frames.request();
  }

  /** To be called when settings changed. */
  restyle() {
    this.#times = barTimes(this.spec.interval);
    this.#candles?.restyle(this.list);
    this.#legendAt = -Infinity;
    this.#repaintTable = true;
  }

  recolour() {
    this.#candles?.recolour(this.list);
  }

  /** Shows the bars as a table, or as a chart. @param {boolean} on */
  table(on) {
    this.#table?.root.remove();
    this.#table = on ? new BarTable(this.spec.symbol, this.label, () => this.#download()) : null;
    if (this.#table) this.root.append(this.#table.root);
    this.#host.inert = on;
    this.#repaintTable = true;
    this.#frames.request();
  }

  /** Saves the chart as a picture. @param {string} source the kind of data @returns {Promise<string>} the file's name; '' if there is no chart yet */
  async picture(source) {
    const module = await import('./chartPicture.js').catch(() => null);
    if (!module || !this.#candles || !this.list.length) return '';
    const now = Date.now();
    const { symbol, interval } = this.spec;
    const blob = await module.picture(await this.#candles.picture(), this.#host.clientWidth, {
      title: `${symbol}  ${interval}`, time: `${this.#times.exact.format(now)}  ${zoneText(interval, now)}`, source: `${source}  Ticklane`,
      shown: ['sma20', 'sma50', 'ema20'].filter((name) => this.shown[/** @type {keyof Shown} */ (name)]),
    });
    if (!blob) return '';
    const name = pictureName(this.spec, now);
    download(name, blob);
    return name;
  }

  /** Removes the chart. */
  close() {
    this.#closed = true;
    this.#feed.close();
    this.#alertLines?.close();
    this.#candles?.close();
    this.#candles = null;
    this.root.remove();
  }

  /** To be called when alerts changed. */
  refreshAlerts() {
    if (this.#alertLines) this.#alertLines.refresh();
    else if (this.#parts.alerts().alerts.list.length) void this.#loadAlertLines();
  }

  /** @param {number} now performance.now() */
  paint(now) {
    const pending = this.#pending;
    if (this.#candles && pending) {
      this.#pending = null;
      if (pending === 'last') this.#candles.follow(this.list);
      else this.#candles.draw(this.list, pending === 'first');
    }
    this.#candles?.day(this.#parts.record(this.spec.symbol));
    this.#alertLines?.paint();
    if (pending && this.#followed !== null) this.follow(this.#followed);
    if (this.#hover !== null || now - this.#legendAt >= LEGEND) {
      this.#legendAt = now;
      this.#paintLegend();
      this.#paintNotes();
    }
    if (this.#table && (pending || this.#repaintTable)) {
      this.#table.paint(this.list, this.#repaintTable || pending !== 'last', (µs) => this.#times.moment.format(µs / 1000));
      this.#repaintTable = false;
    }
  }

  /** Loads the chart library, which is three quarters of the page's code; nothing else depends on it. */
  async #load() {
    try {
      const { Candles } = await import('./candles.js');
      if (this.#closed) return;
      this.#candles = new Candles(this.#host, this.shown, this.spec.kind, decimals(this.spec.symbol), {
        hover: (µs, moved) => {
          if (moved || this.#followed === null) this.#hovered(µs); // else the bars moved under another chart's crosshair
        },
        scrolled: (first) => this.#scrolled(first),
        label: (name) => t(`chart.day.${name}`),
      });
      this.#candles.scale(this.spec.interval);
      this.#candles.room(this.#alone);
      this.#pending = 'first';
      this.#frames.request();
      if (this.#parts.alerts().alerts.list.length) void this.#loadAlertLines();
      setTimeout(() => void this.#loadAlertLines(), LATER);
    } catch {
      setTimeout(() => this.#closed || this.#load(), 5000);
    }
  }

  /** Loads the lines of alerts: at once if there are alerts, else when a pointer enters the chart, or later. */
  async #loadAlertLines() {
    const module = await import('./alertLines.js').catch(() => null);
    const { alerts, record, announce } = this.#parts;
    if (!module || !this.#candles || this.#alertLines) return;
    this.#alertLines = new module.AlertLines({ host: this.#host, root: this.root, candles: this.#candles, panel: alerts(), record, announce });
    this.#alertLines.show(this.spec.symbol);
  }

  /** Moves the crosshair to the bar of another chart's, without scrolling. @param {number | null} µs a time in that bar; null removes it */
  follow(µs) {
    const k = µs === null ? -1 : this.#feed.bars.find(µs + 1) - 1;
    const b = this.list[k] ?? null;
    this.#followed = µs;
    this.#candles?.mirror(b, k);
    this.#hover = b?.t ?? null;
    this.#keyed = false;
    this.#legendAt = -Infinity;
    this.#frames.request();
  }

  /** @param {number | null} µs */
  #hovered(µs) {
    this.#followed = null;
    this.#parts.onCross(µs);
    this.#hover = µs;
    this.#keyed &&= µs !== null;
    this.#legendAt = -Infinity;
    this.#frames.request();
  }

  /** @param {number} first */
  #scrolled(first) {
    this.#atOldest = first < 1;
    if (first < NEAR) void this.#feed.older();
    this.#frames.request();
  }

  #paintLegend() {
    const { bars, list } = this.#feed;
    const k = this.#hover === null ? list.length - 1 : bars.find(this.#hover);
    const b = list[k];
    this.#legend.hidden = this.#averages.hidden = !b;
    if (!b) return;
    const places = decimals(this.spec.symbol);
    const before = list[k - 1]?.c ?? b.o;
    const change = difference(b.c, before, places);
    const share = changePercent(change, before);
    const text = {
      ...this.#figures(b), change: signed(change, places), share: Number.isNaN(share) ? '' : `(${percent(share).replace(/^[▲▼] /, '')})`,
    };
    for (const [name, value] of Object.entries(text)) setText(/** @type {HTMLElement} */ (this.#cells[name]), value);
    if (text.high.length > this.#widest) {
      this.#widest = text.high.length;
      this.#legend.style.setProperty('--price', `${this.#widest}ch`);
    }
    for (const name of ['change', 'share']) /** @type {HTMLElement} */ (this.#cells[name]).className = `${name} ${changeClass(change, places)}`;
    const averages = this.#candles?.averagesAt(b.t, k === list.length - 1) ?? [];
    if (averages.length !== this.#averages.childElementCount || averages.some(({ name }, i) => this.#averages.children[i]?.className !== name)) {
      this.#averages.replaceChildren(...averages.map(({ name }) => el('span', { class: name }, el('i', {}, t(`chart.show.${name}`)), el('b'))));
    }
    averages.forEach(({ value }, i) => setText(/** @type {Node} */ (this.#averages.children[i]?.lastChild), price(value, places)));
  }

  /** A bar's time, prices and volume as texts. @param {import('../../model/bars.js').Bar} b */
  #figures(b) {
    const text = (/** @type {number} */ x) => price(x, decimals(this.spec.symbol));
    return {
      time: this.#times.moment.format(b.t / 1000), open: text(b.o), high: text(b.h), low: text(b.l), close: text(b.c),
      volume: volume(b.v, sizeDecimals(this.spec.symbol)),
    };
  }

  #paintNotes() {
    const { state, list, end, loadingOlder, retryAt } = this.#feed;
    const empty = list.length === 0;
    const loading = state === 'loading' || (empty && !this.#candles);
    this.root.classList.toggle('loading', loading);
    this.#note.classList.toggle('corner', !empty);
    const note = loading ? t('chart.loading') : state === 'failed' ? t('chart.failed', { when: countdown(retryAt - Date.now()) }) : empty ? t('chart.none', { symbol: this.spec.symbol }) : '';
    setText(this.#note, note);
    this.#note.hidden = note === '';
    const edge = loadingOlder ? t('chart.older') : this.#touched && this.#atOldest && end && !empty ? t('chart.oldest') : '';
    setText(this.#edge, edge);
    this.#edge.hidden = edge === '' || this.tabled;
    this.#host.setAttribute('aria-valuemax', String(Math.max(0, list.length - 1)));
    if (this.#hover === null) this.#setValueText(list.length - 1);
  }

  /** Sets the text of a bar for screen readers. @param {number} k */
  #setValueText(k) {
    const b = this.list[k];
    // While the chart has the focus, only keys change it: the newest bar changes with every tick.
    if (!b || (!this.#keyed && this.#host.hasAttribute('aria-valuetext') && document.activeElement === this.#host)) return;
    const text = t('chart.bar.description', this.#figures(b));
    if (this.#host.getAttribute('aria-valuetext') === text) return;
    this.#host.setAttribute('aria-valuenow', String(k));
    this.#host.setAttribute('aria-valuetext', text);
  }

  /** @param {KeyboardEvent} e */
  #key(e) {
    if (!this.#candles || e.ctrlKey || e.metaKey || e.altKey || !this.list.length) return;
    const newest = this.list.length - 1;
    const at = this.#hover === null ? newest : this.#feed.bars.find(this.#hover);
    const by = e.shiftKey ? 10 : 1;
    switch (e.key) {
      case 'ArrowLeft': this.#cross(at - by); break;
      case 'ArrowRight': this.#cross(at + by); break;
      case 'PageUp': this.#cross(at - 50); break;
      case 'PageDown': this.#cross(at + 50); break;
      case 'Home': this.#cross(0); break;
      case 'End': this.#cross(newest); break;
      case '+': case '=': this.#candles.zoom(1.25); break;
      case '-': this.#candles.zoom(0.8); break;
      case 'Escape':
        this.#cross(null);
        this.#candles.home();
        break;
      default: return;
    }
    e.preventDefault();
  }

  /** @param {number | null} k */
  #cross(k) {
    const at = k === null ? -1 : Math.max(0, Math.min(this.list.length - 1, k));
    const b = this.list[at] ?? null;
    this.#candles?.cross(b, at);
    this.#hovered(b?.t ?? null);
    this.#keyed = b !== null;
    if (b) this.#setValueText(at);
  }

  #download() {
    const { symbol, interval } = this.spec;
    download(`${fileName(symbol)}-${interval}.csv`, csv(symbol, this.list));
  }
}

