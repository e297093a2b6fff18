import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { upgrade } from './loadReport.js';

/** @param {string} name of a stored report of schema 1 */
const stored = (name) => JSON.parse(readFileSync(new URL(`../../../internal/loadtest/report/testdata/${name}`, import.meta.url), 'utf8'));

test('a report of schema 1 gets the current names', () => {
  const old = stored('schema1-comparison.json');
  const report = upgrade(old);
  assert.equal(report.schema, 'ticklane.load/2');
  assert.deepEqual(report.variants, old.sides);
  assert.deepEqual(upgrade({ ...old, contrasts: [{}] }).pairwise, [{}]);
  assert.equal(report.sides, undefined);
  assert.equal(report.metrics.length, old.metrics.length);
  assert.deepEqual(report.metrics[0].variants, old.metrics[0].sides);
  assert.equal(report.headline, old.headline);
  assert.equal(upgrade(stored('schema1-drill.json')).metrics, undefined);
});

test('a current report is returned as it is, anything else is rejected', () => {
  const report = { schema: 'ticklane.load/2', variants: [] };
  assert.equal(upgrade(report), report);
  for (const other of [null, {}, { schema: 'ticklane.load/3' }, '']) assert.throws(() => upgrade(other), /unknown schema/);
});
