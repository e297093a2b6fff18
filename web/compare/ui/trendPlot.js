// Draws a trend as SVG: a column for each report, a line for each variant, in the colour of its lane.
import { dates, rounded } from '../../model/formats.js';
import { t } from '../../text.js';
import { svg } from '../../ui/common/dom.js';
import { steps } from '../core/trend.js';
import { figure } from './reportTable.js';

/** @import { Trend } from '../core/trend.js' */

const TOP = 10; // px
const LEFT = 46;
const RIGHT = 14;
const AXIS = 22; // labels of the columns
const STRIP = 24; // where unmeasured figures are, below the axis of the measured ones
const LABEL = 64; // least distance between labels of columns
const DASHES = ['', '6 3', '2 3', '8 3 2 3'];

/**
 * Dash patterns of the lines: the variants of a lane differ in them.
 * @param {Trend['lines']} lines
 */
export const dashes = (lines) => lines.map((line, k) => DASHES[lines.slice(0, k).filter((l) => l.lane === line.lane).length % DASHES.length] ?? '');

/** A sign of a line's lane: a circle for SSE, a square for WebSocket. @param {string} lane @param {number} x @param {number} y */
export const point = (lane, x, y) => (lane === 'ws'
  ? svg('rect', { class: 'point', x: num(x - 3), y: num(y - 3), width: '6', height: '6' })
  : svg('circle', { class: 'point', cx: num(x), cy: num(y), r: '3.4' }));

/**
 * @param {Trend} of @param {number} width px @param {number} height px @param {ReadonlySet<string>} hidden keys of lines
 * @returns {SVGElement[]} contents of an SVG of that size
 */
export function draw(of, width, height, hidden) {
  const { columns, lines } = of;
  const shown = lines.map((l) => !hidden.has(l.key));
  const most = Math.max(0, ...columns.flatMap((c) => c.values.map((v, k) => (v && shown[k] ? v.max : 0))));
  const marks = steps(most);
  const decimals = Math.max(0, -Math.floor(Math.log10(Number(marks[1])) + 1e-9));
  const zero = height - AXIS - STRIP;
  const x = (/** @type {number} */ c) => LEFT + ((c + 0.5) * (width - LEFT - RIGHT)) / columns.length;
  // Points of one report stand beside each other.
  const beside = Math.min(5, (width - LEFT - RIGHT) / columns.length / (lines.length + 1));
  const at = (/** @type {number} */ c, /** @type {number} */ line) => x(c) + (line - (lines.length - 1) / 2) * beside;
  const y = (/** @type {number} */ v) => zero - ((zero - TOP) * v) / Number(marks.at(-1));
  const patterns = dashes(lines);
  const strip = zero + STRIP / 2 + 2;
  const unmeasured = columns.some((c) => c.values.some((v, k) => v === null && shown[k]));
  return [
    ...marks.map((v) => svg('g', { class: 'mark' }, svg('line', { x1: num(LEFT), x2: num(width - RIGHT), y1: num(y(v)), y2: num(y(v)) }), label(LEFT - 6, y(v) + 4, rounded(v, decimals), 'end'))),
    ...labels(of, width, x, height - 6),
    ...(unmeasured ? [label(LEFT - 6, strip + 4, '–', 'end')] : []),
    ...of.segments.filter((s) => shown[s.line]).map(({ line, from, to }) => svg('line', {
      class: `join l-${lines[line]?.lane}`, 'stroke-dasharray': patterns[line] ?? '',
      x1: num(at(from, line)), y1: num(y(columns[from]?.values[line]?.median ?? 0)), x2: num(at(to, line)), y2: num(y(columns[to]?.values[line]?.median ?? 0)),
    })),
    ...columns.flatMap((column, c) => column.values.flatMap((v, line) => {
      const lane = lines[line]?.lane ?? '';
      const px = at(c, line);
      if (v === undefined || !shown[line]) return [];
      if (v === null) return [svg('path', { class: `unmeasured l-${lane}`, d: `M${num(px - 3)} ${num(strip - 3)}l6 6m0-6l-6 6` })];
      return [svg('g', { class: `l-${lane}` }, svg('line', { class: 'rounds', x1: num(px), x2: num(px), y1: num(y(v.min)), y2: num(y(v.max)) }), point(lane, px, y(v.median)))];
    })),
    ...columns.map((_, c) => svg('rect', { class: 'column', x: num(x(c) - (x(1) - x(0)) / 2), y: '0', width: num(x(1) - x(0)), height: num(height) }, title(of, c, shown))),
  ];
}

/** Dates below the columns, as many as there is space for. @param {Trend} of @param {number} width @param {(c: number) => number} x @param {number} y */
function labels({ columns }, width, x, y) {
  const every = Math.max(1, Math.ceil((LABEL * columns.length) / (width - LEFT - RIGHT)));
  const day = dates({ day: 'numeric', month: 'short' });
  return columns.flatMap((c, at) => (at % every === 0 ? [label(x(at), y, day.format(Date.parse(c.report.started)), 'middle')] : []));
}

/** Report, time and figures of a column, shown under the pointer. @param {Trend} of @param {number} at @param {boolean[]} shown */
function title({ columns, lines }, at, shown) {
  const column = columns[at];
  const e = svg('title');
  if (!column) return e;
  const values = column.values.flatMap((v, k) => (v === undefined || !shown[k] ? [] : [`${lines[k]?.name}: ${v ? figure(v.median) : t('reports.trend.unmeasured')}`]));
  e.textContent = [column.name, dates({ dateStyle: 'medium', timeStyle: 'short' }).format(Date.parse(column.report.started)), ...values].join('\n');
  return e;
}

/** @param {number} x @param {number} y @param {string} text @param {string} anchor */
function label(x, y, text, anchor) {
  const e = svg('text', { x: num(x), y: num(y), 'text-anchor': anchor });
  e.textContent = text;
  return e;
}

/** @param {number} x */
const num = (x) => x.toFixed(1);
