import { count, rounded } from '../../model/formats.js';
import { t } from '../../text.js';
import { el, part, setText } from '../../ui/common/dom.js';
import { byteDifference, difference, ms, pace, perTick, quote } from './formats.js';

/** @typedef {import('../core/types.js').Result} Result */
/** @typedef {import('../core/types.js').SideResult} SideResult */
/** @typedef {import('../core/types.js').Estimate} Estimate */
/** @typedef {{ text: string, error?: string, noise?: boolean, strong?: boolean }} Delta */

/**
 * @typedef {object} Row
 * @property {string} id part of its key in the catalogue
 * @property {boolean} [title] whether it has a tooltip
 * @property {string} [kind] class of the row
 * @property {boolean} [spread] whether its difference has an error
 * @property {(side: SideResult, result: Result) => string} [of] a side's figure
 * @property {(result: Result) => string} [both] a figure for both sides
 * @property {(result: Result) => Delta} delta
 */

const none = { text: '–', noise: true };

/** The size below which a difference is noise for other causes than its error. @param {Result} r */
const least = ({ noise }) => (noise.from === 'interval' || !Number.isFinite(noise.value) ? 0 : noise.value);

/** @param {keyof Result['differences']} metric @returns {Row['delta']} */
const ofQuantile = (metric) => (r) => {
  const d = difference(r.differences[metric], least(r));
  return { ...d, strong: !d.noise };
};

/** @param {keyof import('../core/types.js').ByteCost} key @returns {Row['delta']} */
const ofBytes = (key) => ({ sides: [a, b] }) => {
  const text = byteDifference(a.bytes[key] - b.bytes[key]);
  return { text, strong: text !== '0' && text !== '–', noise: text === '0' || text === '–' };
};

/** Rates of the same feed differ by up to 1 % for the second in which they were read. @param {(side: SideResult) => number} of @returns {Row['delta']} */
const ofPace = (of) => ({ sides: [a, b], measuredMs }) => {
  const d = of(a) - of(b);
  if (!Number.isFinite(d) || measuredMs === 0) return none;
  const noise = Math.abs(d) <= 0.01 * Math.max(of(a), of(b));
  return { text: noise ? t('compare.delta.none') : `${d < 0 ? '−' : '+'}${pace(Math.abs(d))}`, noise, strong: !noise };
};

/** @type {Row[]} */
const ROWS = [
  { id: 'p50', title: true, spread: true, of: (s, r) => ms(s.latency.p50, r.clock.error), delta: ofQuantile('p50') },
  { id: 'p90', kind: 'sub', spread: true, of: (s, r) => ms(s.latency.p90, r.clock.error), delta: ofQuantile('p90') },
  { id: 'p99', kind: 'sub', spread: true, of: (s, r) => ms(s.latency.p99, r.clock.error), delta: ofQuantile('p99') },
  { id: 'p999', kind: 'sub', of: (s, r) => ms(s.latency.p999, r.clock.error), delta: () => none },
  { id: 'max', kind: 'sub', of: (s, r) => ms(s.latency.max, r.clock.error), delta: () => none },
  { id: 'paint', title: true, spread: true, of: (s) => ms(s.paint.p50), delta: ofQuantile('paint50') },
  {
    id: 'same', title: true, spread: true,
    both: (r) => t('compare.pairs', { n: r.pairs.count }),
    delta: (r) => {
      const d = difference(r.pairs.typical, least(r));
      return { ...d, strong: !d.noise };
    },
  },
  { id: 'wire', kind: 'group', title: true, of: (s) => perTick(s.bytes.wire), delta: ofBytes('wire') },
  { id: 'payload', kind: 'sub', title: true, of: (s) => perTick(s.bytes.payload), delta: ofBytes('payload') },
  { id: 'framing', kind: 'sub', title: true, of: (s) => perTick(s.bytes.framing), delta: ofBytes('framing') },
  { id: 'id', kind: 'sub', title: true, of: (s) => (s.lane === 'ws' ? '–' : perTick(s.bytes.wire > 0 ? s.bytes.id : NaN)), delta: (r) => (r.sides.every((s) => s.bytes.wire > 0) ? ofBytes('id')(r) : none) },
  { id: 'ticks', kind: 'group', of: (s, r) => pace(r.measuredMs > 0 ? s.ticksPerSecond : NaN), delta: ofPace((s) => s.ticksPerSecond) },
  { id: 'messages', of: (s, r) => pace(r.measuredMs > 0 ? s.messagesPerSecond : NaN), delta: ofPace((s) => s.messagesPerSecond) },
  {
    id: 'faults', title: true, of: (s) => `${s.gaps} · ${s.doubled} · ${s.lost}`,
    delta: ({ sides: [a, b] }) => (a.gaps + a.doubled + a.lost + b.gaps + b.doubled + b.lost === 0 ? { text: t('compare.delta.none'), noise: true } : none),
  },
  {
    id: 'reconnects', of: (s) => count(s.reconnects),
    delta: ({ sides: [a, b] }) => ({ text: a.reconnects === b.reconnects ? t('compare.delta.none') : count(a.reconnects - b.reconnects), noise: a.reconnects === b.reconnects }),
  },
  {
    id: 'cpu', kind: 'group', title: true,
    both: (r) => (Number.isFinite(r.cpu.perTick) ? t('compare.cpu', { us: rounded(r.cpu.perTick, r.cpu.perTick < 10 ? 1 : 0) }) : '–'), delta: () => none,
  },
];

/** The figures of both sides with their differences. */
export class Figures {
  #table = part('figures');
  /** @type {{ row: Row, cells: HTMLElement[], delta: HTMLElement, error: HTMLElement, value: HTMLElement }[]} */
  #rows = [];
  #heads = [el('th', { scope: 'col', class: 'side-a' }), el('th', { scope: 'col', class: 'side-b' })];
  #newest = [el('span', { class: 'newest mono' }), el('span', { class: 'newest mono' })];

  constructor() {
    const body = el('tbody');
    for (const row of ROWS) {
      const cells = row.both ? [el('td', { colspan: '2' })] : [el('td'), el('td')];
      const value = el('span');
      const error = el('span', { class: 'n' });
      const delta = el('td', row.spread ? { class: 'spread' } : {}, value, ' ', error);
      const head = el('th', { scope: 'row' }, t(`compare.figure.${row.id}`));
      if (row.title) head.title = t(`compare.figure.${row.id}.title`);
      body.append(el('tr', { class: row.kind ?? '' }, head, ...cells, delta));
      this.#rows.push({ row, cells, delta, error, value });
    }
    body.append(el('tr', {}, el('th', { scope: 'row' }, t('compare.figure.newest')), ...this.#newest.map((e) => el('td', {}, e)), el('td')));
    this.#table.append(el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, el('span', { class: 'visually-hidden' }, t('compare.figures.figure'))), ...this.#heads, el('th', { scope: 'col' }, t('compare.figures.difference')))), body);
  }

  /** @param {Result} result */
  paint(result) {
    result.sides.forEach((s, k) => this.#heads[k] && setText(this.#heads[k], s.name));
    for (const { row, cells, delta, error, value } of this.#rows) {
      if (row.both) {
        if (cells[0]) setText(cells[0], row.both(result));
      } else {
        result.sides.forEach((s, k) => cells[k] && setText(cells[k], row.of?.(s, result) ?? '–'));
      }
      const d = row.delta(result);
      setText(value, d.text);
      setText(error, d.error ?? '');
      delta.classList.toggle('noise', Boolean(d.noise));
      value.classList.toggle('strong', Boolean(d.strong));
    }
  }

  /** Shows a side's newest tick, in every frame. @param {0 | 1} side @param {import('../../types.js').Quote} q */
  show(side, q) {
    const cell = this.#newest[side];
    if (cell) setText(cell, quote(q));
  }
}
