// The alerts of a chart's symbol as lines, loaded with the chart library.
import { levelError, levelPlaces, parseLevel, rises } from '../../model/alerts.js';
import { alertAt, leastPrice, linePrice, movedTo, nearest } from '../../model/chartAlerts.js';
import { t } from '../../text.js';
import { condition, errorText } from '../alerts/alertText.js';
import { openAlertEditor } from './alertEditor.js';

/** @import { SymbolRecord } from '../../types.js' */
/** @import { Alert } from '../../model/alerts.js' */
/** @import { Candles, Level } from './candles.js' */
/** @import { AlertsPanel } from '../alerts/alertsPanel.js' */
/** @typedef {{ id: string, y: number, price: number, moved: boolean }} Drag id: '' for an alert that does not exist yet; y: where it began */

const NEW = ''; // id of the line of an alert that does not exist yet
const STILL = 3; // px that a click may move

/**
 * A click on the price axis, or a line drawn out of it, begins an alert; a line is dragged to another price, and clicked to
 * edit or remove its alert. Keys do the same in the dialog and in the list of alerts.
 */
export class AlertLines {
  #host;
  #root;
  #candles;
  #panel;
  #record;
  #announce;
  #symbol = '';
  #close = NaN; // of the day before, with which the lines were drawn
  /** @type {Drag | null} */
  #drag = null;
  #shut = () => {}; // closes the editor
  #listening = new AbortController();

  /** @param {{ host: HTMLElement, root: HTMLElement, candles: Candles, panel: AlertsPanel, record: (symbol: string) => SymbolRecord | undefined, announce: (text: string) => void }} parts */
  constructor({ host, root, candles, panel, record, announce }) {
    this.#host = host;
    this.#root = root;
    this.#candles = candles;
    this.#panel = panel;
    this.#record = record;
    this.#announce = announce;
    const { signal } = this.#listening;
    host.addEventListener('pointerdown', (e) => this.#down(e), { signal, capture: true });
    host.addEventListener('pointermove', (e) => this.#move(e), { signal, passive: true });
    host.addEventListener('pointerup', () => this.#up(), { signal });
    for (const type of ['pointercancel', 'lostpointercapture']) host.addEventListener(type, () => this.#cancel(), { signal });
    document.addEventListener('keydown', (e) => {
      if (e.key !== 'Escape' || !this.#drag) return;
      e.stopPropagation();
      this.#cancel();
    }, { signal, capture: true });
    host.addEventListener('pointerleave', () => this.#root.classList.remove('over-line', 'over-axis'), { signal });
    // The library must not scroll meanwhile, nor the page.
    for (const type of ['mousedown', 'touchstart']) {
      host.addEventListener(type, (e) => {
        if (!this.#drag) return;
        e.stopPropagation();
        e.preventDefault();
      }, { signal, capture: true, passive: false });
    }
  }

  close() {
    this.#listening.abort();
    this.#shut();
  }

  /** @param {string} symbol */
  show(symbol) {
    this.#symbol = symbol;
    this.#drag = null;
    this.#shut();
    this.refresh();
  }

  /** To be called for each frame: a day's alert moves with the last close. */
  paint() {
    const close = this.#record(this.#symbol)?.c ?? NaN;
    if (!Object.is(close, this.#close)) this.refresh();
  }

  /** Draws the lines, to be called when alerts changed. */
  refresh() {
    this.#close = this.#record(this.#symbol)?.c ?? NaN;
    const lines = this.#lines();
    const drag = this.#drag;
    if (drag && (drag.moved || drag.id === NEW)) {
      const line = lines.find(({ id }) => id === drag.id);
      if (line) line.price = drag.price;
      else lines.push({ id: NEW, price: drag.price, title: t('chart.alert.new'), quiet: false });
    }
    this.#candles.levels(lines);
  }

  /** @returns {Level[]} */
  #lines() {
    return this.#panel.alerts.list.filter((a) => a.S === this.#symbol).map((a) => ({
      id: a.id, price: linePrice(a, this.#close), quiet: a.done, title: t(a.done ? 'chart.alert.done' : rises(a) ? 'chart.alert.above' : 'chart.alert.below'),
    })).filter(({ price }) => this.#possible(price));
  }

  /** Reports whether the symbol may have a price. @param {number} price NaN when unknown */
  #possible(price) {
    return Number.isFinite(price) && price >= leastPrice(this.#symbol);
  }

  /** Where a pointer is. @param {PointerEvent} e */
  #at(e) {
    const box = this.#host.getBoundingClientRect();
    const y = e.clientY - box.top;
    const { axis, height } = this.#candles.size;
    const inside = y >= 0 && y < height;
    const line = inside ? nearest(this.#lines(), y, e.pointerType === 'touch' ? 12 : 4, (price) => this.#candles.yOf(price)) : undefined;
    return { y, line, onAxis: inside && e.clientX >= box.right - axis };
  }

  /** @param {PointerEvent} e */
  #down(e) {
    if (e.button !== 0 || !e.isPrimary) return;
    const { y, line, onAxis } = this.#at(e);
    const price = this.#candles.priceAt(y);
    if ((!line && !onAxis) || !this.#possible(price) || !this.#record(this.#symbol)) return;
    this.#shut();
    this.#drag = { id: line?.id ?? NEW, y, price, moved: false };
    this.#host.setPointerCapture(e.pointerId);
    this.refresh();
  }

  /** @param {PointerEvent} e */
  #move(e) {
    const { y, line, onAxis } = this.#at(e);
    this.#root.classList.toggle('over-line', line !== undefined || this.#drag !== null);
    this.#root.classList.toggle('over-axis', onAxis);
    const drag = this.#drag;
    if (!drag) return;
    drag.moved ||= Math.abs(y - drag.y) > STILL;
    const price = this.#candles.priceAt(y);
    if (!drag.moved || !this.#possible(price)) return;
    drag.price = price;
    this.refresh();
  }

  #up() {
    const drag = this.#drag;
    const r = this.#record(this.#symbol);
    this.#drag = null;
    if (!drag || !r) return;
    const alert = this.#panel.alerts.find(drag.id);
    if (alert && drag.moved) this.#edit(alert, movedTo(alert, drag.price, r.p, r.c));
    else if (alert) this.#open(alert);
    else if (drag.id === NEW) this.#begin(drag);
    if (drag.id !== NEW) this.refresh();
  }

  #cancel() {
    if (!this.#drag) return;
    this.#drag = null;
    this.refresh();
  }

  /** @param {Readonly<Alert>} alert @param {{ kind?: Alert['kind'], level: number }} patch */
  #edit(alert, patch) {
    this.#panel.alerts.edit(alert.id, patch);
    this.#announce(t('alert.set', { what: condition({ ...alert, ...patch }) }));
  }

  /** Opens the editor of an alert. @param {Readonly<Alert>} alert */
  #open(alert) {
    const at = linePrice(alert, this.#close);
    const { S, id, kind } = alert;
    this.#shut = openAlertEditor(this.#root, {
      y: this.#candles.yOf(at), right: this.#candles.size.axis + 4, level: alert.level, decimals: levelPlaces(alert), fresh: false,
      label: t(kind === 'day' ? 'alert.percent' : 'alert.level'),
      save: (text) => {
        const level = parseLevel(text);
        const wrong = levelError({ S, kind, level });
        if (wrong) return errorText(wrong, alert);
        this.#edit(alert, kind === 'day' ? { level } : alertAt(S, level, this.#record(S)?.p ?? NaN));
        return '';
      },
      more: () => void this.#panel.edit(id),
      remove: () => {
        this.#panel.alerts.remove(id);
        this.#announce(t('chart.alert.removed', { what: condition(alert) }));
      },
      closed: (focused) => focused && this.#host.focus({ preventScroll: true }),
    });
  }

  /** Opens the editor of an alert that does not exist yet, whose line stays until the editor is closed. @param {Drag} drag */
  #begin(drag) {
    this.#drag = null;
    const S = this.#symbol;
    const fields = (/** @type {number} */ level) => ({ S, ...alertAt(S, level, this.#record(S)?.p ?? NaN), minutes: 0, every: false });
    this.#candles.levels([...this.#lines(), { id: NEW, price: drag.price, title: t('chart.alert.new'), quiet: false }]);
    this.#shut = openAlertEditor(this.#root, {
      y: this.#candles.yOf(drag.price), right: this.#candles.size.axis + 4, level: fields(drag.price).level, decimals: levelPlaces(fields(drag.price)), fresh: true, label: t('alert.level'),
      save: (text) => {
        const level = parseLevel(text);
        const wrong = levelError({ ...fields(level), level });
        if (wrong) return errorText(wrong, fields(level));
        const alert = this.#panel.alerts.create(fields(level));
        if (!alert) return t('alert.error.many', { n: this.#panel.alerts.list.length });
        this.#announce(t('alert.set', { what: condition(alert) }));
        return '';
      },
      more: () => void this.#panel.make(S, fields(drag.price)),
      remove: () => {},
      closed: (focused) => {
        this.refresh();
        if (focused) this.#host.focus({ preventScroll: true });
      },
    });
  }
}
