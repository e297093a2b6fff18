// Draws the last minutes: a row for each node with who wrote, ticks behind and latency through NATS.
import { count, latency } from '../model/formats.js';
import { t } from '../text.js';
import { el, svg } from '../ui/common/dom.js';
import { SPAN, keyed, line, scale, stretches } from './series.js';

/** @import { ClusterView, Point } from './types.js' */
/** @import { Series } from './series.js' */

/** @param {string} label @param {...SVGElement} content */
const box = (label, ...content) => svg('svg', { viewBox: `0 0 ${SPAN} 100`, preserveAspectRatio: 'none', role: 'img', 'aria-label': label },
  svg('path', { class: 'ground', d: `M0 99.5H${SPAN}` }), ...content);

const most = (/** @type {readonly [number, Point][]} */ points, /** @type {(p: Point) => number} */ value) => Math.max(0, ...points.map(([, p]) => value(p)));

/** The largest value, which may be above the scale. @param {string} value */
const peak = (value) => el('small', { class: 'peak', 'aria-hidden': 'true' }, t('cluster.picture.peak', { value }));

const p99 = (/** @type {Point} */ p) => p.p99 / 1000;
const p50 = (/** @type {Point} */ p) => p.p50 / 1000;
const behind = (/** @type {Point} */ p) => p.behind;

/**
 * @param {ClusterView} view @param {Series} series
 * @returns {{ head: HTMLElement, rows: HTMLElement[] }} a table's head and rows
 */
export function picture(view, series) {
  const all = keyed(view.nodes).map(([key, node]) => ({ node, points: series.of(key) }));
  const values = (/** @type {(p: Point) => number} */ value) => all.flatMap(({ points }) => points.map(([, p]) => value(p)));
  const topBehind = scale(values(behind), 10);
  const topLatency = scale(values(p99), 1);
  const axis = () => el('span', { class: 'ends', 'aria-hidden': 'true' }, el('span', {}, t('cluster.picture.ago', { n: SPAN / 60 })), el('span', {}, t('cluster.picture.now')));
  const head = el('tr', {}, el('th', { scope: 'col' }, t('cluster.column.node')), el('th', { scope: 'col' }, t('cluster.column.writes'), axis()),
    el('th', { scope: 'col' }, t('cluster.picture.behind', { top: count(topBehind) }), axis()),
    el('th', { scope: 'col' }, t('cluster.picture.latency', { top: latency(topLatency) }), el('i', { class: 'key usual' }), 'p50', el('i', { class: 'key' }), 'p99', axis()));
  const rows = all.map(({ node, points }) => {
    const written = stretches(points, series.now, (p) => p.writes);
    const seconds = written.reduce((sum, [from, to]) => sum + to - from, 0);
    return el('tr', {}, el('th', { scope: 'row' }, node.name),
      el('td', {}, box(t('cluster.picture.wrote', { n: Math.round(seconds) }),
        ...stretches(points, series.now, () => true).map(([from, to]) => svg('path', { class: 'present', d: `M${from} 70H${to}` })),
        ...written.map(([from, to]) => svg('rect', { class: 'writes', x: String(from), y: '50', width: String(Math.max(1, to - from)), height: '40' })))),
      el('td', {}, peak(count(most(points, behind))), box(t('cluster.picture.behindMost', { n: most(points, behind) }), svg('path', { class: 'most', d: line(points, series.now, topBehind, behind) }))),
      el('td', {}, peak(latency(most(points, p99))), box(t('cluster.picture.latencyMost', { ms: latency(most(points, p99)) }),
        svg('path', { class: 'usual', d: line(points, series.now, topLatency, p50) }), svg('path', { class: 'most', d: line(points, series.now, topLatency, p99) }))));
  });
  return { head, rows };
}
