import { address, request } from '../../browser/http.js';
import { dates } from '../../model/formats.js';
import { t } from '../../text.js';
import { byId, el, part, setText, svg } from '../../ui/common/dom.js';
import { upgrade } from '../core/loadReport.js';
import { FIGURES, trend } from '../core/trend.js';
import { differences, status } from './conditions.js';
import { figure } from './reportTable.js';
import { dashes, draw, point } from './trendPlot.js';

/** @import { Column, Named, Trend } from '../core/trend.js' */

const MOST = 60; // reports that are read, the newest: each has 50 to 200 kB
const AT_ONCE = 4;
const HEIGHT = 300; // px

/** A figure over the reports of the folder, as a plot and a table. */
export class TrendPanel {
  #panel = part('trend');
  #select = byId('trend-figure', HTMLSelectElement);
  #plot = part('trend-plot');
  #table = part('trend-table');
  #names;
  /** @type {Named[]} */
  #reports = [];
  #unread = 0;
  /** @type {Trend | null} */
  #trend = null;
  /** Keys of lines that are not shown. @type {Set<string>} */
  #hidden = new Set();

  /** @param {{ names: readonly string[], figure: string, onChange: (figure: string) => void }} parts names: of reports, newest first */
  constructor({ names, figure: first, onChange }) {
    this.#names = names;
    this.#select.replaceChildren(...FIGURES.map((key) => el('option', { value: key }, t(key === 'lost' ? 'reports.trend.lost' : `reports.metric.${key}`))));
    this.#select.value = FIGURES.some((f) => f === first) ? first : 'latency_p99';
    this.#select.addEventListener('change', () => {
      onChange(this.#select.value);
      this.paint();
    });
    part('trend-key').addEventListener('click', (e) => {
      const button = e.target instanceof Element ? e.target.closest('button') : null;
      const key = button?.dataset.line;
      if (!button || key === undefined) return;
      if (!this.#hidden.delete(key)) this.#hidden.add(key);
      button.setAttribute('aria-pressed', String(!this.#hidden.has(key)));
      this.#draw();
    });
    new ResizeObserver(() => this.#draw()).observe(this.#plot);
    // Reading many reports takes time, so it begins when the panel is in sight.
    new IntersectionObserver((entries, observer) => {
      if (!entries.some((e) => e.isIntersecting)) return;
      observer.disconnect();
      void this.#load();
    }).observe(this.#panel);
  }

  async #load() {
    const names = this.#names.slice(0, MOST);
    const queue = [...names];
    const progress = el('p', { class: 'no-data' });
    const show = (/** @type {number} */ done) => setText(progress, t('reports.trend.reading', { done, n: names.length }));
    let done = 0;
    show(done);
    this.#plot.replaceChildren(progress);
    const reader = async () => {
      for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
        const report = await read(name);
        if (report) this.#reports.push({ name, report });
        else this.#unread++;
        show(++done);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, reader));
    this.paint();
  }

  /** Shows the chosen figure, in the current formats. */
  paint() {
    if (this.#reports.length + this.#unread < Math.min(MOST, this.#names.length)) return; // still loading
    const of = trend(this.#reports, this.#select.value);
    this.#trend = of;
    const name = this.#select.selectedOptions[0]?.textContent ?? '';
    setText(part('trend-unit'), of.unit);
    setText(part('trend-note'), this.#note(of));
    const patterns = dashes(of.lines);
    part('trend-key').replaceChildren(...of.lines.map((l, k) => el(
      'button', { type: 'button', class: `line l-${l.lane}`, 'data-line': l.key, 'aria-pressed': String(!this.#hidden.has(l.key)) },
      svg('svg', { viewBox: '0 0 26 10', width: '26', height: '10', 'aria-hidden': 'true' }, svg('line', { class: 'join', x1: '0', x2: '26', y1: '5', y2: '5', 'stroke-dasharray': patterns[k] ?? '' }), point(l.lane, 13, 5)),
      el('span', {}, l.name),
    )));
    this.#plot.setAttribute('aria-label', t('reports.trend.description', { figure: name, n: of.columns.length }));
    this.#fill(of);
    this.#draw();
  }

  #draw() {
    const of = this.#trend;
    const width = this.#plot.clientWidth;
    if (!of || width < 100) return;
    const size = { width: String(width), height: String(HEIGHT), viewBox: `0 0 ${width} ${HEIGHT}`, 'aria-hidden': 'true' };
    this.#plot.replaceChildren(...(of.columns.length ? [svg('svg', size, ...draw(of, width, HEIGHT, this.#hidden))] : [el('p', { class: 'no-data' }, t('reports.trend.none'))]));
  }

  /** What the plot leaves out, and what its gaps mean. @param {Trend} of */
  #note(of) {
    return [
      t('reports.trend.note'),
      this.#names.length > MOST && t('reports.trend.newest', { most: MOST, n: this.#names.length }),
      of.without > 0 && t('reports.trend.without', { n: of.without }),
      this.#unread > 0 && t('reports.trend.unread', { n: this.#unread }),
    ].filter(Boolean).join(' ');
  }

  /** @param {Trend} of */
  #fill({ columns, lines }) {
    const when = dates({ dateStyle: 'medium', timeStyle: 'short' });
    const heads = [t('reports.name'), t('reports.when'), ...lines.map((l) => el('span', { class: `l-${l.lane}` }, l.name)), t('reports.trend.changed')];
    const row = (/** @type {Column} */ c, /** @type {Column | undefined} */ before) => el('tr', {},
      el('th', { scope: 'row' }, el('a', { href: address(`/reports/${encodeURIComponent(c.name)}.html`) }, c.name), c.report.status === 'complete' ? '' : el('small', { class: 'warn' }, status(c.report.status))),
      el('td', { class: 'nowrap' }, when.format(Date.parse(c.report.started))),
      ...c.values.map(cell), el('td', { class: 'changed' }, before ? changed(before, c) : ''));
    this.#table.replaceChildren(
      el('thead', {}, el('tr', {}, ...heads.map((h, k) => el('th', { scope: 'col', class: k > 1 && k < heads.length - 1 ? 'num' : '' }, h)))),
      el('tbody', {}, ...columns.map((c, k) => row(c, columns[k - 1])).reverse()),
    );
  }
}

/** A report in the current schema; null when it cannot be read. @param {string} name @returns {Promise<import('../core/trend.js').Report | null>} */
async function read(name) {
  try {
    const response = await request(`/reports/${encodeURIComponent(name)}.json`, { cache: 'no-cache' });
    const report = response.ok ? upgrade(await response.json()) : null;
    return report && Array.isArray(report.variants) && !Number.isNaN(Date.parse(report.started)) ? report : null;
  } catch {
    return null;
  }
}

/** A figure with its range; one that was not measured, or whose variant the report does not have. @param {Column['values'][0]} v */
function cell(v) {
  if (v === undefined) return el('td', { class: 'num' });
  if (v === null) return el('td', { class: 'num faint' }, t('reports.trend.unmeasured'));
  const range = v.min === v.max ? '' : `${figure(v.min)}–${figure(v.max)}`;
  return el('td', { class: 'num nowrap' }, figure(v.median), ' ', el('small', { class: 'faint' }, range));
}

/** What differs from the report before, besides its status. @param {Column} before @param {Column} now */
function changed(before, now) {
  const complete = (/** @type {Column} */ c) => /** @type {any} */ ({ ...c.report, status: 'complete' });
  return differences(complete(before), complete(now)).join(t('reports.comma'));
}
