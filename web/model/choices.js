// The settings and their values. public/theme.js has the same list, since it runs before any module.

/**
 * @typedef {object} Choice
 * @property {'system' | 'dark' | 'light'} theme
 * @property {'green' | 'red' | 'blue'} colours the colour of a rise
 * @property {'comfortable' | 'compact' | 'wall'} density
 * @property {'space' | 'comma' | 'point'} numbers the thousands separator
 * @property {'short' | 'full'} volume
 * @property {'device' | 'utc' | 'ny'} tz
 * @property {'system' | 'none'} motion
 * @property {'off' | 'on'} sound of alerts
 * @property {'on' | 'off'} shortcuts of a single key
 */

/** The first of each is the default, unless the language has another. */
export const choices = Object.freeze({
  theme: ['system', 'dark', 'light'],
  colours: ['green', 'red', 'blue'],
  density: ['comfortable', 'compact', 'wall'],
  numbers: ['space', 'comma', 'point'],
  volume: ['short', 'full'],
  tz: ['device', 'utc', 'ny'],
  motion: ['system', 'none'],
  sound: ['off', 'on'],
  shortcuts: ['on', 'off'],
});

/** The defaults of languages that differ: in China, red is up. @type {Readonly<Record<string, Partial<Choice>>>} */
const byLanguage = Object.freeze({ 'zh-CN': { colours: 'red', numbers: 'comma' } });

/** The settings that an address may set, for its page only. */
export const inAddress = Object.freeze(['theme', 'colours', 'density', 'tz', 'lang', 'numbers']);

/** @param {string} lang @returns {Choice} */
export const defaults = (lang) => /** @type {Choice} */ ({
  ...Object.fromEntries(Object.entries(choices).map(([name, values]) => [name, values[0]])), ...byLanguage[lang],
});

/** The stored choices of version 1; those that are invalid are left out. @param {any} stored @returns {Partial<Choice>} */
export function readChoices(stored) {
  if (stored?.v !== 1) return {};
  return Object.fromEntries(Object.entries(choices).filter(([name, values]) => values.includes(stored[name])).map(([name]) => [name, stored[name]]));
}

/**
 * A new query that keeps the settings of the previous one.
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
