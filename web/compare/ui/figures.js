import { count, rounded } from '../../model/formats.js';
import { t } from '../../text.js';
import { el, part, setText } from '../../ui/common/dom.js';
import { changeOf, matched, sameSides } from '../core/overlay.js';
import { byteDifference, countChange, difference, ms, msChange, pace, paceChange, perTick, quote } from './formats.js';

/** @typedef {import('../core/types.js').Figured} Figured */
/** @typedef {import('../core/types.js').KeptRun} KeptRun */
/** @typedef {import('../core/types.js').KeptSide} KeptSide */
/** @typedef {import('../core/types.js').Estimate} Estimate */
/** @typedef {{ text: string, error?: string, noise?: boolean, strong?: boolean }} Delta */

/**
 * @typedef {object} Row
 * @property {string} id part of its key in the catalogue
 * @property {boolean} [title] whether it has a tooltip
 * @property {string} [kind] class of the row
 * @property {boolean} [spread] whether its difference has an error
 * @property {(side: KeptSide, result: Figured) => string} [of] a side's figure
 * @property {(result: Figured) => string} [both] a figure for both sides
 * @property {(result: Figured) => Delta} delta
 * @property {[(side: KeptSide) => number, (by: number, from: number) => string]} [change] a side's figure as a number, and the text of its change since a kept run
 * @property {(now: Figured, kept: Figured) => Delta} [since] the change of the difference since a kept run
 */

const none = { text: '–', noise: true };

/** The size below which a difference is noise for other causes than its error. @param {Figured} r */
const least = ({ noise }) => (noise.from === 'interval' || !Number.isFinite(noise.value) ? 0 : noise.value);

/** A difference with an error, and its change since a kept run. @param {(r: Figured) => Estimate} of @returns {Pick<Row, 'delta' | 'since' | 'spread'>} */
const estimated = (of) => {
  const shown = (/** @type {Estimate} */ d, /** @type {number} */ noise) => {
    const text = difference(d, noise);
    return { ...text, strong: !text.noise };
  };
  return { spread: true, delta: (r) => shown(of(r), least(r)), since: (now, kept) => shown(changeOf(of(now), of(kept)), Math.hypot(least(now), least(kept))) };
};

/** A quantile in ms, such as latency.p50. @param {(s: KeptSide) => number} of @returns {Pick<Row, 'of' | 'change'>} */
const inMs = (of) => ({ of: (s, r) => ms(of(s), r.clock.error), change: [of, msChange] });

/** @param {string} text @returns {Delta} */
const exact = (text) => ({ text, strong: text !== '0' && text !== '–', noise: text === '0' || text === '–' });

/** Bytes of a tick, which are exact. @param {keyof import('../core/types.js').ByteCost} key @returns {Pick<Row, 'of' | 'delta' | 'change' | 'since'>} */
const ofBytes = (key) => {
  const by = (/** @type {Figured} */ { sides: [a, b] }) => a.bytes[key] - b.bytes[key];
  return {
    of: (s) => perTick(s.bytes[key]), delta: (r) => exact(byteDifference(by(r))),
    change: [(s) => s.bytes[key], byteDifference], since: (now, kept) => exact(byteDifference(by(now) - by(kept))),
  };
};

/** Rates of the same feed differ by up to 1 % for the second in which they were read. @param {(side: KeptSide) => number} of @returns {Pick<Row, 'of' | 'delta' | 'change'>} */
const ofPace = (of) => ({
  of: (s, r) => pace(r.measuredMs > 0 ? of(s) : NaN),
  delta: ({ sides: [a, b], measuredMs }) => {
    const d = of(a) - of(b);
    if (!Number.isFinite(d) || measuredMs === 0) return none;
    const noise = Math.abs(d) <= 0.01 * Math.max(of(a), of(b));
    return { text: noise ? t('compare.delta.none') : paceChange(d), noise, strong: !noise };
  },
  change: [of, paceChange],
});

/** Bytes of SSE's id line; NaN on WebSocket, which has none, and while unknown. @param {KeptSide} s */
const idLine = (s) => (s.lane === 'sse' && s.bytes.wire > 0 ? s.bytes.id : NaN);

/** @type {Row[]} */
const ROWS = [
  { id: 'p50', title: true, ...inMs((s) => s.latency.p50), ...estimated((r) => r.differences.p50) },
  { id: 'p90', kind: 'sub', ...inMs((s) => s.latency.p90), ...estimated((r) => r.differences.p90) },
  { id: 'p99', kind: 'sub', ...inMs((s) => s.latency.p99), ...estimated((r) => r.differences.p99) },
  { id: 'p999', kind: 'sub', ...inMs((s) => s.latency.p999), delta: () => none },
  { id: 'max', kind: 'sub', ...inMs((s) => s.latency.max), delta: () => none },
  { id: 'paint', title: true, of: (s) => ms(s.paint.p50), change: [(s) => s.paint.p50, msChange], ...estimated((r) => r.differences.paint50) },
  { id: 'same', title: true, both: (r) => t('compare.pairs', { n: r.pairs.count }), ...estimated((r) => r.pairs.typical) },
  { id: 'wire', kind: 'group', title: true, ...ofBytes('wire') },
  { id: 'payload', kind: 'sub', title: true, ...ofBytes('payload') },
  { id: 'framing', kind: 'sub', title: true, ...ofBytes('framing') },
  { id: 'id', kind: 'sub', title: true, ...ofBytes('id'), of: (s) => perTick(idLine(s)), change: [idLine, byteDifference], delta: (r) => (r.sides.every((s) => s.bytes.wire > 0) ? ofBytes('id').delta(r) : none) },
  { id: 'ticks', kind: 'group', ...ofPace((s) => s.ticksPerSecond) },
  { id: 'messages', ...ofPace((s) => s.messagesPerSecond) },
  {
    id: 'faults', title: true, of: (s) => `${s.gaps} · ${s.doubled} · ${s.lost}`,
    delta: ({ sides: [a, b] }) => (a.gaps + a.doubled + a.lost + b.gaps + b.doubled + b.lost === 0 ? { text: t('compare.delta.none'), noise: true } : none),
  },
  {
    id: 'reconnects', of: (s) => count(s.reconnects), change: [(s) => s.reconnects, countChange],
    delta: ({ sides: [a, b] }) => ({ text: a.reconnects === b.reconnects ? t('compare.delta.none') : count(a.reconnects - b.reconnects), noise: a.reconnects === b.reconnects }),
  },
  {
    id: 'cpu', kind: 'group', title: true,
    both: (r) => (Number.isFinite(r.cpu.perTick) ? t('compare.cpu', { us: rounded(r.cpu.perTick, r.cpu.perTick < 10 ? 1 : 0) }) : '–'), delta: () => none,
  },
];

/** The figures of both sides with their differences, and those of a kept run beside them. */
export class Figures {
  #table = part('figures');
  /** Paints one cell. @type {((r: Figured) => void)[]} */
  #cells = [];
  #names = [el('th', { class: 'side-a' }), el('th', { class: 'side-b' })];
  #newest = [el('span', { class: 'newest mono' }), el('span', { class: 'newest mono' })];
  /** @type {KeptRun | null} */
  #kept = null;
  /** @type {Figured | null} */
  #result = null;

  constructor() {
    this.#build();
  }

  /** Shows a kept run beside the current one. @param {KeptRun | null} run null removes it */
  over(run) {
    this.#kept = run;
    this.#build();
    if (this.#result) this.paint(this.#result);
  }

  /** @param {Figured} result */
  paint(result) {
    this.#result = result;
    result.sides.forEach((s, k) => this.#names[k] && setText(this.#names[k], s.name));
    for (const paint of this.#cells) paint(result);
  }

  /** Shows a side's newest tick, in every frame. @param {0 | 1} side @param {import('../../types.js').Quote} q */
  show(side, q) {
    const cell = this.#newest[side];
    if (cell) setText(cell, quote(q));
  }

  #build() {
    const kept = this.#kept;
    /** @type {Record<string, string>} */
    const wide = kept ? { colspan: '3' } : {};
    this.#cells = [];
    const rows = ROWS.map((row) => {
      const head = el('th', { scope: 'row' }, t(`compare.figure.${row.id}`));
      if (row.title) head.title = t(`compare.figure.${row.id}.title`);
      return el('tr', { class: row.kind ?? '' }, head, ...(row.both ? this.#shared(row, kept) : this.#sides(row, kept)), ...this.#differences(row, kept));
    });
    rows.push(el('tr', {}, el('th', { scope: 'row' }, t('compare.figure.newest')), ...this.#newest.map((e) => el('td', wide, e)), el('td', wide)));
    const corner = el('th', { scope: 'col' }, el('span', { class: 'visually-hidden' }, t('compare.figures.figure')));
    const groups = [...this.#names, el('th', {}, t('compare.figures.difference'))];
    for (const th of groups) {
      th.setAttribute('scope', kept ? 'colgroup' : 'col');
      if (kept) th.setAttribute('colspan', '3');
      else th.removeAttribute('colspan');
    }
    const second = kept ? [el('tr', {}, el('td'), ...groups.flatMap(() => ['now', 'kept', 'change'].map((id) => el('th', { scope: 'col', class: id === 'now' ? 'first' : '' }, t(`compare.figures.${id}`)))))] : [];
    this.#table.replaceChildren(el('thead', {}, el('tr', {}, corner, ...groups), ...second), el('tbody', {}, ...rows));
    this.#table.toggleAttribute('data-kept', kept !== null);
  }

  /** @param {Row} row @param {KeptRun | null} kept */
  #sides(row, kept) {
    return /** @type {const} */ ([0, 1]).flatMap((k) => {
      const now = this.#text({ class: 'first' }, (r) => row.of?.(r.sides[k], r) ?? '–');
      if (!kept) return [now];
      const at = (/** @type {Figured} */ r) => matched(r, kept)[k];
      const before = (/** @type {Figured} */ r) => {
        const side = at(r);
        return (side && row.of?.(side, kept)) ?? '–';
      };
      const change = (/** @type {Figured} */ r) => {
        const side = at(r);
        if (!side || !row.change) return '';
        const [value, text] = row.change;
        return text(value(r.sides[k]) - value(side), value(side));
      };
      return [now, this.#text({ class: 'kept' }, before), this.#text({ class: 'kept' }, change)];
    });
  }

  /** A figure of both sides. @param {Row} row @param {KeptRun | null} kept */
  #shared(row, kept) {
    const text = (/** @type {Figured} */ r) => row.both?.(r) ?? '–';
    if (!kept) return [this.#text({ colspan: '2' }, text)];
    return [this.#text({ colspan: '3', class: 'first' }, text), this.#text({ colspan: '3', class: 'kept' }, () => t('compare.figures.before', { figure: text(kept) }))];
  }

  /** @param {Row} row @param {KeptRun | null} kept */
  #differences(row, kept) {
    const now = this.#delta(row, row.delta);
    now.classList.add('first');
    if (!kept) return [now];
    const same = (/** @type {Figured} */ r) => sameSides(r, kept);
    return [
      now, this.#delta(row, (r) => (same(r) ? { ...row.delta(kept), strong: false, noise: true } : none)),
      this.#delta(row, (r) => (same(r) && row.since ? row.since(r, kept) : { text: '', noise: true })),
    ];
  }

  /** @param {Record<string, string>} attributes @param {(r: Figured) => string} of */
  #text(attributes, of) {
    const td = el('td', attributes);
    this.#cells.push((r) => setText(td, of(r)));
    return td;
  }

  /** @param {Row} row @param {(r: Figured) => Delta} of */
  #delta(row, of) {
    const value = el('span');
    const error = el('span', { class: 'n' });
    const td = el('td', row.spread ? { class: 'spread' } : {}, value, ' ', error);
    this.#cells.push((r) => {
      const d = of(r);
      setText(value, d.text);
      setText(error, d.error ?? '');
      td.classList.toggle('noise', Boolean(d.noise));
      value.classList.toggle('strong', Boolean(d.strong));
    });
    return td;
  }
}
