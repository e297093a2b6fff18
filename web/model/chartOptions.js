/** What all charts show beside the price. @typedef {Record<Name, boolean>} Shown */
/** @typedef {'volume' | 'day' | 'sma20' | 'sma50' | 'ema20' | 'log' | 'hollow'} Name */

const KEY = 'ticklane.chart';

/** @type {Readonly<Shown>} */
export const defaults = Object.freeze({ volume: true, day: false, sma20: false, sma50: false, ema20: false, log: false, hollow: false });

/** What was kept; the default for whatever can't be. @param {string | null} text @returns {Shown} */
export function parseKept(text) {
  /** @type {any} */
  let kept = null;
  try {
    kept = JSON.parse(text ?? '');
  } catch {
    // Garbage is as good as nothing.
  }
  return /** @type {Shown} */ (Object.fromEntries(Object.entries(defaults).map(([name, value]) => [name, typeof kept?.[name] === 'boolean' ? kept[name] : value])));
}

export function load() {
  try {
    return parseKept(localStorage.getItem(KEY));
  } catch {
    return { ...defaults };
  }
}

/** @param {Shown} shown */
export function keep(shown) {
  try {
    localStorage.setItem(KEY, JSON.stringify(shown));
  } catch {
    // Storage may be forbidden or full: then a choice holds until the page goes.
  }
}
