import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { upgrade } from '../core/loadReport.js';
import { differences, verdict } from './conditions.js';

/** @typedef {import('./reportTable.js').Report} Report */

/** @returns {any} a recorded report */
const report = () => upgrade(JSON.parse(readFileSync(new URL('../../../docs/reports/standard.json', import.meta.url), 'utf8')));

test('reports of the same conditions can be compared', () => {
  const later = report();
  later.started = '2027-01-01T00:00:00Z';
  later.target.log_ticks += 5;
  later.target.settings.reverse();
  assert.equal(verdict([report(), later]), 'Same setup, machine and version: the columns can be compared directly.');
});

test('every difference is named', () => {
  /** @type {[string, (r: any) => void][]} */
  const changes = [
    ["server settings differ", (r) => { r.target.settings.push('--market.rate=500'); }],
    ["server settings differ", (r) => { delete r.target.settings; }],
    ['versions differ', (r) => { r.target.version = 'v0'; }],
    ['feeds differ', (r) => { r.target.feed = 'replay x.csv'; }],
    ['engine A differs', (r) => { r.variants[0].engine = 'shard'; }],
    ['the request of B differs', (r) => { r.variants[1].path += '&delay=2ms'; }],
    ['lane B differs', (r) => { r.variants[1].lane = r.variants[1].lane === 'sse' ? 'ws' : 'sse'; }],
    ['numbers of variants differ', (r) => { r.variants.pop(); }],
    ['encoding B differs', (r) => { r.variants[1].encoding = 'protobuf'; }],
    ['compression A differs', (r) => { r.variants[0].compression = 'gzip'; }],
    ['the server settings of A differ', (r) => { r.variants[0].settings = ['--stream.engine=shard']; }],
    ['memory sizes differ', (r) => { r.machine.memory_bytes *= 2; }],
    ['Go versions differ', (r) => { r.machine.go = 'go1.25'; }],
    ['operating systems differ', (r) => { r.machine.os = 'plan9'; }],
    ['the second is interrupted', (r) => { r.status = 'interrupted'; }],
    ['the second is broken', (r) => { r.status = 'broken'; }],
    ['numbers of slow readers differ', (r) => { r.setup.slow_readers = 10; }],
    ['churn rates differ', (r) => { r.setup.churn_per_s = 10; }],
    ['seeds differ', (r) => { r.setup.seed = 9; }],
    ['later differ', (r) => { r.setup.later = 1; }],
    ['one is a comparison, the other a drill storm', (r) => { r.kind = 'drill storm'; }],
  ];
  for (const [want, change] of changes) {
    const other = report();
    change(other);
    assert.deepEqual(differences(report(), other), [want]);
    assert.equal(verdict([report(), other]), `Different conditions: ${want}. Do not compare the columns directly.`);
  }
  const later = report(); // as later versions write them
  for (const s of later.variants) Object.assign(s, { encoding: 'json', compression: 'none' });
  assert.deepEqual(differences(report(), later), [], 'reports of earlier versions are JSON, uncompressed');
  for (const key of Object.keys(report().setup)) {
    const other = report();
    other.setup[key] = 'else';
    assert.equal(differences(report(), other).length, 1, key);
  }
});

test('running servers are equal only at the same address', () => {
  const [a, b] = [report(), report()];
  for (const r of [a, b]) Object.assign(r.target, { own: false, url: 'http://127.0.0.1:7000', settings: undefined });
  assert.deepEqual(differences(a, b), []);
  b.target.url = 'http://127.0.0.1:7001';
  assert.deepEqual(differences(a, b), ['servers differ']);
});

test('incomplete reports cannot be compared', () => {
  const a = report();
  a.status = 'invalid';
  assert.deepEqual(differences(a, a), ['the first is invalid', 'the second is invalid']);
});
