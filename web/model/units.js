// Exact arithmetic on prices and sizes. JSON has them as decimals, which a float holds only approximately; counted in units of
// their last decimal they are whole numbers. This is exact for 15 digits, as many as every decimal keeps in a float.

const POWERS = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

/** The largest number of units that is exact. */
export const MOST = 1e15 - 1;

/** The number of units of a decimal; NaN of NaN. @param {number} x @param {number} decimals 0 to 9 */
export const units = (x, decimals) => Math.round(x * /** @type {number} */ (POWERS[decimals]));

/** The float nearest to a number of units: the one that JSON's decimal parses to. @param {number} n @param {number} decimals 0 to 9 */
export const fromUnits = (n, decimals) => n / /** @type {number} */ (POWERS[decimals]);

/** Rounds to a number of decimals. @param {number} x @param {number} decimals 0 to 9 */
export const round = (x, decimals) => fromUnits(units(x, decimals), decimals);

/** a − b, exactly. @param {number} a @param {number} b @param {number} decimals of both, 0 to 9 */
export const difference = (a, b, decimals) => fromUnits(units(a, decimals) - units(b, decimals), decimals);

/** Reports whether a number has no more than so many decimals. @param {number} x @param {number} decimals 0 to 9 */
export const isExact = (x, decimals) => round(x, decimals) === x;

/**
 * A change as a percentage of the price before it. A rise is positive also from a negative price. NaN when the price before is 0
 * or unknown. It is rounded to a billionth, so that a whole percentage is one.
 * @param {number} change @param {number} before
 */
export const changePercent = (change, before) => (before ? round((change / Math.abs(before)) * 100, 9) : NaN);
