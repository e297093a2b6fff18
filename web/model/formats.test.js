import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as f from './formats.js';

/** @type {[keyof typeof f, any[], string][]} a space is written for U+202F */
const TABLE = [
  ['price', [184.27, 2], '184.27'], ['price', [12204.5, 2], '12 204.50'], ['price', [-0.05, 2], '−0.05'], ['price', [-0.001, 2], '0.00'],
  ['price', [NaN, 2], '–'], ['price', [undefined, 2], '–'], ['price', [1.0834, 5], '1.08340'], ['price', [-40.32, 2], '−40.32'], ['price', [39000, 0], '39 000'], ['price', [0.316, 5], '0.31600'],
  ['price', [1234.000000001, 9], '1 234.000000001'],
  ['signed', [3.41], '+3.41'], ['signed', [-0.22], '−0.22'], ['signed', [0], '0.00'], ['signed', [-0.001], '0.00'], ['signed', [1.26, 1], '+1.3'],
  ['arrow', [1], '▲'], ['arrow', [-1], '▼'], ['arrow', [0.001], ''], ['arrow', [NaN], ''],
  ['percent', [1.89], '▲ +1.89 %'], ['percent', [-0.66], '▼ −0.66 %'], ['percent', [0], '0.00 %'], ['percent', [NaN], '–'],
  ['move', [1.89], '▲ 1.89'], ['move', [-0.66], '▼ 0.66'], ['move', [0], '0.00'],
  ['compact', [0], '0'], ['compact', [940], '940'], ['compact', [999.6], '1.0k'], ['compact', [8_900], '8.9k'], ['compact', [21_100_000], '21.1M'],
  ['compact', [999_949], '1.0M'], ['compact', [350_000_000], '350M'], ['compact', [1.2e9], '1.2B'], ['compact', [5e15], '5 000T'],
  ['compact', [0.0132, 4], '0.0132'], ['compact', [0.0001, 4], '0.0001'], ['compact', [0.5, 8], '0.500'], ['compact', [1.25, 4], '1.25'], ['compact', [64.21, 4], '64.2'], ['compact', [64.21, 0], '64'], ['compact', [846.78, 2], '847'],
  ['compact', [0, 4], '0'], ['compact', [-0.5, 1], '−0.5'], ['compact', [2_000_000.5, 4], '2.0M'], ['volume', [8900.25, 4], '8.9k'], ['volume', [20.25, 2], '20.3'],
  ['count', [482201], '482 201'], ['count', [0], '0'], ['count', [999], '999'], ['count', [1e6], '1 000 000'], ['count', [-1234], '−1 234'],
  ['bytes', [58], '58 B'], ['bytes', [6100], '6.1 kB'], ['bytes', [999.6], '1.0 kB'], ['bytes', [1.25e6], '1.3 MB'], ['bytes', [250e6], '250 MB'], ['bytes', [5e16], '50 000 TB'],
  ['byteRate', [6100], '6.1 kB/s'], ['byteRate', [NaN], '–'],
  ['latency', [0.38], '0.38'], ['latency', [1.24], '1.2'], ['latency', [38.4], '38'], ['latency', [1204], '1 204'], ['latency', [-0.12], '−0.12'],
  ['latency', [0.999], '1.0'], ['latency', [9.96], '10'],
  ['age', [0], '0.0 s'], ['age', [480], '0.4 s'], ['age', [9_400], '9 s'], ['age', [180_000], '3 min'], ['age', [7_300_000], '2 h'], ['age', [4e8], '4 d'], ['age', [-50], '0.0 s'],
  ['countdown', [2100], '3 s'], ['countdown', [0], '0 s'], ['countdown', [-5], '0 s'], ['countdown', [1], '1 s'],
  ['seconds', [0.409], '0.41 s'], ['seconds', [12.34], '12.3 s'], ['seconds', [200], '3 min'],
  ['position', ['9f3c1a-482913'], '9f3c1a-482 913'], ['position', [undefined], '–'],
];

test('figures have the usual formats', () => {
  for (const [name, args, want] of TABLE) {
    const got = /** @type {any} */ (f[name])(...args).replaceAll('\u202f', ' ');
    assert.equal(got, want, `${name}(${args})`);
  }
});

/** @type {f.Format} */
const plain = { numbers: 'space', volume: 'short', tz: 'device', locale: 'en', units: { s: 's', min: 'min', h: 'h', d: 'd', large: '1000 k M B T' } };

/** @param {import('node:test').TestContext} c @param {Partial<f.Format>} format */
function write(c, format) {
  c.after(() => f.useFormat(plain));
  f.useFormat({ ...plain, ...format });
}

test('all figures follow the number format', (c) => {
  write(c, { numbers: 'comma' });
  assert.deepEqual([f.price(12204.5, 2), f.count(1234567), f.latency(1204), f.compact(8900)], ['12,204.50', '1,234,567', '1,204', '8.9k']);
  write(c, { numbers: 'point' });
  assert.deepEqual([f.price(12204.5, 2), f.price(1.5, 2), f.count(1234567), f.compact(8900), f.bytes(6100), f.latency(0.38), f.age(480), f.seconds(12.34), f.percent(-0.66)],
    ['12.204,50', '1,50', '1.234.567', '8,9k', '6,1\u202fkB', '0,38', '0,4\u202fs', '12,3\u202fs', '▼ −0,66\u202f%']);
  assert.equal(f.price(999.999, 2), '1.000,00', 'a figure rounded up to four digits is grouped');
});

test('a price has the same length in each format', (c) => {
  const widths = ['space', 'comma', 'point'].map((numbers) => {
    write(c, { numbers: /** @type {any} */ (numbers) });
    return [f.price(184.27, 2).length, f.price(12204.5, 2).length];
  });
  assert.deepEqual(widths, [[6, 9], [6, 9], [6, 9]]);
});

test('volume is short or full, and in units of ten thousand in Chinese', (c) => {
  assert.equal(f.volume(21_100_000, 0), '21.1M');
  write(c, { volume: 'full' });
  assert.equal(f.volume(21_100_000, 0), '21\u202f100\u202f000');
  write(c, { units: { s: '秒', min: '分', h: '时', d: '天', large: '10000 万 亿 万亿' } });
  assert.deepEqual([8_900, 9_999.6, 12_000, 21_100_000, 350_000_000, 1.2e12, 5e17].map(f.compact), ['8900', '1.0万', '1.2万', '2110万', '3.5亿', '1.2万亿', '500\u202f000万亿']);
  assert.equal(f.age(180_000), '3\u202f分');
});

test("the time of day has seconds and is the device's, UTC or New York's, by summer and winter", (c) => {
  assert.equal(f.timeOfDay(new Date(2024, 0, 2, 14, 2, 11).getTime()), '14:02:11');
  assert.equal(f.timeOfDay(NaN), '–');
  write(c, { tz: 'utc' });
  assert.equal(f.timeOfDay(Date.UTC(2026, 10, 22, 23, 59, 59, 999)), '23:59:59');
  assert.equal(f.timeOfDay(-1), '23:59:59');
  write(c, { tz: 'ny' });
  for (const [utc, want] of /** @type {const} */ ([
    [Date.UTC(2026, 0, 2, 3, 4, 5), '22:04:05'], [Date.UTC(2026, 6, 2, 3, 4, 5), '23:04:05'],
    [Date.UTC(2026, 2, 8, 6, 59, 59), '01:59:59'], [Date.UTC(2026, 2, 8, 7, 0, 0), '03:00:00'], // clocks go forward
    [Date.UTC(2026, 10, 1, 5, 59, 59), '01:59:59'], [Date.UTC(2026, 10, 1, 6, 0, 0), '01:00:00'], // and back
  ])) assert.equal(f.timeOfDay(utc), want);
  assert.equal(f.dates({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(Date.UTC(2026, 6, 2, 3, 4)), '23:04');
});

test('a figure rounded to 0 has no sign, a negative one has one everywhere', () => {
  const price = (/** @type {number} */ x) => f.price(x, 2);
  for (const f1 of [f.compact, f.decimal, f.count, price, f.signed, f.latency]) assert.doesNotMatch(f1(-0.0001), /\u2212/, f1.name);
  for (const f1 of [f.compact, f.decimal, f.count, price, f.signed, f.latency]) assert.match(f1(-1.26), /^\u2212/, f1.name);
  assert.equal(f.compact(-0), '0');
});
