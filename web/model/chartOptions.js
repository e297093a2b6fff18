/** What all charts show besides the price. @typedef {Record<Name, boolean>} Shown */
/** @typedef {'volume' | 'day' | 'sma20' | 'sma50' | 'ema20' | 'log' | 'hollow'} Name */

/** @type {Readonly<Shown>} */
export const defaults = Object.freeze({ volume: true, day: false, sma20: false, sma50: false, ema20: false, log: false, hollow: false });

/** The stored options; the default for each one that is missing or invalid. @param {any} stored @returns {Shown} */
export const readOptions = (stored) =>
  /** @type {Shown} */ (Object.fromEntries(Object.entries(defaults).map(([name, value]) => [name, typeof stored?.[name] === 'boolean' ? stored[name] : value])));
