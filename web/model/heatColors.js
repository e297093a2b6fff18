// The heat map's colours: steps from no change to LIMIT on either side, with black or white for the text.

export const LIMIT = 3; // per cent; larger changes have the same colour
const STEPS = 12; // on each side, so a step is a quarter per cent

/** @typedef {readonly [number, number, number]} RGB */
/** @typedef {{ fill: string, ink: string }} TileColour */

/** @param {string} colour a computed style, or "#rrggbb" @returns {RGB} */
export function rgb(colour) {
  const hex = /^#(..)(..)(..)$/.exec(colour);
  const parts = hex ? hex.slice(1).map((s) => parseInt(s, 16)) : (colour.match(/[\d.]+/g) ?? []).map(Number);
  const [r = 0, g = 0, b = 0] = parts;
  return [r, g, b];
}

/** The step of a change, from -STEPS to STEPS; 0 for a change displayed as 0.00. @param {number | undefined} pct @returns {number} NaN when the change is unknown */
export function step(pct) {
  if (pct === undefined || Number.isNaN(pct)) return NaN;
  const size = Math.abs(pct);
  if (size < 0.005) return 0;
  return Math.sign(pct) * Math.max(1, Math.round((Math.min(size, LIMIT) / LIMIT) * STEPS));
}

/**
 * Precomputes the colours of all steps and of NaN.
 * @param {{ flat: string, up: string, down: string }} colours @returns {(step: number) => TileColour}
 */
export function palette({ flat, up, down }) {
  const none = rgb(flat);
  const side = (/** @type {string} */ colour) => Array.from({ length: STEPS + 1 }, (_, k) => tileColour(mix(none, rgb(colour), k ? 0.14 + (0.86 * k) / STEPS : 0)));
  const rises = side(up);
  const falls = side(down);
  const unknown = tileColour(none);
  return (k) => (k < 0 ? falls[-k] : rises[k]) ?? unknown;
}

/** The steps of a legend, from -LIMIT to LIMIT. */
export const legend = Array.from({ length: 9 }, (_, k) => ((k - 4) * STEPS) / 4);

/** @param {RGB} a @param {RGB} b @param {number} share of b @returns {RGB} */
const mix = (a, b, share) => /** @type {any} */ ([0, 1, 2].map((k) => Math.round((a[k] ?? 0) + ((b[k] ?? 0) - (a[k] ?? 0)) * share)));

/** Black or white has a contrast of at least 4.58 : 1 on any colour. @param {RGB} fill @returns {TileColour} */
const tileColour = (fill) => ({ fill: `rgb(${fill.join(', ')})`, ink: contrast(fill, [255, 255, 255]) >= 4.58 ? '#fff' : '#000' });

/** The contrast ratio of WCAG 2.2. @param {RGB} a @param {RGB} b */
export function contrast(a, b) {
  const [lighter, darker] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return ((lighter ?? 0) + 0.05) / ((darker ?? 0) + 0.05);
}

/** @param {RGB} colour */
function luminance(colour) {
  const [r, g, b] = colour.map((v) => {
    const s = v / 255;
    return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * (r ?? 0) + 0.7152 * (g ?? 0) + 0.0722 * (b ?? 0);
}
