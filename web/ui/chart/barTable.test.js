import assert from 'node:assert/strict';
import { test } from 'node:test';
import { csv } from './barTable.js';

test('CSV has UTC times, plain numbers and the oldest bar first', () => {
  assert.equal(csv([{ t: 1_760_000_040e6, o: 1234.5, h: 1240, l: 1, c: 2.25, v: 70 }]), 'time,open,high,low,close,volume\r\n2025-10-09T08:54:00.000Z,1234.50,1240.00,1.00,2.25,70\r\n');
});
