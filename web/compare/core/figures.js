import { latency } from '../../store/format.js';

/** "0.02 ms". @param {number} value ms, its sign is dropped */
export const ms = (value) => `${latency(Math.abs(value))} ms`;

/** "2.0 ms ± 0.1": as many decimals as the error has worth. @param {number} value ms, its sign is dropped @param {number} error ms */
export function plusMinus(value, error) {
  const decimals = error < 0.0995 ? 2 : error < 9.95 ? 1 : 0;
  const shown = error < 0.005 ? '0.01' : error.toFixed(decimals);
  return `${Math.abs(value).toFixed(decimals)} ms ± ${shown}`;
}

/** Whether a run has enough for a sentence: whole batches and pairs. @param {import('./types.js').Result} r */
export const enough = (r) => r.pairs.count >= PAIRS && !Number.isNaN(r.pairs.typical.error);

/** Pairs below which no difference is told. */
export const PAIRS = 200;

/** Seconds of measuring that ten whole batches take. */
export const SECONDS = 11;

/** Ticks below which no bytes are told. */
export const TICKS = 200;

/**
 * What the pairs say: which side is faster, or none when the difference is inside the noise; null before there is
 * enough.
 * @param {import('./types.js').Result} r
 * @returns {{ faster: import('./types.js').SideResult | null, by: number, error: number, noise: number } | null} ms
 */
export function difference(r) {
  if (!enough(r) || !r.sound) return null;
  const { value, error } = r.pairs.typical;
  const inside = Math.abs(value) <= r.noise.value;
  return { faster: inside ? null : r.sides[value > 0 ? 1 : 0], by: Math.abs(value), error, noise: r.noise.value };
}

/** The newest row of a drill on a stream. @param {import('./types.js').DrillRow[]} drills @param {string} action @param {'a' | 'b' | 'bare'} stream */
export const newest = (drills, action, stream) => drills.filter((d) => d.drill === action && d.stream === stream).at(-1);
