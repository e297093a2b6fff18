import assert from 'node:assert/strict';
import { test } from 'node:test';
import { columns } from './columns.js';
import { csv } from './csv.js';
import { parseSymbols, planImport } from './symbolImport.js';

test('symbols are separated by line breaks, commas, semicolons, tabs and spaces', () => {
  for (const text of ['AAPL\nMSFT\nBRK.B', 'AAPL,MSFT,BRK.B', 'AAPL; MSFT; BRK.B;', 'AAPL\tMSFT\tBRK.B', ' AAPL  MSFT BRK.B ', '\ufeffAAPL\r\nMSFT\r\n\r\nBRK.B', 'AAPL,"MSFT",$BRK.B', ",'AAPL'\n;MSFT\t,BRK.B"]) {
    assert.deepEqual(parseSymbols(text), ['AAPL', 'MSFT', 'BRK.B'], JSON.stringify(text));
  }
  assert.deepEqual(parseSymbols(' \n,;\t'), []);
});

test('of a table the column of symbols is read', () => {
  assert.deepEqual(parseSymbols('Name;Ticker;Qty\r\n"Apple; Inc.";AAPL;5\r\nMicrosoft;msft\r\nnothing\r\n'), ['AAPL', 'msft']);
  assert.deepEqual(parseSymbols('Qty\tSymbol\n3\tKO\n'), ['KO']);
  assert.deepEqual(parseSymbols('Symbol\nKO\nPEP'), ['KO', 'PEP']);
  const list = [{ symbol: 'A', name: 'Say "A", Inc.', sector: 's', value: 1 }, { symbol: 'BRK.B', name: 'Berkshire', sector: 's', value: 1 }];
  assert.deepEqual(parseSymbols(csv(Object.keys(columns), list, () => undefined)), ['A', 'BRK.B'], 'as exported');
});

test('duplicates are ignored, unknown symbols are named, and a list has a limit', () => {
  const known = (/** @type {string} */ s) => /^[A-F]$/.test(s);
  assert.deepEqual(planImport('B,A,b,X,C,X,<b>,D,E', { known, present: ['A', 'F'], most: 4 }), { add: ['B', 'C'], unknown: ['X', '<b>'], ignored: 2, over: 2 });
  const odd = (/** @type {string} */ x) => ['aave', 'AAPL', '^GSPC', 'EUR/USD', 'x:BTC', '@ES'].includes(x);
  assert.deepEqual(planImport('aave AAVE aapl ^gspc EUR/USD;x:BTC', { known: odd, present: [], most: 9 }), { add: ['aave', 'AAPL', '^GSPC', 'EUR/USD', 'x:BTC'], unknown: ['AAVE'], ignored: 0, over: 0 }, 'case is kept where it matters');
  assert.deepEqual(parseSymbols(csv([], [{ symbol: '@ES', name: '', sector: 's', value: 1 }], () => undefined).replace('name', 'x')), ['@ES']);
  assert.deepEqual(planImport('A', { known, present: ['A', 'B'], most: 2 }), { add: [], unknown: [], ignored: 1, over: 0 });
  assert.deepEqual(planImport('', { known, present: [], most: 2 }), { add: [], unknown: [], ignored: 0, over: 0 });
});
