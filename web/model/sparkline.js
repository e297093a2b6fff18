const LEAST = 10; // values; through fewer, straight lines across the whole width would look like a trend

/**
 * An SVG path through equally spaced values, the lowest at the bottom; empty for fewer than ten.
 * @param {readonly number[]} values oldest first @param {number} width px @param {number} height px
 */
export function path(values, width, height) {
  if (values.length < LEAST) return '';
  let low = Infinity;
  let high = -Infinity;
  for (const v of values) {
    if (v < low) low = v;
    if (v > high) high = v;
  }
  const room = height - 4;
  const y = (/** @type {number} */ v) => (high > low ? 2 + room * (1 - (v - low) / (high - low)) : height / 2).toFixed(1);
  const step = width / (values.length - 1);
  let d = '';
  values.forEach((v, i) => { d += `${i ? 'L' : 'M'}${(i * step).toFixed(1)} ${y(v)}`; });
  return d;
}
