import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJSON } from '../../browser/storage.js';
import { MOST, readAlerts } from './alertStore.js';
import { parseLevel } from '../../model/alerts.js';
import { validate } from './alertDialog.js';

const good = { id: 'x', S: 'A', kind: 'above', level: 105, minutes: 0, every: false, armed: true, done: false, n: 0, epoch: 'e', i: 5 };
const parse = (/** @type {any[]} */ ...alerts) => readAlerts({ v: 1, alerts });

test('stored alerts are read, and invalid ones are left out', () => {
  const within = { ...good, id: 'y', kind: 'within', level: -0.5, minutes: 5 };
  assert.deepEqual(parse(good, within), [good, within]);
  for (const text of [null, '', '{', 'null', '[]', '{"v":2,"alerts":[]}', '{"v":1}', '{"v":1,"alerts":{}}']) assert.deepEqual(readAlerts(parseJSON(text)), [], `${text}`);
  for (const bad of [
    null, 7, {}, { ...good, id: '' }, { ...good, S: '' }, { ...good, S: 'A B' }, { ...good, kind: 'beside' }, { ...good, level: Infinity }, { ...good, level: '105' }, { ...good, n: -1 },
    { ...good, armed: 1 }, { ...good, minutes: 3 }, { ...within, minutes: 0 }, { ...within, minutes: 61 }, { ...within, level: 0 }, { ...within, level: 51 }, { ...good, i: null },
  ]) assert.deepEqual(parse(bad, within), [within], JSON.stringify(bad));
  assert.equal(parse(good, good).length, 1, 'an id is one alert');
  assert.equal(parse(...Array.from({ length: 80 }, (_, k) => ({ ...good, id: `${k}` }))).length, MOST);
});

test('an invalid alert is refused with the field that is wrong', () => {
  for (const [kind, level, minutes] of [['above', '0.01', ''], ['below', '184.27', 'x'], ['day', '-3', ''], ['within', '0.5', '60']]) assert.equal(validate('A', `${kind}`, `${level}`, `${minutes}`), null);
  for (const level of ['', ' ', '0', '0.004', '-1', 'x', '1e17']) assert.deepEqual(validate('A', 'above', level, ''), { key: 'level', field: 'level' }, level);
  for (const level of ['', '0', '-0.004', '50.1', '-51', 'x']) assert.deepEqual(validate('A', 'day', level, ''), { key: 'percent', field: 'level' }, level);
  for (const [kind, level] of /** @type {const} */ ([['above', '184.274'], ['below', '0.015'], ['day', '-2.996']])) assert.deepEqual(validate('A', kind, level, ''), { key: 'decimals', field: 'level' }, level);
  assert.deepEqual(['184.27', '-3', '1e2', ' ', 'x'].map(parseLevel), [184.27, -3, 100, NaN, NaN]);
  for (const minutes of ['', '0', '61', '2.5', 'x']) assert.deepEqual(validate('A', 'within', '1', minutes), { key: 'minutes', field: 'minutes' }, minutes);
});
