// Histograms for plots. The x axis is the bucket number, so that it is as logarithmic as the buckets; labels show values.

/** @typedef {import('../core/types.js').Buckets} Buckets */

/**
 * The position of a value as a fractional bucket number; NaN outside the bounds.
 * @param {ArrayLike<number>} bounds ascending @param {number} value
 */
export function place(bounds, value) {
  const last = bounds.length - 1;
  if (!(value >= Number(bounds[0]) && value <= Number(bounds[last]))) return NaN;
  let low = 0;
  let high = last;
  while (high - low > 1) {
    const mid = (low + high) >> 1;
    if (Number(bounds[mid]) <= value) low = mid;
    else high = mid;
  }
  const from = Number(bounds[low]);
  const to = Number(bounds[high]);
  if (!Number.isFinite(from) || !Number.isFinite(to) || to === from) return low;
  // Logarithmic between bounds of one sign, linear across 0.
  if (from > 0) return low + Math.log(value / from) / Math.log(to / from);
  if (to < 0) return low + 1 - Math.log(value / to) / Math.log(from / to);
  return low + (value - from) / (to - from);
}

/**
 * The first and last bucket that contain all but `tail` of the counts at each end, with a margin.
 * @param {readonly Buckets[]} all on the same bounds @param {number} [tail] share @param {number} [margin] buckets
 * @returns {[number, number] | null} null while everything is empty
 */
export function extent(all, tail = 0.0005, margin = 4) {
  let first = Infinity;
  let last = -Infinity;
  for (const { counts } of all) {
    let total = 0;
    for (let k = 0; k < counts.length; k++) total += Number(counts[k]);
    if (total === 0) continue;
    let seen = 0;
    for (let k = 0; k < counts.length; k++) {
      const n = Number(counts[k]);
      if (n === 0) continue;
      if (seen + n > total * tail && k < first) first = k;
      if (seen < total * (1 - tail) && k > last) last = k;
      seen += n;
    }
  }
  if (first > last) return null;
  const most = (all[0]?.counts.length ?? 1) - 1;
  return [Math.max(0, first - margin), Math.min(most, last + margin)];
}

/**
 * Shares of the counts in at most `bins` bins of several buckets. Counts outside the range are in the outermost bins.
 * @param {readonly Buckets[]} all on the same bounds @param {[number, number]} range of buckets @param {number} [bins]
 * @returns {number[][]} middles of the bins as bucket numbers, then percentages of each histogram
 */
export function shares(all, [from, to], bins = 64) {
  const step = Math.max(1, Math.ceil((to - from + 1) / bins));
  const start = from - (from % step); // so that bins stay in place when the range grows
  /** @type {number[][]} */
  const columns = [[], ...all.map(() => [])];
  const totals = all.map(({ counts }) => {
    let total = 0;
    for (let k = 0; k < counts.length; k++) total += Number(counts[k]);
    return total;
  });
  for (let k = start; k <= to; k += step) {
    columns[0]?.push(k + step / 2);
    all.forEach(({ counts }, h) => {
      let sum = 0;
      const end = k + step > to ? counts.length : k + step;
      for (let b = k === start ? 0 : k; b < end; b++) sum += Number(counts[b]);
      columns[h + 1]?.push(totals[h] ? (100 * sum) / Number(totals[h]) : 0);
    });
  }
  return columns;
}

/**
 * Round values for an axis: 0, powers of ten, then three times those, where there is space.
 * @param {ArrayLike<number>} bounds @param {[number, number]} range of buckets @param {number} [most] maximum number of labels
 * @returns {number[]} ascending
 */
export function ticks(bounds, [from, to], most = 9) {
  const decades = Array.from({ length: 11 }, (_, k) => 10 ** (6 - k));
  const whole = [0, ...decades].flatMap((v) => (v ? [v, -v] : [v]));
  const thirds = decades.flatMap((v) => [3 * v, -3 * v]);
  const distance = (to - from + 1) / most;
  const edge = distance / 4; // avoids clipped labels
  /** @type {{ value: number, at: number }[]} */
  const kept = [];
  for (const value of [...whole, ...thirds]) {
    const at = place(bounds, value);
    if (at >= from + edge && at <= to + 1 - edge && kept.every((k) => Math.abs(k.at - at) >= distance)) kept.push({ value, at });
  }
  return kept.map((k) => k.value).sort((a, b) => a - b);
}
