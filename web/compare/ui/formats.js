// Texts of the comparison's figures, in ms and bytes unless stated otherwise. Unknown figures are "–".
import { bytes, latency, price, rounded, signed } from '../../model/formats.js';
import { decimals as priceDecimals } from '../../model/instruments.js';
import { t } from '../../text.js';

/** @typedef {import('../core/types.js').Estimate} Estimate */

const THIN = '\u202f';
const NONE = '–';

/** A latency with its unit, or "<" and the clock's error for one that is too small to measure. @param {number} x @param {number} [error] of the clock */
export function ms(x, error = 0) {
  if (!Number.isFinite(x)) return NONE;
  if (x <= 0.001 && error > 0) return `<${latency(error)}${THIN}ms`;
  return `${latency(x)}${THIN}ms`;
}

/** Decimals that show two digits of an error, at most three. @param {number} error */
function decimals(error) {
  if (!(error > 0)) return 2;
  return Math.min(3, Math.max(0, 1 - Math.floor(Math.log10(error))));
}

/**
 * A difference and its error.
 * @param {Estimate} d @param {number} [least] minimum of the error
 * @returns {{ text: string, error: string, noise: boolean }} noise: not larger than the error
 */
export function difference(d, least = 0) {
  if (!Number.isFinite(d.value)) return { text: NONE, error: '', noise: true };
  if (!Number.isFinite(d.error)) return { text: t('compare.delta.few'), error: '', noise: true };
  const bound = Math.max(d.error, least);
  const places = decimals(bound);
  const noise = Math.abs(d.value) <= bound;
  return { text: noise ? t('compare.delta.none') : signed(d.value, places), error: `±${THIN}${rounded(bound, places)}`, noise };
}

/** A difference of bytes, which are exact: "+38 B", "0". @param {number} x */
export function byteDifference(x) {
  if (!Number.isFinite(x)) return NONE;
  const size = perTick(Math.abs(x));
  if (Math.abs(x) < 0.05) return '0';
  return (x < 0 ? '\u2212' : '+') + size;
}

/** A change of a figure in ms: "+0.12", "0.00". @param {number} by @param {number} from the earlier figure, which decides the decimals */
export const msChange = (by, from) => signed(by, Math.max(Math.abs(by), from) < 9.95 ? 2 : Math.max(Math.abs(by), from) < 99.5 ? 1 : 0);

/** A change of a rate: "+1.2". @param {number} by */
export const paceChange = (by) => (Number.isFinite(by) ? signed(by, Math.abs(by) < 1000 ? 1 : 0) : NONE);

/** A change of a count: "+3", "0". @param {number} by */
export const countChange = (by) => signed(by, 0);

/** Bytes per tick, with a decimal below 100. @param {number} x */
export function perTick(x) {
  if (!Number.isFinite(x)) return NONE;
  if (Math.abs(x) < 99.95 && Math.abs(x - Math.round(x)) >= 0.05) return `${rounded(x, 1)}${THIN}B`;
  return bytes(x);
}

/** A rate: "200.3", "1.2". @param {number} x */
export const pace = (x) => rounded(x, x < 1000 ? 1 : 0);

/** A symbol at its price. @param {{ S: string, p: number }} q */
export const quote = (q) => `${q.S} ${price(q.p, priceDecimals(q.S))}`;

/** A duration: "48 s", "2 min 14 s", "1 h 5 min". @param {number} of ms */
export function elapsed(of) {
  const s = Math.max(0, Math.floor(of / 1000));
  if (s < 60) return t('compare.elapsed.s', { s });
  if (s < 3600) return t('compare.elapsed.min', { min: Math.floor(s / 60), s: s % 60 });
  return t('compare.elapsed.h', { h: Math.floor(s / 3600), min: Math.floor(s / 60) % 60 });
}

/** A value on a latency axis: "0.01", "1", "100". @param {number} x */
export function axis(x) {
  const n = Math.abs(x);
  const text = n === 0 ? '0' : n < 1 ? String(Number(n.toPrecision(1))) : String(Math.round(n));
  return (x < 0 ? '\u2212' : '') + text;
}
