import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJSON } from '../browser/storage.js';
import { defaults, readOptions } from './chartOptions.js';

test('stored chart options are read; invalid ones are the default', () => {
  assert.deepEqual(readOptions({ sma20: true, volume: false }), { ...defaults, sma20: true, volume: false });
  for (const bad of [null, '', '{', 'null', '7', '[]', '{"volume":"no","pie":true}']) assert.deepEqual(readOptions(parseJSON(bad)), defaults);
});
