// Checks the members of a JSON file. Each function returns the value, or throws an Error that names the field, what is
// expected and what is there, in the page's language.
import { t } from '../../text.js';

/**
 * @param {string} field such as "sides[1].latency.p50" @param {string} want part of a key in the catalogue @param {unknown} got
 * @returns {never}
 */
export function wrong(field, want, got) {
  const shown = JSON.stringify(got) ?? '–';
  throw new Error(t('compare.file.field', {
    field: field || t('compare.file.whole'), want: t(`compare.file.want.${want}`), got: shown.length > 40 ? `${shown.slice(0, 40)}…` : shown,
  }));
}

/** @param {any} x @param {string} field @returns {any} */
export const object = (x, field) => (x !== null && typeof x === 'object' && !Array.isArray(x) ? x : wrong(field, 'object', x));

/** @param {any} x @param {string} field @param {number} least @param {number} most its length @returns {any[]} */
export const list = (x, field, least, most) => (Array.isArray(x) && x.length >= least && x.length <= most ? x : wrong(field, 'list', x));

/** A number; null, which stands for an unknown figure, is NaN. @param {any} x @param {string} field @param {number} [least] */
export function number(x, field, least = -Infinity) {
  if (x === null) return NaN;
  return typeof x === 'number' && Number.isFinite(x) && x >= least ? x : wrong(field, least === 0 ? 'positive' : 'number', x);
}

/** @param {any} x @param {string} field @param {number} most characters @returns {string} */
export const text = (x, field, most) => (typeof x === 'string' && x.length <= most ? x : wrong(field, 'text', x));

/** @param {any} x @param {string} field @returns {boolean} */
export const bool = (x, field) => (typeof x === 'boolean' ? x : wrong(field, 'bool', x));

/** @template {string} T @param {any} x @param {string} field @param {readonly T[]} of @returns {T} */
export function oneOf(x, field, of) {
  if (of.includes(x)) return x;
  throw new Error(t('compare.file.one', { field, all: of.join(' | '), got: JSON.stringify(x)?.slice(0, 40) ?? '–' }));
}

/** @template T @param {any} x @param {(x: any) => T} read @returns {T | null} null for null and for a missing member */
export const optional = (x, read) => (x === null || x === undefined ? null : read(x));
