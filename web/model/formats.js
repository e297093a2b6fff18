// Numbers and times as text, according to the settings (useFormat). Unknown values (NaN, undefined) are "–". The minus is
// U+2212; thousands are separated by U+202F (narrow no-break space), a comma or a point.
import { offsetIn } from './zones.js';

const MINUS = '\u2212';
const THIN = '\u202f';
const NONE = '–';

/**
 * @typedef {object} Format
 * @property {'space' | 'comma' | 'point'} numbers the thousands separator; with a point, the decimal separator is a comma
 * @property {'short' | 'full'} volume
 * @property {'device' | 'utc' | 'ny'} tz
 * @property {string} locale for the names of months
 * @property {{ s: string, min: string, h: string, d: string, large: string }} units large: the factor between units, then their names
 */

// The current format. Figures are formatted thousands of times a second, so its parts are kept in variables.
let point = '.';
let sep = THIN;
let full = false;
let zone = 'device';
/** @type {string | undefined} */
let locale;
let units = { s: 's', min: 'min', h: 'h', d: 'd' };
let step = 1000;
let large = ['k', 'M', 'B', 'T'];

/** Sets the format of all later calls. @param {Format} f */
export function useFormat(f) {
  point = f.numbers === 'point' ? ',' : '.';
  sep = { space: THIN, comma: ',', point: '.' }[f.numbers];
  full = f.volume === 'full';
  zone = f.tz;
  locale = f.locale;
  units = f.units;
  const [by, ...names] = f.units.large.split(' ');
  step = Number(by);
  large = names;
}

/** @param {string} digits */
const group = (digits) => (digits.length < 4 ? digits : digits.replace(/\B(?=(\d{3})+$)/g, sep));

/** @param {number} x not negative @param {number} decimals */
function fixed(x, decimals) {
  const text = x.toFixed(decimals);
  return point === '.' ? text : text.replace('.', point);
}

/** @param {number} x @param {number} decimals @returns {string} without a sign */
function plain(x, decimals) {
  const n = Math.abs(x);
  if (n < 999) return fixed(n, decimals);
  const [whole, part] = n.toFixed(decimals).split('.');
  return group(/** @type {string} */ (whole)) + (part ? point + part : '');
}

/** Reports whether a figure is zero after rounding, so that it gets no sign. @param {number} x @param {number} decimals */
const isZero = (x, decimals) => Number(Math.abs(x).toFixed(decimals)) === 0;

/** @param {number | undefined} x @returns {x is number} */
const known = (x) => x !== undefined && Number.isFinite(x);

/** One decimal: "1.2". @param {number | undefined} x */
export const decimal = (x) => rounded(x, 1);

/** With a number of decimals: "0.40", "12 204". @param {number | undefined} x @param {number} decimals */
export const rounded = (x, decimals) => (known(x) ? (x < 0 && !isZero(x, decimals) ? MINUS : '') + plain(x, decimals) : NONE);

/** A price with the decimals of its instrument: "184.27", "12 204.50", "1.08345". @param {number | undefined} x @param {number} decimals */
export const price = (x, decimals) => rounded(x, decimals);

/** A difference with its sign: "+3.41", "−0.22", "0.00". @param {number | undefined} x @param {number} [decimals] */
export function signed(x, decimals = 2) {
  if (!known(x)) return NONE;
  if (isZero(x, decimals)) return plain(0, decimals);
  return (x < 0 ? MINUS : '+') + plain(x, decimals);
}

/** ▲ for up, ▼ for down, else nothing: shows the direction without colour. @param {number | undefined} x @param {number} [decimals] */
export function arrow(x, decimals = 2) {
  if (!known(x) || isZero(x, decimals)) return '';
  return x > 0 ? '▲' : '▼';
}

/** A percentage with sign and unit: "▲ +1.89 %". @param {number | undefined} x per cent */
export function percent(x) {
  if (!known(x)) return NONE;
  const mark = arrow(x);
  return `${mark ? `${mark} ` : ''}${signed(x)}${THIN}%`;
}

/** A percentage for a column headed "%": "▲ 1.89", "▼ 0.66", "0.00". @param {number | undefined} x per cent */
export function move(x) {
  if (!known(x)) return NONE;
  const mark = arrow(x);
  return `${mark ? `${mark} ` : ''}${plain(x, 2)}`;
}

/**
 * A large figure in about four characters: "940", "8.9k", "21.1M", "1.2B"; in Chinese in units of ten thousand. One with decimals
 * has three digits: "0.0132", "1.25", "64.2".
 * @param {number | undefined} x @param {number} [decimals] at most, of a figure below 1000
 */
export function compact(x, decimals = 0) {
  if (!known(x)) return NONE;
  let n = Math.abs(x);
  if (decimals > 0 && n > 0 && n < 99.95) return rounded(x, Math.min(decimals, Math.max(0, 2 - Math.floor(Math.log10(n)))));
  const sign = x < 0 && n >= 0.5 ? MINUS : '';
  if (n < step - 0.5) return sign + Math.round(n);
  for (const unit of large) {
    n /= step;
    if (n < 99.95) return sign + fixed(n, 1) + unit;
    if (n < step - 0.5) return sign + Math.round(n) + unit;
  }
  return sign + group(Math.round(n).toString()) + large.at(-1);
}

/** A volume, short or in full. @param {number | undefined} x @param {number} decimals of the instrument's sizes */
export const volume = (x, decimals) => (full ? rounded(x, decimals) : compact(x, decimals));

/** A whole count in groups of three: "482 201". @param {number | undefined} x */
export function count(x) {
  if (!known(x)) return NONE;
  const n = Math.round(x);
  return (n < 0 ? MINUS : '') + group(Math.abs(n).toString());
}

/** Bytes in decimal units: "58 B", "6.1 kB", "1.2 MB". @param {number | undefined} x */
export function bytes(x) {
  if (!known(x)) return NONE;
  if (x < 999.5) return `${Math.round(x)}${THIN}B`;
  let n = x;
  for (const unit of ['kB', 'MB', 'GB', 'TB']) {
    n /= 1000;
    if (n < 99.95) return `${fixed(n, 1)}${THIN}${unit}`;
    if (n < 999.5 || unit === 'TB') return `${group(Math.round(n).toString())}${THIN}${unit}`;
  }
  return NONE;
}

/** Bytes per second. @param {number | undefined} x */
export const byteRate = (x) => (known(x) ? `${bytes(x)}/s` : NONE);

/** Milliseconds with two significant figures: "0.38", "1.2", "38", "1 204". @param {number | undefined} ms */
export function latency(ms) {
  if (!known(ms)) return NONE;
  const n = Math.abs(ms);
  const sign = ms < 0 && n >= 0.005 ? MINUS : '';
  return sign + plain(n, n < 0.995 ? 2 : n < 9.95 ? 1 : 0);
}

/** An age: "0.4 s", "9 s", "3 min", "2 h", "4 d". A negative age counts as 0. @param {number | undefined} ms */
export function age(ms) {
  if (!known(ms)) return NONE;
  const s = Math.max(0, ms) / 1000;
  if (s < 0.95) return `${fixed(Math.floor(s * 10) / 10, 1)}${THIN}${units.s}`;
  if (s < 60) return `${Math.max(1, Math.floor(s))}${THIN}${units.s}`;
  if (s < 3600) return `${Math.floor(s / 60)}${THIN}${units.min}`;
  if (s < 86400) return `${Math.floor(s / 3600)}${THIN}${units.h}`;
  return `${Math.floor(s / 86400)}${THIN}${units.d}`;
}

/** Whole seconds left, rounded up: "3 s". @param {number | undefined} ms */
export const countdown = (ms) => (known(ms) ? `${Math.max(0, Math.ceil(ms / 1000))}${THIN}${units.s}` : NONE);

/** A duration: "0.41 s", "12.3 s", "3 min". @param {number | undefined} seconds */
export function seconds(seconds) {
  if (!known(seconds)) return NONE;
  if (seconds < 10) return `${fixed(seconds, 2)}${THIN}${units.s}`;
  if (seconds < 60) return `${fixed(seconds, 1)}${THIN}${units.s}`;
  return age(seconds * 1000);
}

/** The chosen zone's offset from UTC at a time. @param {number} ms since 1970 @returns {number} ms */
export function zoneOffset(ms) {
  if (zone === 'utc') return 0;
  if (zone === 'device') return -new Date(ms).getTimezoneOffset() * 60_000;
  return offsetIn('America/New_York', ms);
}

const two = (/** @type {number} */ n) => (n < 10 ? `0${n}` : String(n));

/** Time of day in the chosen zone, with seconds: "14:02:11". @param {number | undefined} ms since 1970 */
export function timeOfDay(ms) {
  if (!known(ms)) return NONE;
  const s = Math.floor((ms + zoneOffset(ms)) / 1000);
  const day = ((s % 86400) + 86400) % 86400;
  return `${two(Math.floor(day / 3600))}:${two(Math.floor(day / 60) % 60)}:${two(day % 60)}`;
}

/** A date formatter for the chosen zone and the page's language, valid until the next useFormat. @param {Intl.DateTimeFormatOptions} options */
export function dates(options) {
  const timeZone = { device: undefined, utc: 'UTC', ny: 'America/New_York' }[zone];
  return new Intl.DateTimeFormat(locale, { ...(timeZone && { timeZone }), ...options });
}

/** A position with grouped digits: "9f3c1a-482 913". @param {string | undefined} position */
export function position(position) {
  if (!position) return NONE;
  const dash = position.indexOf('-');
  return position.slice(0, dash + 1) + group(position.slice(dash + 1));
}
