// The page's texts in its language, from the catalogues in views/text. The server puts those that the page needs into an
// element of the page, so no request is needed.
import { count } from './model/formats.js';

/** @typedef {string | { one: string, other: string }} Text with two forms when it depends on `n` */

/** @type {Record<string, Text>} */
let texts = {};
let rules = new Intl.PluralRules('en');
const page = typeof document === 'object' && typeof document.getElementById === 'function';

/** Sets the catalogue. @param {Record<string, Text>} catalogue @param {string} lang */
export function use(catalogue, lang) {
  texts = catalogue;
  rules = new Intl.PluralRules(lang);
}

/** @param {string} key */
export const has = (key) => Object.hasOwn(texts, key);

/**
 * The text of a key with its {placeholders} replaced. Numbers are formatted, and `n` chooses the form. For a missing key
 * or placeholder it throws in tests; on a page it logs an error and returns the key.
 * @param {string} key @param {Record<string, string | number | undefined>} [args] @returns {string}
 */
export function t(key, args = {}) {
  const text = texts[key];
  if (text === undefined || !has(key)) return failed(`the page has no text ${key}`, key);
  const form = typeof text === 'string' ? text : rules.select(Number(args.n)) === 'one' ? text.one : text.other;
  return form.replace(/\{(\w+)\}/g, (_, name) => {
    const value = args[name];
    if (value === undefined) return failed(`text ${key} needs ${name}`, '');
    return typeof value === 'number' ? count(value) : value;
  });
}

/** The text of a key that a newer server or report may use; another text when the catalogue lacks it. @param {string} key @param {string} fallback */
export const named = (key, fallback) => (has(key) ? t(key) : fallback);

/** @param {string} why @param {string} fallback */
function failed(why, fallback) {
  if (!page) throw new Error(why);
  console.error(why);
  return fallback;
}

if (page) {
  const element = document.getElementById('text');
  if (element) use(JSON.parse(element.textContent || '{}'), element.lang);
}
