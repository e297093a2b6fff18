import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { upgrade } from './loadReport.js';
import { FIGURES, comparable, steps, trend } from './trend.js';

const range = (/** @type {number} */ median, count = 5) => ({ median, min: median - 1, max: median + 1, count });

/** A report of SSE and WebSocket. @param {number} day @param {any} [more] @returns {import('./trend.js').Named} */
const report = (day, more = {}) => ({
  name: `r${day}`,
  report: {
    kind: 'comparison', status: 'complete', started: `2026-03-0${day}T10:00:00Z`,
    setup: { conns: 100, mode: 'all', seed: day }, machine: { cpu: 'x', go: `go1.${day}` }, target: { own: true, version: `v${day}`, url: `own ${day}`, settings: ['a', 'b'] },
    variants: [{ name: 'SSE', lane: 'sse', engine: 'stream' }, { name: 'WebSocket', lane: 'ws', engine: 'stream' }],
    metrics: [{ key: 'latency_p50', unit: 'ms', a: range(10 * day), b: range(20 * day) }],
    windows: ['A', 'B', 'A'].map((variant) => ({ variant, check: { lost: day } })),
    ...more,
  },
});

const medians = (/** @type {import('./trend.js').Trend} */ t) => t.lines.map((_, k) => t.columns.map(({ values: { [k]: v } }) => (v ? v.median : v)));
const joined = (/** @type {import('./trend.js').Trend} */ t) => t.segments.map((s) => `${s.line}:${s.from}-${s.to}`);

test('a line for each variant, by time, over versions', () => {
  const t = trend([report(3), report(1), report(2)], 'latency_p50');
  assert.deepEqual(t.lines.map((l) => [l.name, l.lane]), [['SSE stream', 'sse'], ['WebSocket stream', 'ws']]);
  assert.deepEqual(t.columns.map((c) => c.name), ['r1', 'r2', 'r3']);
  assert.deepEqual(medians(t), [[10, 20, 30], [20, 40, 60]]);
  assert.deepEqual(joined(t), ['0:0-1', '0:1-2', '1:0-1', '1:1-2']);
  assert.equal(t.unit, 'ms');
});

test('what was not measured is a gap, never 0', () => {
  const unmeasured = { metrics: [{ key: 'latency_p50', unit: 'ms', a: range(0, 0), b: range(50) }] };
  const t = trend([report(1), report(2, unmeasured), report(3), report(4, { status: 'invalid' }), report(5, { metrics: undefined })], 'latency_p50');
  assert.deepEqual(medians(t), [[10, null, 30, null, null], [20, 50, 60, null, null]]);
  assert.deepEqual(joined(t), ['1:0-1', '1:1-2']);
  assert.deepEqual(medians(trend([report(1, { windows: [] })], 'lost')), [[null], [null]]);
  assert.deepEqual(medians(trend([report(1)], 'cpu_per_million')), [[null], [null]]);
});

test('other conditions interrupt a line', () => {
  for (const change of [{ setup: { conns: 200, mode: 'all' } }, { machine: { cpu: 'y' } }, { target: { own: true, settings: ['c'] } }, { target: { own: false, url: 'http://a', settings: ['a', 'b'] } }]) {
    assert.deepEqual(joined(trend([report(1), report(2, change)], 'latency_p50')), [], JSON.stringify(change));
  }
  assert.ok(comparable(report(1).report, report(2, { target: { own: true, settings: ['b', 'a'] } }).report), 'order of settings');
});

test('a report without a variant does not interrupt its line', () => {
  const other = { variants: [{ name: 'x', lane: 'ws', engine: 'shard', encoding: 'protobuf', compression: 'permessage-deflate' }], metrics: [{ key: 'latency_p50', unit: 'ms', a: range(7), b: range(0, 0) }] };
  const t = trend([report(1), report(2, other), report(3)], 'latency_p50');
  assert.deepEqual(t.lines.map((l) => l.name), ['SSE stream', 'WebSocket stream', 'WebSocket shard protobuf permessage-deflate']);
  assert.deepEqual(medians(t), [[10, undefined, 30], [20, undefined, 60], [undefined, 7, undefined]]);
  assert.deepEqual(joined(t), ['0:0-2', '1:0-2']);
});

test('both variants of an A/A run have lines', () => {
  const t = trend([report(1, { variants: [1, 2].map(() => ({ name: 'SSE', lane: 'sse', engine: 'stream' })) })], 'latency_p50');
  assert.deepEqual(t.lines.map((l) => l.name), ['SSE stream', 'SSE stream (2)']);
  assert.deepEqual(medians(t), [[10], [20]]);
});

test('lost ticks are summed over windows and drills; drills have no other figure', () => {
  const drill = report(2, { kind: 'drill resume', windows: undefined, metrics: undefined, drills: ['A', 'B'].map((variant) => ({ variant, check: { lost: 9 } })) });
  const t = trend([report(1), drill], 'lost');
  assert.deepEqual(medians(t), [[2, 9], [1, 9]]);
  assert.equal(t.without, 0);
  assert.equal(trend([report(1), drill], 'latency_p50').without, 1);
});

test('reports of both schemas have all figures', () => {
  const stored = (/** @type {string} */ path) => upgrade(JSON.parse(readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')));
  const old = { name: 'old', report: stored('internal/loadtest/report/testdata/schema1-comparison.json') };
  const now = { name: 'now', report: stored('docs/reports/standard.json') };
  for (const figure of FIGURES) {
    const t = trend([now, old], figure);
    assert.deepEqual(t.lines.map((l) => l.name), ['SSE stream', 'SSE shard', 'SSE body', 'WebSocket stream', 'WebSocket shard'], 'in the order of the newest');
    assert.deepEqual(t.columns.map((c) => c.name), ['old', 'now']);
    for (const c of t.columns) assert.ok(c.values.some((v) => v), `${figure} of ${c.name}`);
  }
  const drill = { name: 'drill', report: stored('internal/loadtest/report/testdata/schema1-drill.json') };
  assert.ok(trend([drill], 'lost').columns[0]?.values.every((v) => v?.median === 0));
});

test('the axis has round steps from 0', () => {
  assert.deepEqual(steps(9.4), [0, 5, 10]);
  assert.deepEqual(steps(8), [0, 2, 4, 6, 8]);
  assert.deepEqual(steps(0.03), [0, 0.01, 0.02, 0.03]);
  assert.deepEqual(steps(144), [0, 50, 100, 150]);
  assert.deepEqual(steps(0), [0, 1]);
});
