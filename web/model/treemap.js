// The layout of the heat map: a squarified treemap (Bruls, Huizing, van Wijk 2000) of sectors and, within them, symbols.

/** @import { Listing } from './order.js' */
/** @typedef {{ x: number, y: number, w: number, h: number }} Box */
/** @typedef {Box & { listing: Listing }} Tile */
/** @typedef {Box & { sector: string, label: number }} Sector label: the height of the strip with its name, or 0 */

const STRIP = 15; // px for a sector's name
const ROOM = { w: 42, h: 44 }; // px; a smaller sector has no strip
const GAP = 2; // px left free at a sector's right and bottom

/**
 * A box for each value, in the values' order: their areas are proportional and fill the whole box, as close to squares as
 * rows allow. An unknown value counts as the smallest known one.
 * @param {readonly number[]} values @param {Box} box @returns {Box[]}
 */
export function squarify(values, { x, y, w, h }) {
  const known = (/** @type {number} */ v) => v > 0 && v < Infinity;
  const least = values.reduce((a, v) => (known(v) ? Math.min(a, v) : a), Infinity);
  const weights = values.map((v) => (known(v) ? v : least === Infinity ? 1 : least));
  const scale = (w * h) / weights.reduce((a, b) => a + b, 0);
  const order = weights.map((v, k) => ({ k, area: v * scale })).sort((a, b) => b.area - a.area || a.k - b.k);
  /** @type {Box[]} */
  const boxes = new Array(values.length);
  for (let from = 0; from < order.length;) {
    const side = Math.min(w, h);
    const first = order[from]?.area ?? 0;
    let to = from + 1;
    let sum = first;
    for (let worst = ratio(first, first, sum, side); to < order.length; to++) {
      const area = order[to]?.area ?? 0;
      const next = ratio(first, area, sum + area, side);
      if (next > worst) break;
      worst = next;
      sum += area;
    }
    const thick = to === order.length ? Math.max(w, h) : side > 0 ? sum / side : 0; // the last row fills the rest
    let at = 0;
    for (let k = from; k < to; k++) {
      const item = order[k];
      if (!item) continue;
      const long = k === to - 1 ? side - at : sum > 0 ? (item.area / sum) * side : 0;
      boxes[item.k] = w >= h ? { x, y: y + at, w: thick, h: long } : { x: x + at, y, w: long, h: thick };
      at += long;
    }
    if (w >= h) { x += thick; w -= thick; } else { y += thick; h -= thick; }
    from = to;
  }
  return boxes;
}

/** The worst aspect ratio in a row along a side. @param {number} most @param {number} least @param {number} sum @param {number} side */
const ratio = (most, least, sum, side) => Math.max((side * side * most) / (sum * sum), (sum * sum) / (side * side * least));

/**
 * @param {readonly Listing[]} listings @param {Box} box @param {number} [k] the font size relative to 13 px
 * @returns {{ sectors: Sector[], tiles: Tile[] }} the largest sector first, and within it the largest symbol
 */
export function layout(listings, box, k = 1) {
  /** @type {Map<string, Listing[]>} */
  const by = new Map();
  for (const l of listings) by.set(l.sector, [...(by.get(l.sector) ?? []), l]);
  const value = (/** @type {Listing[]} */ of) => of.reduce((a, l) => a + (l.value > 0 ? l.value : 0), 0);
  const groups = [...by].map(([sector, of]) => ({ sector, of: of.sort((a, b) => b.value - a.value), value: value(of) })).sort((a, b) => b.value - a.value);
  const boxes = squarify(groups.map((g) => g.value), box);
  /** @type {Sector[]} */
  const sectors = [];
  /** @type {Tile[]} */
  const tiles = [];
  groups.forEach(({ sector, of }, g) => {
    const at = /** @type {Box} */ (boxes[g]);
    const label = at.w >= ROOM.w * k && at.h >= ROOM.h * k ? STRIP * k : 0;
    sectors.push({ ...at, sector, label });
    const inside = squarify(of.map((l) => l.value), { x: at.x, y: at.y + label, w: Math.max(0, at.w - GAP), h: Math.max(0, at.h - label - GAP) });
    of.forEach((listing, n) => tiles.push({ .../** @type {Box} */ (inside[n]), listing }));
  });
  return { sectors, tiles };
}

/**
 * The tile that an arrow key moves to: the nearest on that side, where a tile out of line counts as further away.
 * @param {readonly Box[]} tiles @param {number} at @param {number} dx @param {number} dy -1, 0 or 1 @returns {number} at when there is none
 */
export function neighbour(tiles, at, dx, dy) {
  const from = tiles[at];
  if (!from) return 0;
  const fx = from.x + from.w / 2;
  const fy = from.y + from.h / 2;
  let best = at;
  let least = Infinity;
  tiles.forEach((b, k) => {
    // The distance of its near edge, and its distance from the line through the middle.
    const gap = dx ? (dx > 0 ? b.x - (from.x + from.w) : from.x - (b.x + b.w)) : dy > 0 ? b.y - (from.y + from.h) : from.y - (b.y + b.h);
    if (k === at || gap < -0.01) return;
    const off = dx ? Math.max(b.y - fy, fy - (b.y + b.h), 0) : Math.max(b.x - fx, fx - (b.x + b.w), 0);
    const cost = gap + 3 * off;
    if (cost < least) { least = cost; best = k; }
  });
  return best;
}

/** @param {readonly Box[]} tiles @param {number} x @param {number} y @returns {number} -1 for none */
export const tileAt = (tiles, x, y) => tiles.findIndex((b) => x >= b.x && x < b.x + b.w && y >= b.y && y < b.y + b.h);
