import assert from 'node:assert/strict';
import { test } from 'node:test';
import { columns } from './columns.js';
import { csv, csvName } from './csv.js';

test('CSV has the chosen columns, quoted and without formulas', () => {
  /** @type {any} */
  const r = { p: 1204.5, bp: 1204.49, bs: 300, ap: 1204.51, as: 200, spread: 0.02, change: -3.5, changePct: -0.29, l: NaN, h: 1300, t: 0 };
  const list = [
    { symbol: 'A', name: 'Say "A", Inc.', sector: 's', value: 1 },
    { symbol: '=B', name: '+cmd|x', sector: 's', value: 1 },
    { symbol: 'C', name: '中国石油', sector: 's', value: 1 },
  ];
  const text = csv(['net', 'ask', 'range', 'spark', 'spread'], list, (s) => (s === 'C' ? undefined : r));
  assert.deepEqual(text.split('\r\n'), [
    '\ufeffsymbol,name,change,ask,ask_size,low,high,spread,spread_bp',
    'A,"Say ""A"", Inc.",-3.50,1204.51,200,,1300.00,0.02,0.17',
    "'=B,'+cmd|x,-3.50,1204.51,200,,1300.00,0.02,0.17",
    'C,中国石油,,,,,,,',
    '',
  ]);
  assert.equal(csvName(new Date(0)), 'ticklane-1970-01-01-00-00-00.csv');
});

test('every column but the sparkline has CSV fields, with unique names', () => {
  for (const [id, { csv: fields }] of Object.entries(columns)) assert.equal(fields.length > 0, id !== 'spark', id);
  const names = Object.values(columns).flatMap(({ csv: fields }) => fields.map(([name]) => name));
  assert.equal(new Set(names).size, names.length);
});
