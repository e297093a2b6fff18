// Which figures of a kept run belong to which of the current one.

/** @import { Estimate, Figured, KeptRun, KeptSide, Pair, SeriesPoint } from './types.js' */

/**
 * The kept side that each current side is compared with: the same place when both runs have the same lanes there,
 * otherwise the first side of the same lane; null when the kept run has none.
 * @param {Pick<Figured, 'setup'>} now @param {Figured} kept @returns {Pair<KeptSide | null>}
 */
export function matched(now, kept) {
  const of = (/** @type {0 | 1} */ k) => (kept.sides[k].lane === now.setup.sides[k] ? kept.sides[k] : kept.sides.find((s) => s.lane === now.setup.sides[k]) ?? null);
  return [of(0), of(1)];
}

/** Whether the differences of both runs are between the same lanes. @param {Pick<Figured, 'setup'>} now @param {Figured} kept */
export const sameSides = (now, kept) => now.setup.sides.join() === kept.setup.sides.join();

/**
 * How much a difference has changed since another run, with the error of independent samples.
 * @param {Estimate} now @param {Estimate} before @returns {Estimate}
 */
export const changeOf = (now, before) => ({ value: now.value - before.value, error: Math.hypot(now.error, before.error) });

/** p99 by whole seconds before the newest one. @param {readonly Pick<SeriesPoint, 't' | 'p99'>[]} series @param {number} newest ms since 1970 @returns {Map<number, number>} */
export const byAge = (series, newest) => new Map(series.filter((p) => p.p99 > 0).map((p) => [Math.round((p.t - newest) / 1000), p.p99]));

/** The newest second of a kept run, ms since 1970; 0 without one. @param {KeptRun} run */
export const newestOf = (run) => Math.max(0, ...run.sides.map((s) => s.series.at(-1)?.t ?? 0));
