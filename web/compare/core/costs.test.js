import assert from 'node:assert/strict';
import { test } from 'node:test';
import { costs } from './costs.js';

const range = (/** @type {number} */ median) => ({ median, min: median - 1, max: median + 1, count: 5 });

/** @returns {any} a report of two engines on both lanes, of a third that SSE alone has, and of a packed side */
function report() {
  const side = (/** @type {string} */ lane, /** @type {string} */ engine, more = {}) => ({ name: `${lane} ${engine}`, lane, engine, encoding: 'json', compression: 'none', ...more });
  return {
    status: 'complete', started: '2026-03-01T14:25:01Z', headline: 'The protocol changes bytes.', pairwise: [{}],
    variants: [side('sse', 'stream'), side('sse', 'shard'), side('ws', 'stream'), side('ws', 'shard'), side('ws', 'shard', { encoding: 'protobuf' })],
    metrics: [
      { key: 'cpu_per_million', name: 'server CPU', unit: 's', variants: [14, 8, 11, 7, 6].map(range) },
      { key: 'kib_per_connection', name: 'memory', unit: 'KiB', variants: [48, 4, 27, 3, 99].map(range) },
      { key: 'other', name: 'not shown', unit: '', variants: [] },
    ],
  };
}

test('a row per engine, with both lanes', () => {
  const p = costs(report());
  assert.deepEqual(p?.engines.map((e) => [e.name, ...e.cells.flatMap((c) => [c.sse?.median, c.ws?.median])]), [
    ['stream', 14, 11, 48, 27], ['shard', 8, 7, 4, 3],
  ]);
  assert.deepEqual(p?.figures.map((f) => [f.name, f.most]), [['server CPU', 14], ['memory', 48]], 'sides with another encoding are skipped');
});

test('no table for incomplete reports and those without engines', () => {
  for (const change of [
    (/** @type {any} */ r) => { r.status = 'invalid'; },
    (/** @type {any} */ r) => { delete r.pairwise; },
    (/** @type {any} */ r) => { r.variants = r.variants.slice(3, 4); },
    (/** @type {any} */ r) => { delete r.variants; },
  ]) {
    const r = report();
    change(r);
    assert.equal(costs(r), null);
  }
  assert.equal(costs(/** @type {any} */ (null)), null);
  const unmeasured = report();
  unmeasured.metrics[1].variants[0].count = 0;
  assert.equal(costs(unmeasured)?.engines[0]?.cells[1]?.sse, null);
});
