import { withSettings } from '../../model/choices.js';
import { format, isStep, parse, restore } from '../../model/urlState.js';

/** @import { View } from '../../model/urlState.js' */
/** @typedef {Pick<Window, 'addEventListener'> & { history: Pick<History, 'state' | 'pushState' | 'replaceState'>, location: Pick<Location, 'pathname' | 'search' | 'hash'> }} Page */

/**
 * The page's state: what the user chose. Views listen to it, and the address contains it. A step, such as another symbol,
 * gets an entry in the browser's history; back and forward restore the state of an entry.
 */
export class ViewState {
  /** @type {View} */
  #view;
  /** @type {Set<(view: View, before: View) => void>} */
  #listeners = new Set();
  #page;

  /** @param {Page} [page] */
  constructor(page = window) {
    this.#page = page;
    this.#view = parse(page.location.search);
    page.addEventListener('popstate', () => {
      this.#apply(restore(page.location.search, this.#view));
      this.#save(false); // with what the address of the entry no longer has right, as the lane
    });
  }

  get now() {
    return this.#view;
  }

  /** Changes the state by the user's choice and calls the listeners, unless nothing differs. @param {Partial<View>} patch */
  set(patch) {
    this.#change(patch, isStep);
  }

  /** Changes the state as set does, but never with an entry in the history: for what the page itself finds. @param {Partial<View>} patch */
  adjust(patch) {
    this.#change(patch, () => false);
  }

  /** @param {(view: View, before: View) => void} fn */
  on(fn) {
    this.#listeners.add(fn);
  }

  /** @param {Partial<View>} patch @param {(view: View, before: View) => boolean} step */
  #change(patch, step) {
    const before = this.#view;
    const view = { ...before, ...patch };
    if (same(view, before)) return;
    this.#view = view;
    this.#save(step(view, before));
    this.#notify(before);
  }

  /** @param {View} view */
  #apply(view) {
    const before = this.#view;
    if (same(view, before)) return;
    this.#view = view;
    this.#notify(before);
  }

  /** @param {View} before */
  #notify(before) {
    const view = this.#view;
    for (const fn of this.#listeners) fn(view, before);
  }

  /** Writes the view into the address. @param {boolean} step adds an entry to the history */
  #save(step) {
    const { history, location } = this.#page;
    const query = withSettings(format(this.#view), location.search).replaceAll('%2C', ',').replaceAll('%3A', ':'); // both may be in a query unescaped
    if (!step && query === location.search) return;
    try {
      if (step) history.pushState(null, '', location.pathname + query);
      else history.replaceState(history.state, '', location.pathname + query + location.hash);
    } catch {
      // Safari allows 100 calls in 10 s; the next change writes it.
    }
  }
}

/** @param {View} a @param {View} b */
const same = (a, b) => Object.entries(a).every(([k, v]) => b[/** @type {keyof View} */ (k)] === v);
