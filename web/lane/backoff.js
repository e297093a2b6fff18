const FIRST = 1_000; // ms
const MOST = 15_000;

/**
 * The delay before try number `attempt`, counted from 0, with full jitter: uniform from 0 to a limit that doubles from
 * 1 s to 15 s. Clients of a restarted server spread out better than with a fixed, growing delay
 * (AWS Architecture Blog, "Exponential Backoff and Jitter", 2015).
 * @param {number} attempt
 * @param {() => number} random 0 ≤ x < 1
 * @returns {number} ms
 */
export function jitter(attempt, random) {
  return random() * Math.min(MOST, FIRST * 2 ** Math.min(attempt, 10));
}
