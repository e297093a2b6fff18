import { ownName } from '../../browser/http.js';
import { parseJSON } from '../../browser/storage.js';

/** @typedef {Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'>} Area */
/** @typedef {{ id: string, name: string, text: string, size: number }} Entry text: the run's file, '' when it cannot be read; size in characters */
/** @typedef {'many' | 'large' | 'refused' | 'gone' | ''} Refusal why nothing was changed; '' when it was */

const PREFIX = ownName('ticklane.run.');

/** Most runs that are kept. */
export const RUNS = 20;
/** Most characters of all kept runs, so that other settings still find space in the storage of about five million. */
export const SIZE = 2_500_000;
/** Characters of a name. */
export const NAME = 80;

/** @param {string} text */
const cleaned = (text) => [...text.replace(/[\s\p{C}]+/gu, ' ').trim()].slice(0, NAME).join('').trim();

/**
 * The runs that this browser keeps, each under its own key, so that two tabs do not overwrite each other's. A storage
 * that is full or forbidden changes nothing and is reported.
 */
export class KeptRuns {
  #area;
  #random;

  /** @param {() => Area} area throws where storage is forbidden @param {() => number} [random] */
  constructor(area, random = Math.random) {
    this.#area = area;
    this.#random = random;
  }

  /** All runs, oldest first; none where storage is forbidden. @returns {Entry[]} */
  get all() {
    try {
      const area = this.#area();
      const keys = Array.from({ length: area.length }, (_, k) => area.key(k)).filter((key) => key !== null).filter((key) => key.startsWith(PREFIX));
      return keys.sort().map((key) => entry(key, area.getItem(key) ?? ''));
    } catch {
      return [];
    }
  }

  /** Keeps a run. @param {string} name @param {string} file its JSON @param {number} now ms since 1970 @returns {{ id: string, why: Refusal }} */
  add(name, file, now) {
    const { all } = this;
    const id = `${Math.round(now).toString(36).padStart(9, '0')}-${Math.floor(this.#random() * 2 ** 32).toString(36)}`;
    const value = encoded(name, JSON.stringify(JSON.parse(file)));
    if (all.length >= RUNS) return { id: '', why: 'many' };
    if (value.length + this.#size(all) > SIZE) return { id: '', why: 'large' };
    return this.#set(id, value) ? { id, why: '' } : { id: '', why: 'refused' };
  }

  /** @param {string} id @param {string} name a blank one changes nothing @returns {Refusal} */
  rename(id, name) {
    const found = this.all.find((e) => e.id === id);
    if (!found?.text) return 'gone';
    if (!cleaned(name)) return '';
    return this.#set(id, encoded(name, found.text)) ? '' : 'refused';
  }

  /** @param {string} id @returns {() => void} restores it */
  remove(id) {
    try {
      const area = this.#area();
      const value = area.getItem(PREFIX + id);
      area.removeItem(PREFIX + id);
      return () => { if (value !== null) this.#set(id, value); };
    } catch {
      return () => {};
    }
  }

  /** Characters of all runs. */
  get size() {
    return this.#size(this.all);
  }

  /** @param {readonly Entry[]} all */
  #size(all) {
    return all.reduce((n, e) => n + e.size, 0);
  }

  /** @param {string} id @param {string} value @returns {boolean} */
  #set(id, value) {
    try {
      this.#area().setItem(PREFIX + id, value);
      return true;
    } catch {
      return false;
    }
  }
}

/** A line with the name, then the run's file, which a list need not read. @param {string} name @param {string} file in one line */
const encoded = (name, file) => `${JSON.stringify({ v: 1, name: cleaned(name) })}\n${file}`;

/** @param {string} key @param {string} value @returns {Entry} */
function entry(key, value) {
  const end = value.indexOf('\n');
  const head = parseJSON(value.slice(0, Math.max(0, end)));
  const good = head?.v === 1 && typeof head.name === 'string';
  return { id: key.slice(PREFIX.length), name: good ? head.name : '', text: good ? value.slice(end + 1) : '', size: value.length };
}
