import { useFormat } from '../../model/formats.js';
import { t } from '../../text.js';
import { Stored } from '../../browser/storage.js';
import { choices, defaults, inAddress, readChoices } from '../../model/choices.js';

/** @typedef {import('../../model/choices.js').Choice} Choice */

const YEAR = 31_536_000; // s

/**
 * How the page looks and writes, in one place. Views listen. public/theme.js has set the root's data attributes before
 * the first paint, and they are what styles go by; here they are read, changed and kept.
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
    // What another tab chooses holds here, too, unless this page's address says otherwise.
    this.#stored.onChange(() => {
      if (!this.#stored.current) return;
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

  /** Changes and keeps; the address no longer asks for anything else. @param {Partial<Choice>} patch */
  set(patch) {
    forget(Object.keys(patch));
    this.#stored.write({ v: 1, ...this.#stored.read(), ...patch });
    this.#apply(patch);
  }

  /** Back to what the language's custom is. */
  reset() {
    forget(Object.keys(choices));
    this.#stored.write({ v: 1 });
    this.#apply(defaults(this.lang));
  }

  /** The server writes the page in its language, so the page comes anew. @param {string} lang */
  speak(lang) {
    document.cookie = `lang=${lang}; Path=/; Max-Age=${YEAR}; SameSite=Lax${location.protocol === 'https:' ? '; Secure' : ''}`;
    forget(['lang']);
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

/** The device's own kind of the page's language, where it has one: dates differ between them. @param {string} lang */
const locale = (lang) => navigator.languages.find((l) => l.split('-')[0] === lang.split('-')[0]) ?? lang;

/** Takes settings out of the address. @param {string[]} names */
function forget(names) {
  const url = new URL(location.href);
  for (const name of names) url.searchParams.delete(name);
  if (url.href !== location.href) history.replaceState(history.state, '', url.href);
}

export const settings = new Settings();
