import { arrow, price, signed, volume } from '../../model/formats.js';
import { decimals, sizeDecimals } from '../../model/instruments.js';
import { difference } from '../../model/units.js';
import { t } from '../../text.js';
import { el, setText } from '../common/dom.js';

/** @import { Bar } from '../../model/bars.js' */

const ROWS = 200; // the CSV has all bars

/** A chart's bars as a table, the newest first. */
export class BarTable {
  #count = el('span', { class: 'faint' });
  #body = el('tbody');
  /** @type {HTMLElement[][]} cells by row */
  #rows = [];
  #newest = NaN; // the start of the bar in the first row
  #symbol;

  /** @param {string} symbol @param {string} name of the table @param {() => void} onCSV */
  constructor(symbol, name, onCSV) {
    this.#symbol = symbol;
    const csv = el('button', { type: 'button', class: 'button' }, t('chart.csv'));
    csv.addEventListener('click', onCSV);
    const heads = [t('chart.bar.time'), t('chart.bar.open'), t('chart.bar.high'), t('chart.bar.low'), t('chart.bar.close'), t('chart.bar.change'), t('chart.bar.volume')];
    const table = el('table', {}, el('caption', { class: 'visually-hidden' }, name), el('thead', {}, el('tr', {}, ...heads.map((h) => el('th', { scope: 'col' }, h)))), this.#body);
    this.root = el('div', { class: 'bars' }, el('div', { class: 'bars-head' }, this.#count, el('span', { class: 'sp' }), csv),
      el('div', { class: 'bars-box', role: 'region', tabindex: '0', 'aria-label': name }, table));
  }

  /**
   * @param {readonly Bar[]} bars @param {boolean} all repaints all rows: the bars or the format changed
   * @param {(µs: number) => string} moment
   */
  paint(bars, all, moment) {
    const n = Math.min(ROWS, bars.length);
    const places = decimals(this.#symbol);
    const newest = bars.at(-1)?.t ?? NaN;
    const every = all || newest !== this.#newest || n !== this.#rows.length;
    this.#newest = newest;
    while (this.#rows.length > n) {
      this.#rows.pop();
      this.#body.lastElementChild?.remove();
    }
    while (this.#rows.length < n) {
      const cells = [el('th', { scope: 'row' }), ...Array.from({ length: 6 }, () => el('td'))];
      this.#rows.push(cells);
      this.#body.append(el('tr', {}, ...cells));
    }
    for (let row = 0; row < (every ? n : Math.min(n, 1)); row++) {
      const k = bars.length - 1 - row;
      const b = /** @type {Bar} */ (bars[k]);
      const change = difference(b.c, bars[k - 1]?.c ?? b.o, places);
      const values = [moment(b.t), ...[b.o, b.h, b.l, b.c].map((x) => price(x, places)), signed(change, places), volume(b.v, sizeDecimals(this.#symbol))];
      values.forEach((text, i) => setText(/** @type {HTMLElement} */ (this.#rows[row]?.[i]), text));
      const cell = this.#rows[row]?.[5];
      if (cell) cell.className = changeClass(change, places);
    }
    setText(this.#count, t('chart.table.count', { n, of: bars.length }));
  }
}

/** The class of a change: its direction. @param {number} change @param {number} places decimals with which it is displayed */
export function changeClass(change, places) {
  const mark = arrow(change, places);
  return mark === '' ? 'faint' : mark === '▲' ? 'up' : 'down';
}

/** Bars as CSV: the oldest first, times in UTC (ISO 8601), plain numbers. @param {string} symbol @param {readonly Bar[]} bars */
export function csv(symbol, bars) {
  const [places, sizePlaces] = [decimals(symbol), sizeDecimals(symbol)];
  const rows = bars.map((b) => [new Date(b.t / 1000).toISOString().replace('.000Z', 'Z'), ...[b.o, b.h, b.l, b.c].map((p) => p.toFixed(places)), b.v.toFixed(sizePlaces)]);
  return [['time', 'open', 'high', 'low', 'close', 'volume'], ...rows, []].map((row) => row.join(',')).join('\r\n');
}
