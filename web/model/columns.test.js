import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJSON } from '../browser/storage.js';
import { columnList, fit, LEAST, moveEdge, rangePosition, readColumns, readStored, readWidths, staleAfter, standard } from './columns.js';

test('columns are read from an address without unknown ones and duplicates', () => {
  assert.equal(readColumns('age,last,age,shoe,constructor,'), 'age,last');
  assert.deepEqual(columnList('age,last'), ['age', 'last']);
  assert.equal(readColumns(standard.join()), '', 'the standard columns are left out');
  assert.equal(readColumns(''), '');
  assert.deepEqual(columnList(''), standard);
});

test('stored columns are read, invalid ones are ignored', () => {
  assert.equal(readStored({ v: 1, cols: 'bid,ask' }), 'bid,ask');
  for (const text of [null, '', '{', '[]', 'null', '{"v":2,"cols":"bid"}', '{"v":1,"cols":7}']) assert.equal(readStored(parseJSON(text)), '');
});

test('when space is short, sizes are dropped first, then the last columns, but never all', () => {
  assert.deepEqual(fit(standard, 600, 48), { ids: [...standard], compact: false, widths: [58, 60, 66, 84, 84, 48, 40] });
  assert.deepEqual(fit(standard, 540, 48), { ids: [...standard], compact: true, widths: [58, 60, 66, 52, 52, 48, 40] });
  assert.deepEqual(fit(standard, 480, 48).ids, standard.slice(0, 6));
  assert.deepEqual(fit(['bid', 'age', 'last'], 240, 48), { ids: ['bid', 'age'], compact: true, widths: [52, 40] });
  assert.deepEqual(fit(standard, 10, 48).ids, ['last']);
  assert.equal(fit(['volume'], 600, 72).widths[0], 72);
  assert.deepEqual(fit(['last', 'net', 'bid'], 600, 48, '64,123.50'.length).widths, [82, 60, 108], 'long prices are wider');
});

test('widths that the user has set are used, and stored ones are checked', () => {
  assert.deepEqual(fit(['last', 'net', 'bid'], 600, 48, 6, { net: 100, bid: 40 }).widths, [58, 100, 40]);
  assert.deepEqual(fit(['last', 'net', 'bid'], 250, 48, 6, { last: 120 }), { ids: ['last'], compact: true, widths: [120] });
  assert.deepEqual(readWidths({ v: 1, widths: { last: 70, net: LEAST, bid: 31, ask: '80', shoe: 70, volume: null, age: 601 } }), { last: 70, net: LEAST });
  for (const text of [null, '', '{', '[]', '{"v":2,"widths":{"last":70}}', '{"v":1,"widths":7}', '{"v":1}']) assert.deepEqual(readWidths(parseJSON(text)), {});
});

test('the edge between two columns moves as far as both keep their least widths', () => {
  assert.deepEqual(moveEdge(60, 80, 10), [70, 70]);
  assert.deepEqual(moveEdge(60, 80, 100), [108, LEAST]);
  assert.deepEqual(moveEdge(60, 80, -100), [LEAST, 108]);
  assert.deepEqual(moveEdge(100, 80, -50, 92), [92, 88], 'the symbol keeps more');
  assert.deepEqual(moveEdge(60, 30, 5), [60, 30], 'one that is narrower already stays');
  assert.deepEqual(moveEdge(60, 80, 3.4), [63, 77]);
});

test("the position in the day's range needs the day's figures", () => {
  const at = (/** @type {any} */ r) => rangePosition(r);
  assert.equal(at({ l: 10, h: 20, p: 15 }), 0.5);
  assert.equal(at({ l: 10, h: 20, p: 21 }), 1);
  assert.equal(at({ l: 10, h: 10, p: 10 }), 0.5);
  assert.ok(Number.isNaN(at({ l: NaN, h: NaN, p: 1 })));
});

test("a quote is stale by its symbol's own interval", () => {
  const after = (/** @type {number} */ ticks, /** @type {number} */ seconds) => staleAfter(/** @type {any} */ ({ n0: 5, n: 5 + ticks, t0: 0, t: seconds * 1e6 }));
  assert.equal(after(3, 100), 15_000, 'too few ticks');
  assert.equal(after(1000, 10), 10_000, 'a quick one');
  assert.equal(after(20, 40), 60_000, 'one every 2 s');
  assert.equal(after(10, 100_000), 3_600_000);
});
