import { latency } from '../../model/formats.js';
import { hasDelay, isAA } from './setup.js';

/** "0.02 ms". @param {number} value ms, without its sign */
export const ms = (value) => `${latency(Math.abs(value))} ms`;

/** "2.0 ms ± 0.1", with as many decimals as the error justifies. @param {number} value ms, without its sign @param {number} error ms */
export function plusMinus(value, error) {
  const [shown, half] = rounded(value, error);
  return `${shown} ms ± ${half}`;
}

/** Texts of a value, without its sign, and its error. @param {number} value @param {number} error @returns {[string, string]} */
function rounded(value, error) {
  const decimals = error < 0.0995 ? 2 : error < 9.95 ? 1 : 0;
  return [Math.abs(value).toFixed(decimals), error < 0.005 ? '0.01' : error.toFixed(decimals)];
}

/** Whether a run has enough data for a verdict. @param {import('./types.js').Result} r */
export const enough = ({ look }) => look !== null && look.pairs >= PAIRS && !Number.isNaN(look.typical.error);

/** Minimum number of pairs for a verdict. */
export const PAIRS = 200;

/** Seconds of measured time between looks at the difference; ten complete batches take less. */
export const SECONDS = 15;

/** Minimum number of ticks for figures of bytes. */
export const TICKS = 200;

/** An error above this many ms and above this share of the typical latency is too wide to conclude that there is no difference. */
const WIDE = 1;
const WIDE_SHARE = 0.25;

/**
 * The verdict of the newest look; null before there is enough data.
 * - faster: the difference exceeds the noise, an A/A run of the same setup included
 * - unsure: the difference exceeds the noise, but there is no A/A run yet. A run with an injected delay needs none
 * - none: the difference is within the noise
 * - wide: the difference is within the noise, and the noise is too large to rule out a relevant one
 * @param {import('./types.js').Result} r
 * @returns {{ verdict: 'faster' | 'unsure' | 'none' | 'wide', first: import('./types.js').SideResult, by: number, error: number } | null}
 *   first: the side whose ticks arrive earlier; by and error in ms; error: half width of the interval or, where larger,
 *   the noise, as in the table
 */
export function difference(r) {
  if (!r.look || !enough(r) || !r.sound) return null;
  const { typical: { value, error }, noise: { value: noise } } = r.look;
  const by = Math.abs(value);
  const bound = Math.max(noise, error);
  const [shown, half] = rounded(value, bound);
  const result = { first: r.sides[value > 0 ? 1 : 0], by, error: bound };
  if (by > bound && Number(shown) > Number(half)) {
    return { verdict: r.aa || isAA(r.setup) || hasDelay(r.setup) ? 'faster' : 'unsure', ...result };
  }
  const p50 = Math.min(...r.sides.map((s) => s.latency.p50));
  return { verdict: bound > Math.max(WIDE, WIDE_SHARE * (p50 || 0)) ? 'wide' : 'none', ...result };
}

/** The newest row of a drill on a stream. @param {import('./types.js').DrillRow[]} drills @param {string} action @param {'a' | 'b' | 'plain'} stream */
export const newest = (drills, action, stream) => drills.filter((d) => d.drill === action && d.stream === stream).at(-1);
