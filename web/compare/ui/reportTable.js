import { count } from '../../model/formats.js';
import { named, t } from '../../text.js';
import { el, part } from '../../ui/common/dom.js';
import { status, verdict } from './conditions.js';

// The parts of a load report, schema ticklane.load/2, that are shown here; docs/reports/README.md describes the complete format.
/** @typedef {{ median: number, min: number, max: number, count: number }} Range */
/** @typedef {{ mean: number, low: number, high: number, pairs: number }} Interval */
/** @typedef {{ key: string, name: string, unit: string, a: Range, b: Range, variants?: Range[], difference: Interval, verdict: string }} Metric */
/**
 * @typedef {object} Report
 * @property {string} schema
 * @property {string} kind "comparison", or a drill's name
 * @property {string} status
 * @property {string} started
 * @property {string} command
 * @property {string} headline
 * @property {{ os: string, arch: string, cpu: string, cores: number, memory_bytes: number, go: string }} machine
 * @property {{ version: string, url: string, own: boolean, settings?: string[] }} target
 * @property {{ conns: number, topics: string, mode: string, encoding: string, compress: string, rounds: number, duration_s: number, seed: number }} setup
 * @property {{ name: string, lane: string, engine: string, path: string, encoding?: string, compression?: string, settings?: string[] }[]} variants
 * @property {Metric[]} [metrics]
 */

const THIN = '\u202f';

/** Two load reports side by side: setup, machine, and each figure with its range and difference. */
export class ReportTable {
  #table = part('pair-table');

  clear() {
    this.#table.replaceChildren();
  }

  /**
   * @param {[string, string]} names @param {[Report, Report]} reports
   * @returns {string} a sentence on whether they can be compared
   */
  show(names, reports) {
    const first = el('tr', {}, el('td'), ...names.map((n, k) => el('th', { scope: 'colgroup', colspan: String(width(reports[k])), class: 'of' }, n)));
    const second = el('tr', {}, el('th', { scope: 'col' }, t('reports.pair.figure')), ...reports.flatMap((r) => [
      ...places(r).map((k) => el('th', { scope: 'col', class: `l-${r.variants[k]?.lane ?? ''}` }, r.variants[k]?.name ?? '–')),
      ...(many(r) ? [] : [el('th', { scope: 'col' }, t('reports.pair.difference'))]),
    ]));
    this.#table.replaceChildren(el('thead', {}, first, second), el('tbody', {}, ...facts(reports), ...figures(reports)));
    return verdict(reports);
  }
}

/** Reports of more than two variants have no single difference; their HTML page lists the pairs. @param {Report | undefined} r */
const many = (r) => (r?.variants.length ?? 0) > 2;

/** Columns of a report's variants. @param {Report | undefined} r */
const places = (r) => Array.from({ length: Math.max(2, r?.variants.length ?? 0) }, (_, k) => k);

/** @param {Report | undefined} r */
const width = (r) => places(r).length + (many(r) ? 0 : 1);

/** @param {[Report, Report]} reports */
function facts(reports) {
  /** @type {[string, (r: Report) => string, Record<string, string>?][]} the report's texts are English */
  const list = [
    [t('reports.pair.result'), (r) => r.headline, { lang: 'en' }],
    [t('reports.pair.status'), (r) => status(r.status)],
    [t('reports.pair.setup'), (r) => t('reports.setup', {
      conns: r.setup.conns, topics: r.setup.topics, mode: r.setup.mode, encoding: r.setup.encoding, compress: r.setup.compress, rounds: r.setup.rounds, s: String(r.setup.duration_s),
    })],
    [t('reports.pair.variants'), (r) => r.variants.map((s) => [s.name, !s.name.includes(s.engine) && s.engine, s.encoding && !s.name.includes(s.encoding) && s.encoding].filter(Boolean).join(' ')).join(t('reports.comma'))],
    [t('reports.pair.machine'), (r) => t('reports.machine', { cpu: r.machine.cpu || t('reports.machine.unknown'), n: r.machine.cores, os: r.machine.os })],
    [t('reports.pair.server'), (r) => t('reports.server', { version: r.target.version, url: r.target.own ? t('reports.server.own') : r.target.url })],
    [t('reports.pair.command'), (r) => r.command, { class: 'mono', lang: 'en', translate: 'no' }],
  ];
  return list.map(([name, of, as]) => el('tr', { class: 'fact' }, el('th', { scope: 'row' }, name),
    ...reports.map((r) => el('td', { colspan: String(width(r)), ...as }, of(r)))));
}

/** @param {[Report, Report]} reports */
function figures(reports) {
  const keys = [...new Map(reports.flatMap((r) => r.metrics ?? []).map((m) => [m.key, m])).values()];
  return keys.map((m, k) => el('tr', { class: k === 0 ? 'group' : '' },
    el('th', { scope: 'row' }, m.unit ? t('reports.metric', { name: named(`reports.metric.${m.key}`, m.name), unit: m.unit }) : named(`reports.metric.${m.key}`, m.name)),
    ...reports.flatMap((r) => cells(r, r.metrics?.find((x) => x.key === m.key)))));
}

/** @param {Report} r @param {Metric | undefined} m */
function cells(r, m) {
  if (many(r)) return places(r).map((k) => (m?.variants?.[k] ? spread(m.variants[k]) : el('td', {}, '–')));
  if (!m) return [el('td', {}, '–'), el('td', {}, '–'), el('td', { class: 'noise' }, '–')];
  return [spread(m.a), spread(m.b), difference(m)];
}

/** Median and range of the rounds. @param {Range} r */
function spread(r) {
  if (!r.count) return el('td', {}, '–');
  return el('td', {}, figure(r.median), ' ', el('span', { class: 'n' }, `${figure(r.min)}–${figure(r.max)}`));
}

/** Verdicts on a difference; others, such as "server failed", name the reason for none. */
const DECIDED = ['no difference', 'A higher', 'A lower'];

/** @param {Metric} m */
function difference({ difference: d, verdict: result }) {
  if (d.pairs < 2 || !DECIDED.includes(result)) return el('td', { class: 'noise' }, named(`reports.verdict.${result.replace(/ /g, '-')}`, result));
  const half = `±${THIN}${figure((d.high - d.low) / 2)}`;
  if (result === 'no difference') return el('td', { class: 'noise' }, t('reports.pair.none'), ' ', el('span', { class: 'n' }, half));
  return el('td', {}, el('span', { class: 'strong' }, (d.mean > 0 ? '+' : '') + figure(d.mean)), ' ', el('span', { class: 'n' }, half));
}

/** Three significant digits. @param {number} x */
export function figure(x) {
  if (!Number.isFinite(x)) return '–';
  const n = Math.abs(x);
  const text = n >= 999.5 ? count(n) : n === 0 ? '0' : n < 1e-6 ? n.toExponential(1) : n.toPrecision(3);
  return (x < 0 ? '\u2212' : '') + text;
}
