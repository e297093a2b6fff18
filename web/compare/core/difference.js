import { latency } from '../../model/formats.js';
import { isAA, isPlanted } from './setup.js';

/** "0.02 ms". @param {number} value ms, its sign is dropped */
export const ms = (value) => `${latency(Math.abs(value))} ms`;

/** "2.0 ms ± 0.1": as many decimals as the error has worth. @param {number} value ms, its sign is dropped @param {number} error ms */
export function plusMinus(value, error) {
  const [shown, half] = rounded(value, error);
  return `${shown} ms ± ${half}`;
}

/** A value without its sign and its error, as they are shown. @param {number} value @param {number} error @returns {[string, string]} */
function rounded(value, error) {
  const decimals = error < 0.0995 ? 2 : error < 9.95 ? 1 : 0;
  return [Math.abs(value).toFixed(decimals), error < 0.005 ? '0.01' : error.toFixed(decimals)];
}

/** Whether a run has enough for a sentence: a look at whole batches and pairs. @param {import('./types.js').Result} r */
export const enough = ({ look }) => look !== null && look.pairs >= PAIRS && !Number.isNaN(look.typical.error);

/** Pairs below which no difference is told. */
export const PAIRS = 200;

/** Seconds of measured time between looks at the difference; ten whole batches take less. */
export const SECONDS = 15;

/** Ticks below which no bytes are told. */
export const TICKS = 200;

/** An error of more ms than this, and than this share of the typical latency, is too wide to call lanes alike. */
const WIDE = 1;
const WIDE_SHARE = 0.25;

/**
 * What the pairs say at the newest look; null before there is enough.
 * - faster: the difference is larger than all that could feign it, and an A/A run of this very setup showed less
 * - unsure: no A/A run of this setup has shown yet what this setup feigns. A planted delay needs none
 * - none: the difference is inside the noise
 * - wide: so it is, but the noise is so wide that much could hide in it
 * @param {import('./types.js').Result} r
 * @returns {{ verdict: 'faster' | 'unsure' | 'none' | 'wide', first: import('./types.js').SideResult, by: number, error: number } | null}
 *   ms; first: the side ahead, by chance or not; error: the interval's half width or, where larger, what else could feign
 *   a difference, as the table has it
 */
export function difference(r) {
  if (!r.look || !enough(r) || !r.sound) return null;
  const { typical: { value, error }, noise: { value: noise } } = r.look;
  const by = Math.abs(value);
  const bound = Math.max(noise, error);
  const [shown, half] = rounded(value, bound);
  const found = { first: r.sides[value > 0 ? 1 : 0], by, error: bound };
  if (by > bound && Number(shown) > Number(half)) {
    return { verdict: r.aa || isAA(r.setup) || isPlanted(r.setup) ? 'faster' : 'unsure', ...found };
  }
  const p50 = Math.min(...r.sides.map((s) => s.latency.p50));
  return { verdict: bound > Math.max(WIDE, WIDE_SHARE * (p50 || 0)) ? 'wide' : 'none', ...found };
}

/** The newest row of a drill on a stream. @param {import('./types.js').DrillRow[]} drills @param {string} action @param {'a' | 'b' | 'bare'} stream */
export const newest = (drills, action, stream) => drills.filter((d) => d.drill === action && d.stream === stream).at(-1);
