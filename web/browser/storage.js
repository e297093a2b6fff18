import { ownName } from './http.js';

/** @typedef {Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>} Area */

/** The JSON value of a text; null when the text is none. @param {string | null} text @returns {any} */
export function parseJSON(text) {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return null;
  }
}

/**
 * One value that this browser keeps for the page, as JSON. Storage may be forbidden or full: a value then lasts as long
 * as the page.
 * @template T
 */
export class Stored {
  #key;
  #parse;
  #area;
  /** The newest text, when it could not be stored. @type {string | null | undefined} */
  #unsaved;

  /**
   * @param {string} key see ownName
   * @param {(value: any) => T} parse validates the stored value, which is null when there is none
   * @param {() => Area} [area] throws where storage is forbidden
   */
  constructor(key, parse, area = () => localStorage) {
    this.#key = ownName(key);
    this.#parse = parse;
    this.#area = area;
  }

  /** The stored text, or a newer one that could not be stored; null when there is none. */
  get text() {
    if (this.#unsaved !== undefined) return this.#unsaved;
    try {
      return this.#area().getItem(this.#key);
    } catch {
      return null;
    }
  }

  read() {
    return this.#parse(parseJSON(this.text));
  }

  /** @param {unknown} value undefined removes it @returns {string | null} the stored text */
  write(value) {
    const text = value === undefined ? null : JSON.stringify(value);
    try {
      if (text === null) this.#area().removeItem(this.#key);
      else this.#area().setItem(this.#key, text);
      this.#unsaved = undefined;
    } catch {
      this.#unsaved = text;
    }
    return text;
  }

  /** Calls fn after another tab may have changed the value. A page in the back/forward cache gets no storage events, so it calls fn when it is shown again. @param {() => void} fn */
  onChange(fn) {
    addEventListener('storage', (e) => { if (e.key === null || e.key === this.#key) fn(); });
    addEventListener('pageshow', (e) => { if (e.persisted) fn(); });
  }
}
