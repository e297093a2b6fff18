import { count, rounded } from '../../model/formats.js';
import { t } from '../../text.js';
import { el, part } from '../../ui/common/dom.js';
import { coded } from './inlineCode.js';
import { getJSON } from '../../browser/http.js';
import { prices } from '../core/costs.js';

const TRIED = 3; // reports, the newest first: each holds histograms, and this page measures meanwhile
const LANES = /** @type {const} */ (['sse', 'ws']);

/** Engines × lanes by the newest report of the load tester: what one browser can't measure, since both lanes share a server. */
export class PriceTable {
  #table = part('prices');
  #note = part('prices-note');

  async load() {
    try {
      const { reports } = await getJSON('/api/reports');
      const named = reports.filter((/** @type {{ json: boolean }} */ r) => r.json).slice(0, TRIED);
      for (const { name } of named) {
        const found = prices(await getJSON(`/reports/${encodeURIComponent(name)}.json`));
        if (found) return this.#show(name, found);
      }
    } catch {
      // A report that can't be read is as good as none.
    }
    this.#note.replaceChildren(...coded(t('compare.cost.none')));
  }

  /** @param {string} name @param {import('../core/costs.js').Prices} p */
  #show(name, { headline, started, figures, engines }) {
    const heads = figures.map((f) => el('th', { scope: 'col' }, t(`compare.cost.${f.key}`, { unit: f.unit })));
    const rows = engines.map((e) => el('tr', {},
      el('th', { scope: 'row' }, e.name),
      ...e.cells.map((cell, k) => el('td', {}, ...LANES.map((lane) => bar(lane, cell[lane], figures[k]?.most ?? 0))))));
    this.#table.replaceChildren(el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, t('compare.cost.engine')), ...heads)), el('tbody', {}, ...rows));
    // The report speaks English.
    this.#note.replaceChildren(el('span', { lang: 'en' }, headline), ' ', el('a', { href: `/reports/${encodeURIComponent(name)}.html` }, t('compare.cost.report', { day: started.slice(0, 10) })));
  }
}

/** @param {'sse' | 'ws'} lane @param {import('../core/costs.js').Range | null} range @param {number} most */
function bar(lane, range, most) {
  const name = lane === 'sse' ? 'SSE' : 'WS';
  if (!range) return el('span', { class: `price l-${lane}` }, el('b', {}, name), el('span', { class: 'faint' }, '–'));
  const full = el('i', { 'aria-hidden': 'true' });
  full.style.width = `${((100 * range.median) / (most || 1)).toFixed(1)}%`;
  return el('span', { class: `price l-${lane}`, title: t('compare.cost.range', { min: figure(range.min), max: figure(range.max) }) }, el('b', {}, name), el('span', { class: 'price-bar' }, full), el('span', { class: 'num' }, figure(range.median)));
}

/** In three figures, as the settings have them. @param {number} x */
const figure = (x) => (x >= 99.5 ? count(x) : rounded(x, x >= 9.995 ? 1 : x >= 0.9995 ? 2 : 3));
