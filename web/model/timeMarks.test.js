import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { barTimes, offsetAt, pictureName, zoneText } from './barTimes.js';
import { useFormat } from './formats.js';
import { markWeight } from './timeMarks.js';

const device = process.env.TZ;
after(() => use('device', device));

/** Chooses a setting, and the device's time zone. @param {'device' | 'utc' | 'ny'} tz @param {string} [zone] */
function use(tz, zone) {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
  useFormat({ numbers: 'space', volume: 'short', tz, locale: 'en-GB', units: { s: 's', min: 'min', h: 'h', d: 'd', large: '1000 k M B T' } });
}

/** The times at which a unit or a longer one begins. @param {string} interval @param {number} width s @param {string} from @param {number} bars @param {number} least weight */
function marks(interval, width, from, bars, least) {
  const start = Date.parse(from) / 1000;
  const offset = offsetAt(interval);
  const { moment } = barTimes(interval);
  return Array.from({ length: bars }, (_, k) => start + k * width)
    .filter((at) => markWeight(at - width, at, offset) >= least)
    .map((at) => moment.format(at * 1000));
}

const DAY = 50;
const HOUR = 30;

test("days begin at the zone's midnight, by summer and winter", () => {
  use('utc', 'Asia/Kathmandu');
  assert.deepEqual(marks('15m', 900, '2026-11-28T12:00Z', 96, DAY), ['29 Nov, 00:00:00']);
  use('device', 'Asia/Kathmandu'); // UTC+5:45
  assert.deepEqual(marks('15m', 900, '2026-11-28T12:00Z', 96, DAY), ['29 Nov, 00:00:00']);
  assert.deepEqual(marks('1h', 3600, '2026-11-28T12:00Z', 24, DAY), ['29 Nov, 00:45:00'], "an hour's bar spans midnight");
  use('device', 'Australia/Lord_Howe'); // UTC+10:30, by summer +11
  assert.deepEqual(marks('15m', 900, '2026-04-03T12:00Z', 288, DAY), ['04 Apr, 00:00:00', '05 Apr, 00:00:00', '06 Apr, 00:00:00'], 'the clocks went back on the 5th');
  assert.deepEqual(marks('15m', 900, '2026-10-02T13:00Z', 288, DAY), ['03 Oct, 00:00:00', '04 Oct, 00:00:00', '05 Oct, 00:00:00'], 'and forward on the 4th');
  use('ny');
  assert.deepEqual(marks('1h', 3600, '2026-03-07T00:00Z', 72, DAY), ['07 Mar, 00:00:00', '08 Mar, 00:00:00', '09 Mar, 00:00:00']);
  assert.deepEqual(marks('1h', 3600, '2026-10-31T00:00Z', 72, DAY), ['31 Oct, 00:00:00', '01 Nov, 00:00:00', '02 Nov, 00:00:00']);
});

test('a day begins once where the clocks change at midnight', () => {
  use('device', 'America/Havana'); // at 01:00 back to 00:00, at 00:00 forward to 01:00
  assert.deepEqual(marks('15m', 900, '2026-10-31T12:00Z', 96, DAY), ['01 Nov, 00:00:00']);
  assert.deepEqual(marks('15m', 900, '2026-03-07T12:00Z', 96, DAY), ['08 Mar, 01:00:00']);
});

test("hours begin at the zone's full hours; one that the clock repeats begins twice", () => {
  use('device', 'Asia/Kathmandu');
  assert.deepEqual(marks('5m', 300, '2026-11-29T06:00Z', 24, HOUR), ['29 Nov, 12:00:00', '29 Nov, 13:00:00']);
  use('ny');
  assert.deepEqual(marks('5m', 300, '2026-11-01T04:55Z', 36, HOUR).map((s) => s.slice(-8)), ['01:00:00', '01:00:00', '02:00:00']);
  assert.deepEqual(marks('5m', 300, '2026-03-08T05:55Z', 36, HOUR).map((s) => s.slice(-8)), ['01:00:00', '03:00:00', '04:00:00']);
});

test("daily bars are UTC's days in every zone, with marks of months and years", () => {
  use('ny');
  const weights = ['2025-12-31', '2026-01-01', '2026-01-02', '2026-02-01'].map((day) => markWeight(Date.parse(day) / 1000 - 86400, Date.parse(day) / 1000, offsetAt('1d')));
  assert.deepEqual(weights, [50, 70, 50, 60]);
  assert.equal(barTimes('1d').moment.format(Date.UTC(2026, 10, 29)), '29 Nov 2026');
  assert.equal(barTimes('1h').moment.format(Date.UTC(2026, 10, 29)), '28 Nov, 19:00:00');
});

test("a picture's name and time zone follow the setting; days are UTC's", () => {
  const noon = Date.UTC(2026, 10, 29, 12, 3, 4);
  const both = (/** @type {string} */ interval) => [pictureName({ symbol: 'AAPL', interval }, noon), zoneText(interval, noon)];
  use('ny');
  assert.deepEqual(both('1m'), ['AAPL-1m-2026-11-29-070304.png', 'America/New_York, UTC\u221205:00']);
  assert.deepEqual(both('1d'), ['AAPL-1d-2026-11-29-120304.png', 'UTC']);
  assert.equal(pictureName({ symbol: 'x:BTC/USD', interval: '1d' }, noon), 'x-BTC-USD-1d-2026-11-29-120304.png');
  use('device', 'Australia/Lord_Howe');
  assert.deepEqual(both('1m'), ['AAPL-1m-2026-11-29-230304.png', 'Australia/Lord_Howe, UTC+11:00']);
  use('device', 'Asia/Kathmandu');
  assert.match(zoneText('1m', noon), /^Asia\/Ka.+, UTC\+05:45$/);
});
