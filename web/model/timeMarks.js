const HOUR = 3600; // s

/** Units of the clock in seconds with the weights of their marks, the longest first. @type {readonly (readonly [number, number])[]} */
const units = [[12 * HOUR, 33], [6 * HOUR, 32], [3 * HOUR, 31], [HOUR, 30], [1800, 22], [300, 21], [60, 20], [1, 10]];

/**
 * The weight of a bar's mark on the time axis: of the longest unit of the zone's clock or calendar that begins after the start
 * of the bar before it, and at or before its own. The axis shows the marks of the largest weights. The values are those of
 * Lightweight Charts, whose own function only knows UTC.
 * @param {number} before start of the bar before it, s since 1970 @param {number} at start of the bar, s since 1970
 * @param {(ms: number) => number} offset the zone's offset from UTC in ms, at a time in ms since 1970
 */
export function markWeight(before, at, offset) {
  const east = offset(at * 1000) / 1000;
  const [a, b] = [new Date(before * 1000 + offset(before * 1000)), new Date((at + east) * 1000)];
  if (a.getUTCFullYear() !== b.getUTCFullYear()) return 70;
  if (a.getUTCMonth() !== b.getUTCMonth()) return 60;
  if (a.getUTCDate() !== b.getUTCDate()) return 50;
  // Both by the later offset: an hour that the clock repeats begins twice.
  return units.find(([unit]) => Math.floor((before + east) / unit) !== Math.floor((at + east) / unit))?.[1] ?? 0;
}
