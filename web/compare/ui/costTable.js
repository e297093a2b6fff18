import { count, rounded } from '../../model/formats.js';
import { t } from '../../text.js';
import { el, part, setText } from '../../ui/common/dom.js';
import { inlineCode } from './inlineCode.js';
import { address, getJSON } from '../../browser/http.js';
import { costs } from '../core/costs.js';
import { upgrade } from '../core/loadReport.js';

const MAX_REPORTS = 3; // reports to read, newest first: they are large, and this page is measuring
const LANES = /** @type {const} */ (['sse', 'ws']);

/** Engines × lanes from the newest load report: costs that a browser cannot measure. */
export class CostTable {
  #table = part('costs');
  #note = part('costs-note');

  async load() {
    try {
      const { reports } = await getJSON('/api/reports');
      const named = reports.filter((/** @type {{ json: boolean }} */ r) => r.json).slice(0, MAX_REPORTS);
      for (const { name } of named) {
        const found = costs(upgrade(await getJSON(`/reports/${encodeURIComponent(name)}.json`)));
        if (found) return this.#show(name, found);
      }
    } catch (err) {
      // Otherwise treated like no report.
      if (/** @type {{ status?: number }} */ (err).status === 403) return setText(this.#note, t('compare.cost.denied'));
    }
    this.#note.replaceChildren(...inlineCode(t('compare.cost.none')));
  }

  /** @param {string} name @param {import('../core/costs.js').Costs} p */
  #show(name, { headline, started, figures, engines }) {
    const heads = figures.map((f) => el('th', { scope: 'col' }, t(`compare.cost.${f.key}`, { unit: f.unit })));
    const rows = engines.map((e) => el('tr', {},
      el('th', { scope: 'row' }, e.name),
      ...e.cells.map((cell, k) => el('td', {}, ...LANES.map((lane) => bar(lane, cell[lane], figures[k]?.most ?? 0))))));
    this.#table.replaceChildren(el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, t('compare.cost.engine')), ...heads)), el('tbody', {}, ...rows));
    // Reports are in English.
    this.#note.replaceChildren(el('span', { lang: 'en' }, headline), ' ', el('a', { href: address(`/reports/${encodeURIComponent(name)}.html`) }, t('compare.cost.report', { day: started.slice(0, 10) })));
  }
}

/** @param {'sse' | 'ws'} lane @param {import('../core/costs.js').Range | null} range @param {number} most */
function bar(lane, range, most) {
  const name = lane === 'sse' ? 'SSE' : 'WS';
  if (!range) return el('span', { class: `cost l-${lane}` }, el('b', {}, name), el('span', { class: 'faint' }, '–'));
  const full = el('i', { 'aria-hidden': 'true' });
  full.style.width = `${((100 * range.median) / (most || 1)).toFixed(1)}%`;
  return el('span', { class: `cost l-${lane}`, title: t('compare.cost.range', { min: figure(range.min), max: figure(range.max) }) }, el('b', {}, name), el('span', { class: 'cost-bar' }, full), el('span', { class: 'num' }, figure(range.median)));
}

/** Three significant digits in the chosen number format. @param {number} x */
const figure = (x) => (x >= 99.5 ? count(x) : rounded(x, x >= 9.995 ? 1 : x >= 0.9995 ? 2 : 3));
