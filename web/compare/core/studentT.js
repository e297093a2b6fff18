// Two-sided 95 % points of Student's t: NIST/SEMATECH e-Handbook of Statistical Methods, table 1.3.6.7.2, column .975.
const T = [
  NaN, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12,
  2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];
const Z = 1.959964;

/**
 * Half width of the 95 % interval of a mean, in standard errors.
 * @param {number} df degrees of freedom, a whole number from 1
 * @returns {number} within 0.001; NaN below 1
 */
export function t95(df) {
  if (df < T.length) return T[df] ?? NaN;
  // Cornish–Fisher expansion in 1 / df (Abramowitz & Stegun 26.7.5, first two terms).
  const z3 = Z ** 3;
  return Z + (z3 + Z) / (4 * df) + (5 * Z ** 5 + 16 * z3 + 3 * Z) / (96 * df * df);
}
