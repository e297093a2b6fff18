import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SPAN, Series, ceiling, keyed, line, scale, stretches } from './series.js';
import { node } from './nodes.test.js';

/** @import { Change, ClusterNode, Point } from './types.js' */

/** @param {number} second @param {Partial<Point>} [other] @returns {Point} */
const point = (second, other) => ({ at: second * 1e6, writes: false, behind: 0, p50: 1, p99: 2, ...other });

/** @param {number} second @param {ClusterNode[]} nodes @param {Change[]} [changes] */
const answer = (second, nodes, changes = []) => ({ bus: 'nats', self: 'a', connected: true, now: second * 1e6, writer: 'a', nodes, changes, differences: [] });

test('answers of several nodes give one point for each second', () => {
  const series = new Series();
  const key = keyed([node()])[0]?.[0] ?? '';
  series.add(answer(1000, [node({ points: [point(998), point(999)] })]));
  assert.equal(series.since, 998_000_000);
  series.add(answer(1001, [node({ points: [point(999.04, { behind: 3 }), point(1000)] })])); // another node, by its clock
  assert.deepEqual(series.of(key).map(([second, p]) => [second, p.behind]), [[998, 0], [999, 3], [1000, 0]]);
  series.add(answer(999 + SPAN, [node({ points: [point(999 + SPAN)] })]));
  assert.deepEqual(series.of(key).map(([second]) => second), [999, 1000, 999 + SPAN]);
  series.add(answer(1000 + SPAN, []));
  assert.deepEqual(series.of(key), []);
});

test('nodes with one name have lines of their own', () => {
  assert.deepEqual(keyed([node(), node(), node({ address: ':3001' })]).map(([key]) => key), ['a :3000', 'a :3000 1', 'a :3001']);
});

test('changes of the writer, the newest first, each once', () => {
  const series = new Series();
  series.add(answer(1000, [], [{ at: 5e6, node: 'a', term: 1 }, { at: 60e6, node: '', term: 0 }, { at: 62e6, node: 'b', term: 2 }]));
  series.add(answer(1001, [], [{ at: 20e6, node: 'a', term: 1 }, { at: 60.2e6, node: '', term: 0 }, { at: 61.9e6, node: 'b', term: 2 }]));
  assert.deepEqual(series.changes.map((c) => [c.at / 1e6, c.node]), [[61.9, 'b'], [60, ''], [5, 'a']]);
});

test('a line has a gap where no points came', () => {
  const points = /** @type {[number, Point][]} */ ([700, 1000, 1001, 1010].map((second) => [second, point(second, { behind: second === 1001 ? 20 : 5 })]));
  assert.equal(line(points, 1010, 10, (p) => p.behind), 'M290 52h.01L291 4M300 52h.01');
});

test('stretches in which a node wrote', () => {
  const points = /** @type {[number, Point][]} */ ([[1000, true], [1001, true], [1002, false], [1003, true], [1008, true]].map(([second, writes]) => [second, point(Number(second), { writes: Boolean(writes) })]));
  assert.deepEqual(stretches(points, 1010, (p) => p.writes), [[289, 291], [292, 293], [297, 298]]);
});

test('scales end at round numbers', () => {
  assert.equal(scale([...Array(99).fill(3), 4000], 1), 5);
  assert.equal(scale([3, 4000], 1), 5000);
  assert.equal(scale([], 10), 10);
  for (const [x, top] of [[0, 1], [1, 1], [1.2, 2], [3, 5], [6, 10], [10, 10], [11, 20], [0.3, 0.5]]) assert.ok(Math.abs(ceiling(Number(x)) - Number(top)) < 1e-9, `${x}`);
});
