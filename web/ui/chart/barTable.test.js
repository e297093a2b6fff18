import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useInstruments } from '../../model/instruments.js';
import { changeClass, csv } from './barTable.js';

test('CSV has UTC times, plain numbers and the oldest bar first', () => {
  assert.equal(csv('A', [{ t: 1_760_000_040e6, o: 1234.5, h: 1240, l: 1, c: 2.25, v: 70 }]), 'time,open,high,low,close,volume\r\n2025-10-09T08:54:00Z,1234.50,1240.00,1.00,2.25,70\r\n');
});

test('CSV has the decimals of the instrument', (c) => {
  c.after(() => useInstruments([]));
  useInstruments([{ symbol: 'BTC', name: '', sector: '', value: 0, decimals: 3, size_decimals: 4 }, { symbol: 'CL', name: '', sector: '', value: 0, negative: true }]);
  assert.match(csv('BTC', [{ t: 0, o: 64150.25, h: 64151, l: 64150, c: 64150.25, v: 0.1 + 0.2 }]), /,64150\.250,64151\.000,64150\.000,64150\.250,0\.3000\r\n$/);
  assert.match(csv('CL', [{ t: 0, o: 1, h: 1.5, l: -40.32, c: -37.6, v: 2 }]), /,1\.00,1\.50,-40\.32,-37\.60,2\r\n$/);
});

test('a change that is displayed as 0 has no direction', () => {
  assert.deepEqual([changeClass(0.004, 2), changeClass(0.004, 3), changeClass(-0.00001, 5), changeClass(NaN, 2)], ['faint', 'up', 'down', 'faint']);
});
