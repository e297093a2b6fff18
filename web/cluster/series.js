// The figures of the last minutes by node, and the lines that show them. A load balancer may send each request to another node, whose
// clock differs a little, so there is one point for each second.

/** @import { Change, ClusterNode, ClusterView, Point } from './types.js' */

/** Seconds that the picture shows. */
export const SPAN = 300;
const GAP = 3; // seconds without a point that a line crosses
const CHANGES = 50; // that are kept, as many as a node keeps
const AGAIN = 2_000_000; // µs that are requested twice: a point may have been added late

export class Series {
  /** By key of a node, then by second. @type {Map<string, Map<number, Point>>} */
  #points = new Map();
  /** The newest first. @type {Map<string, Change>} */
  #changes = new Map();
  /** Second of the newest view. */
  now = 0;
  /** The time after which the next request wants points. */
  since = 0;

  /** Adds an answer. @param {ClusterView} view */
  add(view) {
    this.now = Math.floor(view.now / 1e6);
    this.since = Math.max(0, view.now - AGAIN);
    const keys = new Set();
    for (const [key, node] of keyed(view.nodes)) {
      keys.add(key);
      const points = this.#points.get(key) ?? new Map();
      this.#points.set(key, points);
      for (const p of node.points) points.set(Math.round(p.at / 1e6), p);
      for (const second of points.keys()) if (second < this.now - SPAN) points.delete(second);
    }
    for (const key of this.#points.keys()) if (!keys.has(key)) this.#points.delete(key);
    for (const c of view.changes) {
      const key = c.node ? `${c.term} ${c.node}` : `none ${Math.round(c.at / 5e6)}`;
      if (c.at < (this.#changes.get(key)?.at ?? Infinity)) this.#changes.set(key, c);
    }
    this.#changes = new Map([...this.#changes].sort(([, a], [, b]) => b.at - a.at).slice(0, CHANGES));
  }

  /** The points of a node by second, the oldest first. @param {string} key */
  of(key) {
    return [...(this.#points.get(key) ?? [])].sort(([a], [b]) => a - b);
  }

  /** Who became the writer, the newest first. */
  get changes() {
    return [...this.#changes.values()];
  }
}

/** The nodes with a key each: nodes may have the same name. @param {readonly ClusterNode[]} nodes @returns {[string, ClusterNode][]} */
export function keyed(nodes) {
  /** @type {Map<string, number>} */
  const seen = new Map();
  return nodes.map((node) => {
    const base = `${node.name} ${node.address}`;
    const n = seen.get(base) ?? 0;
    seen.set(base, n + 1);
    return [n ? `${base} ${n}` : base, node];
  });
}

/** The smallest of 1, 2, 5, 10, 20 … that is at least x. @param {number} x */
export function ceiling(x) {
  if (!(x > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(x) + 1e-9);
  return (x <= power ? 1 : x <= 2 * power ? 2 : x <= 5 * power ? 5 : 10) * power;
}

/**
 * The upper edge of a scale: rounded up, and such that few values are above it, so that one of them doesn't flatten all others.
 * @param {number[]} values @param {number} least
 */
export function scale(values, least) {
  const sorted = values.sort((a, b) => a - b);
  return ceiling(Math.max(least, sorted[Math.floor(sorted.length * 0.98)] ?? 0));
}

/**
 * A line in a box of SPAN by 100, with a gap where no points came.
 * @param {readonly [number, Point][]} points @param {number} now second @param {number} top the value at the upper edge
 * @param {(p: Point) => number} value @returns {string} for an SVG path
 */
export function line(points, now, top, value) {
  let path = '';
  let before = -Infinity;
  for (const [second, p] of points) {
    const x = second - now + SPAN;
    if (x < 0) continue;
    const y = 100 - 96 * Math.min(1, value(p) / top);
    path += `${second - before > GAP ? 'M' : 'L'}${x} ${Number(y.toFixed(1))}`;
    if (second - before > GAP) path += 'h.01'; // a single point is seen
    before = second;
  }
  return path;
}

/**
 * The stretches in which a condition holds, as [from, to] in a box of SPAN.
 * @param {readonly [number, Point][]} points @param {number} now second @param {(p: Point) => boolean} holds @returns {[number, number][]}
 */
export function stretches(points, now, holds) {
  /** @type {[number, number][]} */
  const all = [];
  let before = -Infinity;
  for (const [second, p] of points) {
    const x = second - now + SPAN;
    if (x < 0) continue;
    const last = all.at(-1);
    if (!holds(p)) before = -Infinity;
    else if (last && second - before <= GAP) last[1] = x;
    else all.push([Math.max(0, x - 1), x]);
    if (holds(p)) before = second;
  }
  return all;
}
