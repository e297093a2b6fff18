import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { trend } from '../core/trend.js';
import { dashes, draw } from './trendPlot.js';

/** As much of an SVG element as drawing needs. */
class Shape {
  /** @type {Record<string, string>} */
  attributes = {};
  /** @type {Shape[]} */
  children = [];
  textContent = '';
  /** @param {string} _ @param {string} tag */
  constructor(_, tag) {
    this.tag = tag;
  }
  /** @param {string} name @param {string} value */
  setAttribute(name, value) { this.attributes[name] = value; }
  /** @param {...Shape} children */
  append(...children) { this.children.push(...children); }
  /** @returns {Shape[]} */
  get all() { return [this, ...this.children.flatMap((c) => c.all)]; }
}

before(() => { /** @type {any} */ (globalThis).document = { createElementNS: (/** @type {string} */ ns, /** @type {string} */ tag) => new Shape(ns, tag) }; });
after(() => { delete (/** @type {any} */ (globalThis).document); });

const range = (/** @type {number} */ median, count = 3) => ({ median, min: median, max: median, count });

/** @param {number} day @param {number | null} sse @param {number | null} ws @returns {import('../core/trend.js').Named} */
const report = (day, sse, ws) => ({
  name: `r${day}`,
  report: {
    kind: 'comparison', status: 'complete', started: `2026-03-0${day}T10:00:00Z`, setup: {}, machine: {}, target: { own: true },
    variants: [{ name: '', lane: 'sse', engine: 'stream' }, { name: '', lane: 'ws', engine: 'stream' }],
    metrics: [{ key: 'latency_p99', unit: 'ms', a: range(sse ?? 0, sse === null ? 0 : 3), b: range(ws ?? 0, ws === null ? 0 : 3) }],
  },
});

/** @param {import('../core/trend.js').Named[]} reports @param {string[]} [hidden] */
function shapes(reports, hidden = []) {
  const of = trend(reports, 'latency_p99');
  const all = draw(of, 600, 300, new Set(of.lines.filter((l) => hidden.includes(l.lane)).map((l) => l.key))).flatMap((e) => /** @type {any} */ (e).all);
  return (/** @type {string} */ kind) => all.filter((/** @type {Shape} */ e) => ` ${e.attributes.class} `.includes(` ${kind} `));
}

test('an unmeasured figure is a cross below the axis, with neither a point nor a line to it', () => {
  const of = shapes([report(1, 4, 8), report(2, null, 0), report(3, 4, 8)]);
  const points = of('point').map((/** @type {Shape} */ e) => Number(e.attributes.cy ?? Number(e.attributes.y) + 3));
  assert.equal(points.length, 5);
  const zero = Math.max(...points); // WebSocket's measured 0
  assert.equal(points.filter((/** @type {number} */ y) => y === zero).length, 1);
  assert.deepEqual(of('unmeasured').map((/** @type {Shape} */ e) => e.attributes.class), ['unmeasured l-sse']);
  const cross = Number(/^M[\d.]+ ([\d.]+)/.exec(of('unmeasured')[0].attributes.d)?.[1]);
  assert.ok(cross > zero + 4, `${cross} is below ${zero}`);
  assert.deepEqual(of('join').map((/** @type {Shape} */ e) => e.attributes.class), ['join l-ws', 'join l-ws']);
  assert.match(of('column')[1].children[0].textContent, /^r2\n.*\nSSE stream: not measured\nWebSocket stream: 0$/);
});

test('a hidden line leaves the plot, and its axis', () => {
  const of = shapes([report(1, 4, 80), report(2, 4, 80)], ['ws']);
  assert.deepEqual(of('join').length, 1);
  assert.ok(of('point').every((/** @type {Shape} */ e) => e.tag === 'circle'));
  assert.deepEqual(of('mark').map((/** @type {Shape} */ e) => e.children[1]?.textContent), ['0', '1', '2', '3', '4']);
});

test('variants of one lane have different dashes', () => {
  const lines = ['sse', 'ws', 'sse', 'ws', 'sse'].map((lane, k) => ({ key: String(k), name: '', lane }));
  const patterns = dashes(lines);
  assert.equal(new Set([0, 2, 4].map((k) => patterns[k])).size, 3);
  assert.equal(patterns[0], patterns[1]);
});

test('one report, or none, can be drawn', () => {
  assert.equal(shapes([report(1, 4, 8)])('point').length, 2);
  assert.ok(shapes([report(1, null, null)])('unmeasured').every((/** @type {Shape} */ e) => !/NaN/.test(String(e.attributes.d))));
});
