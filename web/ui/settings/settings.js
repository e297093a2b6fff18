import { useFormat } from '../../model/formats.js';
import { t } from '../../text.js';
import { base } from '../../browser/http.js';
import { Stored } from '../../browser/storage.js';
import { choices, defaults, inAddress, readChoices } from '../../model/choices.js';

/** @import { Choice } from '../../model/choices.js' */

const YEAR = 31_536_000; // s

/**
 * The page's settings. Views listen to them. public/theme.js sets the root's data attributes, which the styles use, before
 * the first paint; this class reads, changes and stores them.
 */
export class Settings {
  #root = document.documentElement;
  /** @type {Choice} */
  #now;
  /** @type {Set<(now: Choice, before: Choice) => void>} */
  #listeners = new Set();
  #stored = new Stored('ticklane.settings', readChoices);

  constructor() {
    this.#now = /** @type {Choice} */ ({ ...defaults(this.lang), ...pick(this.#root.dataset) });
    this.#style();
    // A change in another tab applies here, too, except for settings in this page's address.
    this.#stored.onChange(() => {
      const query = new URLSearchParams(location.search);
      const all = { ...defaults(this.lang), ...this.#stored.read() };
      this.#apply(/** @type {Partial<Choice>} */ (Object.fromEntries(Object.entries(all).filter(([name]) => !inAddress.includes(name) || !query.has(name)))));
    });
  }

  get now() {
    return this.#now;
  }

  get lang() {
    return this.#root.lang;
  }

  /** Changes and stores settings, and removes them from the address. @param {Partial<Choice>} patch */
  set(patch) {
    removeFromAddress(Object.keys(patch));
    this.#stored.write({ v: 1, ...this.#stored.read(), ...patch });
    this.#apply(patch);
  }

  /** Restores the language's defaults. */
  reset() {
    removeFromAddress(Object.keys(choices));
    this.#stored.write({ v: 1 });
    this.#apply(defaults(this.lang));
  }

  /** Changes the language. The page is reloaded, since the server renders it. @param {string} lang */
  setLanguage(lang) {
    document.cookie = `lang=${lang}; Path=${base || '/'}; Max-Age=${YEAR}; SameSite=Lax${location.protocol === 'https:' ? '; Secure' : ''}`;
    removeFromAddress(['lang']);
    location.reload();
  }

  /** @param {(now: Choice, before: Choice) => void} fn */
  on(fn) {
    this.#listeners.add(fn);
  }

  /** @param {Partial<Choice>} patch */
  #apply(patch) {
    const before = this.#now;
    const now = { ...before, ...patch };
    if (Object.entries(now).every(([k, v]) => before[/** @type {keyof Choice} */ (k)] === v)) return;
    this.#now = now;
    Object.assign(this.#root.dataset, now);
    this.#style();
    for (const fn of this.#listeners) fn(now, before);
  }

  #style() {
    const { numbers, volume, tz } = this.#now;
    useFormat({
      numbers, volume, tz, locale: locale(this.lang),
      units: { s: t('unit.s'), min: t('unit.min'), h: t('unit.h'), d: t('unit.d'), large: t('unit.large') },
    });
  }
}

/** @param {DOMStringMap} from */
const pick = (from) => Object.fromEntries(Object.keys(choices).filter((k) => from[k] !== undefined).map((k) => [k, from[k]]));

/** The device's regional variant of the page's language, if it has one, since dates differ between them. @param {string} lang */
const locale = (lang) => navigator.languages.find((l) => l.split('-')[0] === lang.split('-')[0]) ?? lang;

/** @param {string[]} names of settings */
function removeFromAddress(names) {
  const url = new URL(location.href);
  for (const name of names) url.searchParams.delete(name);
  if (url.href !== location.href) history.replaceState(history.state, '', url.href);
}

export const settings = new Settings();
