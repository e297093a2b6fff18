import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJSON } from '../browser/storage.js';
import { columnList, columns, fit, LEAST, moveEdge, rangePosition, readColumns, readStored, readWidths, spreadBp, staleAfter, standard } from './columns.js';

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
  assert.deepEqual(fit(['last', 'net', 'bid'], 600, 48, { price: '64,123.50'.length, size: 0 }).widths, [82, 60, 108], 'long prices are wider');
  assert.deepEqual(fit(['last', 'net', 'bid'], 600, 48, { price: 6, size: '0.0132'.length }).widths, [58, 60, 96], 'and so are long sizes');
  assert.deepEqual(fit(['last', 'bid'], 170, 48, { price: 6, size: '0.0132'.length }).widths, [58], 'which are not shown in little space');
});

test('widths that the user has set are used, and stored ones are checked', () => {
  assert.deepEqual(fit(['last', 'net', 'bid'], 600, 48, undefined, { net: 100, bid: 40 }).widths, [58, 100, 40]);
  assert.deepEqual(fit(['last', 'net', 'bid'], 250, 48, undefined, { last: 120 }), { ids: ['last'], compact: true, widths: [120] });
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

test('figures of negative prices are finite, or unknown', () => {
  const of = (/** @type {any} */ r) => spreadBp(r);
  assert.equal(of({ bp: 99.5, ap: 100.5, spread: 1 }), 100);
  assert.equal(of({ bp: -100.5, ap: -99.5, spread: 1 }), 100);
  assert.ok(Number.isNaN(of({ bp: -1, ap: 1, spread: 2 })));
  const trend = (/** @type {number[]} */ ...values) => columns.spark?.figure(/** @type {any} */ ({ spark: { values: () => values } }));
  assert.deepEqual([trend(2, 3), trend(-2, -1), trend(-1, -2), trend(0, 5)], [50, 50, -100, NaN]);
});
