// The page's sentences, from the catalogue of its language (views/text). The server puts what the page needs into it, so
// nothing is asked for and nothing flashes. Pure but for reading that element.
import { count } from './model/formats.js';

/** @typedef {string | { one: string, other: string }} Text one that goes by `n` has a form for one and a form for others */

/** @type {Record<string, Text>} */
let texts = {};
let rules = new Intl.PluralRules('en');
const page = typeof document === 'object' && typeof document.getElementById === 'function';

/** Takes a catalogue. @param {Record<string, Text>} catalogue @param {string} lang */
export function use(catalogue, lang) {
  texts = catalogue;
  rules = new Intl.PluralRules(lang);
}

/** @param {string} key */
export const has = (key) => Object.hasOwn(texts, key);

/**
 * The sentence of a key, its {placeholders} filled. Numbers are grouped as figures are; `n` chooses the form. What is
 * wrong is thrown in tests; a person gets the key, and the console says why.
 * @param {string} key @param {Record<string, string | number | undefined>} [args] @returns {string}
 */
export function t(key, args = {}) {
  const text = texts[key];
  if (text === undefined || !has(key)) return wrong(`the page has no text ${key}`, key);
  const form = typeof text === 'string' ? text : rules.select(Number(args.n)) === 'one' ? text.one : text.other;
  return form.replace(/\{(\w+)\}/g, (_, name) => {
    const value = args[name];
    if (value === undefined) return wrong(`text ${key} wants ${name}`, '');
    return typeof value === 'number' ? count(value) : value;
  });
}

/** The text of a key that a server or report may make up later; one that no catalogue has reads instead. @param {string} key @param {string} instead */
export const named = (key, instead) => (has(key) ? t(key) : instead);

/** @param {string} why @param {string} instead */
function wrong(why, instead) {
  if (!page) throw new Error(why);
  console.error(why);
  return instead;
}

if (page) {
  const element = document.getElementById('text');
  if (element) use(JSON.parse(element.textContent || '{}'), element.lang);
}
