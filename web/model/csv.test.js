import assert from 'node:assert/strict';
import { test } from 'node:test';
import { columns } from './columns.js';
import { csv, csvName, table } from './csv.js';
import { useInstruments } from './instruments.js';

test('CSV has the chosen columns, quoted and without formulas', () => {
  /** @type {any} */
  const r = { S: 'A', p: 1204.5, bp: 1204.49, bs: 300, ap: 1204.51, as: 200, spread: 0.02, change: -3.5, changePct: -0.29, l: NaN, h: 1300, t: 0 };
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

test('CSV has the decimals of each instrument, also of negative prices', (c) => {
  c.after(() => useInstruments([]));
  const listing = { name: 'n', sector: 's', value: 1 };
  const list = [{ ...listing, symbol: 'EURUSD', decimals: 5 }, { ...listing, symbol: 'BTC', decimals: 2, size_decimals: 4 }, { ...listing, symbol: 'CL', negative: true }];
  useInstruments(list);
  const r = { EURUSD: { p: 1.0834, bs: 1e6, bp: 1.08345 }, BTC: { p: 64150, bs: 0.0001, bp: 64149.5 }, CL: { p: -40.32, bs: 3, bp: -40.4 } };
  const text = csv(['last', 'bid'], list, (S) => /** @type {any} */ ({ S, .../** @type {any} */ (r)[S] }));
  assert.deepEqual(text.split('\r\n').slice(1, -1), ['EURUSD,n,1.08340,1.08345,1000000', 'BTC,n,64150.00,64149.50,0.0001', 'CL,n,-40.32,-40.40,3']);
  assert.equal(table([['-40.32', '-cmd', '-1-1', '@ES', '12.5']]), "\ufeff-40.32,'-cmd,'-1-1,'@ES,12.5\r\n", 'a number is no formula');
});

test('every column but the sparkline has CSV fields, with unique names', () => {
  for (const [id, { csv: fields }] of Object.entries(columns)) assert.equal(fields.length > 0, id !== 'spark', id);
  const names = Object.values(columns).flatMap(({ csv: fields }) => fields.map(([name]) => name));
  assert.equal(new Set(names).size, names.length);
});
