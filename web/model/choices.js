// What can be chosen in the settings. Pure. public/theme.js has the same list, since it must run before any module.

/**
 * @typedef {object} Choice
 * @property {'system' | 'dark' | 'light'} theme
 * @property {'green' | 'red' | 'blue'} colours the colour of a rise
 * @property {'comfortable' | 'compact' | 'wall'} density
 * @property {'space' | 'comma' | 'point'} numbers what sets thousands apart
 * @property {'short' | 'full'} volume
 * @property {'device' | 'utc' | 'ny'} tz
 * @property {'system' | 'none'} motion
 */

/** The first of each is the default, unless the language has a custom of its own. */
export const choices = Object.freeze({
  theme: ['system', 'dark', 'light'],
  colours: ['green', 'red', 'blue'],
  density: ['comfortable', 'compact', 'wall'],
  numbers: ['space', 'comma', 'point'],
  volume: ['short', 'full'],
  tz: ['device', 'utc', 'ny'],
  motion: ['system', 'none'],
});

/** Where red is what falls elsewhere. @type {Readonly<Record<string, Partial<Choice>>>} */
const customs = Object.freeze({ 'zh-CN': { colours: 'red', numbers: 'comma' } });

/** Those that an address may ask for, for its page alone. */
export const inAddress = Object.freeze(['theme', 'colours', 'density', 'tz', 'lang', 'numbers']);

/** @param {string} lang @returns {Choice} */
export const defaults = (lang) => /** @type {Choice} */ ({
  ...Object.fromEntries(Object.entries(choices).map(([name, values]) => [name, values[0]])), ...customs[lang],
});

/** The stored choices of version 1; those that are invalid are left out. @param {any} stored @returns {Partial<Choice>} */
export function readChoices(stored) {
  if (stored?.v !== 1) return {};
  return Object.fromEntries(Object.entries(choices).filter(([name, values]) => values.includes(stored[name])).map(([name]) => [name, stored[name]]));
}

/**
 * An address's query with another part of it, the settings that it asks for left as they are.
 * @param {string} query new, with its question mark, or '' @param {string} before
 */
export function withSettings(query, before) {
  const p = new URLSearchParams(query);
  const old = new URLSearchParams(before);
  for (const name of inAddress) {
    const value = old.get(name);
    if (value !== null) p.set(name, value);
  }
  const s = p.toString().replaceAll('%2C', ',');
  return s && `?${s}`;
}
