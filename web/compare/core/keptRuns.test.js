import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeptRuns, NAME, RUNS, SIZE } from './keptRuns.js';

/** A browser's storage. @param {{ refuses?: boolean }} [how] */
function storage(how = {}) {
  /** @type {Map<string, string>} */
  const values = new Map([['ticklane.settings', '{}']]);
  const area = {
    get length() { return values.size; },
    key: (/** @type {number} */ k) => [...values.keys()][k] ?? null,
    getItem: (/** @type {string} */ key) => values.get(key) ?? null,
    setItem: (/** @type {string} */ key, /** @type {string} */ value) => {
      if (how.refuses) throw new Error('QuotaExceededError');
      values.set(key, value);
    },
    removeItem: (/** @type {string} */ key) => void values.delete(key),
  };
  return { values, area: () => area, how };
}

test('a run is kept in one line, renamed, removed and restored', () => {
  const { area, values } = storage();
  const runs = new KeptRuns(area);
  const { id, why } = runs.add('  First\n run ', '{\n "a": [1,\n 2]\n}', 1_000);
  assert.equal(why, '');
  assert.deepEqual(runs.all.map((e) => [e.id, e.name, e.text]), [[id, 'First run', '{"a":[1,2]}']]);
  assert.equal(runs.rename(id, 'Second'), '');
  assert.equal(runs.rename(id, '  '), '');
  assert.equal(runs.all[0]?.name, 'Second');
  const restore = runs.remove(id);
  assert.deepEqual(runs.all, []);
  assert.equal(runs.rename(id, 'Third'), 'gone');
  restore();
  assert.equal(new KeptRuns(area).all[0]?.name, 'Second');
  assert.equal(values.get('ticklane.settings'), '{}');
});

test('runs are listed by time; two tabs in the same millisecond keep both', () => {
  const { area } = storage();
  const [a, b] = [new KeptRuns(area, () => 0.1), new KeptRuns(area, () => 0.9)];
  b.add('late', '{}', 2_000_000_000_000);
  a.add('early', '{}', 9);
  b.add('also early', '{}', 9);
  const names = a.all.map((e) => e.name);
  assert.deepEqual([names.slice(0, 2).sort(), names[2]], [['also early', 'early'], 'late']);
});

test('number and size are bounded, names cut', () => {
  const { area } = storage();
  const runs = new KeptRuns(area);
  assert.equal(runs.add('x'.repeat(1_000), JSON.stringify('y'.repeat(SIZE)), 1).why, 'large');
  assert.equal(runs.add('a', JSON.stringify('y'.repeat(SIZE / 2)), 1).why, '');
  assert.equal(runs.add('b', JSON.stringify('y'.repeat(SIZE / 2)), 2).why, 'large');
  assert.ok(runs.size > SIZE / 2 && runs.size <= SIZE);
  for (let k = 1; k < RUNS; k++) assert.equal(runs.add('n'.repeat(1_000), '{}', k).why, '');
  assert.equal(runs.add('c', '{}', 99).why, 'many');
  assert.equal(runs.all.length, RUNS);
  assert.ok(runs.all.every((e) => e.name.length <= NAME));
});

test('a full or forbidden storage is reported and changes nothing', () => {
  const { area, how } = storage();
  const runs = new KeptRuns(area);
  const { id } = runs.add('kept', '{}', 1);
  how.refuses = true;
  assert.deepEqual(runs.add('more', '{}', 2), { id: '', why: 'refused' });
  assert.equal(runs.rename(id, 'other'), 'refused');
  assert.deepEqual(runs.all.map((e) => e.name), ['kept']);
  const none = new KeptRuns(() => { throw new Error('SecurityError'); });
  assert.deepEqual(none.all, []);
  assert.equal(none.add('x', '{}', 1).why, 'refused');
  none.remove('x')();
});

test('a damaged entry is listed without a run, so that it can be removed', () => {
  const { area, values } = storage();
  for (const [k, value] of ['', 'x', '{}\n{}', '{"v":2,"name":"n"}\n{}', '{"v":1,"name":3}\n{}'].entries()) values.set(`ticklane.run.${k}`, value);
  const runs = new KeptRuns(area);
  assert.equal(runs.all.length, 5);
  assert.ok(runs.all.every((e) => e.text === '' && e.name === ''));
  for (const e of runs.all) runs.remove(e.id);
  assert.deepEqual(runs.all, []);
});
