import { withSettings } from '../../model/choices.js';
import { format, parse } from '../../model/urlState.js';

/** @import { View } from '../../model/urlState.js' */

/** The page's state: what the user chose. Views listen to it, and the address contains it. */
export class ViewState {
  /** @type {View} */
  #view;
  /** @type {Set<(view: View, before: View) => void>} */
  #listeners = new Set();

  /** @param {string} search the address's query */
  constructor(search) {
    this.#view = parse(search);
  }

  get now() {
    return this.#view;
  }

  /** Changes the state and calls the listeners, unless nothing differs. @param {Partial<View>} patch */
  set(patch) {
    const before = this.#view;
    const view = { ...before, ...patch };
    if (Object.entries(view).every(([k, v]) => before[/** @type {keyof View} */ (k)] === v)) return;
    this.#view = view;
    save(view);
    for (const fn of this.#listeners) fn(view, before);
  }

  /** @param {(view: View, before: View) => void} fn */
  on(fn) {
    this.#listeners.add(fn);
  }
}

/** Writes the view into the address without a history entry. @param {View} view */
function save(view) {
  const query = withSettings(format(view), location.search).replaceAll('%2C', ',').replaceAll('%3A', ':'); // both may be in a query unescaped
  try {
    history.replaceState(history.state, '', location.pathname + query + location.hash);
  } catch {
    // Safari allows 100 calls in 10 s; the next change writes it.
  }
}
