import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byAge, changeOf, matched, sameSides } from './overlay.js';
import { defaults, differingSettings, setupName } from './setup.js';
import { sample } from '../test/samples.js';

/** @param {import('./types.js').Setup['sides']} sides */
function run(sides) {
  const r = sample();
  r.setup.sides = sides;
  r.sides.forEach((s, k) => { s.lane = sides[k] ?? 'sse'; });
  return r;
}

test('kept sides are compared with those of the same lane', () => {
  const at = (/** @type {any} */ now, /** @type {any} */ kept) => matched(run(now), run(kept)).map((s) => s?.index ?? null);
  assert.deepEqual(at(['sse', 'ws'], ['sse', 'ws']), [0, 1]);
  assert.deepEqual(at(['sse', 'ws'], ['ws', 'ws']), [null, 1]);
  assert.deepEqual(at(['ws', 'ws'], ['sse', 'ws']), [1, 1]);
  assert.deepEqual(at(['sse', 'sse'], ['ws', 'ws']), [null, null]);
  assert.ok(sameSides(run(['ws', 'ws']), run(['ws', 'ws'])));
  assert.ok(!sameSides(run(['sse', 'ws']), run(['ws', 'ws'])));
});

test('the error of a change has both errors; an unknown one stays unknown', () => {
  assert.deepEqual(changeOf({ value: 1, error: 3 }, { value: 3, error: 4 }), { value: -2, error: 5 });
  assert.ok(Number.isNaN(changeOf({ value: 1, error: NaN }, { value: 3, error: 4 }).error));
});

test('p99 by age, without unmeasured seconds', () => {
  assert.deepEqual([...byAge([{ t: 1_000, p99: 2 }, { t: 2_000, p99: NaN }, { t: 3_000, p99: 4 }], 3_000)], [[-2, 2], [0, 4]]);
});

test('settings that differ, and the name of a setup', () => {
  const a = { ...defaults(), rate: 500, engine: { a: '', b: 'shard' } };
  assert.deepEqual(differingSettings(a, { ...defaults(), mode: /** @type {const} */ ('latest') }), [['mode', 'all', 'latest'], ['engine', ',shard', ''], ['rate', '500', '']]);
  assert.equal(setupName(defaults()), 'SSE | WebSocket');
  assert.equal(setupName(a), 'SSE default | WebSocket shard · rate=500');
  assert.equal(setupName({ ...defaults(), topics: ['AAPL'], mode: 'latest' }), 'SSE | WebSocket · topics=AAPL · mode=latest');
});
