const FIRST = 1_000; // ms
const MOST = 15_000;

/**
 * The wait before try number `attempt`, counted from 0: full jitter, so uniformly anywhere in a window that doubles
 * from 1 s to 15 s. It spreads the clients of a server that went away better than a growing wait does.
 * (AWS Architecture Blog, "Exponential Backoff and Jitter", 2015.)
 * @param {number} attempt
 * @param {() => number} random 0 ≤ x < 1
 * @returns {number} ms
 */
export function jitter(attempt, random) {
  return random() * Math.min(MOST, FIRST * 2 ** Math.min(attempt, 10));
}
