// Which symbols the list shows, and in which order. Pure.
import { has, t } from '../text.js';
import { columns } from './columns.js';

/** @typedef {import('../types.js').SymbolRecord} SymbolRecord */
/** @typedef {{ symbol: string, name: string, sector: string, value: number }} Listing as /api/symbols tells it */

/**
 * The listings of a sector whose symbol or name holds the text; symbols that begin with it come first.
 * @param {readonly Listing[]} listings
 * @param {{ q: string, sector: string }} want
 */
export function filter(listings, { q, sector }) {
  const text = q.trim().toLowerCase();
  const found = listings.filter((l) => {
    if (sector && l.sector !== sector) return false;
    return !text || l.symbol.toLowerCase().includes(text) || l.name.toLowerCase().includes(text);
  });
  if (!text) return found;
  const rank = (/** @type {Listing} */ l) => (l.symbol.toLowerCase().startsWith(text) ? 0 : 1);
  return found.sort((a, b) => rank(a) - rank(b)); // a stable sort: the feed's order within each
}

/**
 * What the list shows: the open list's symbols in its own order, else all. A search goes over all symbols, so that one
 * can be added to the list; those that are on it come first.
 * @param {readonly Listing[]} listings @param {{ q: string, sector: string }} want
 * @param {readonly string[] | null} list null: none is open
 */
export function find(listings, want, list) {
  if (!list) return filter(listings, want);
  if (want.q.trim()) {
    const on = new Set(list);
    const found = filter(listings, want);
    return [...found.filter((l) => on.has(l.symbol)), ...found.filter((l) => !on.has(l.symbol))];
  }
  const known = new Map(listings.map((l) => [l.symbol, l]));
  return filter(list.flatMap((symbol) => known.get(symbol) ?? []), want);
}

/**
 * Sorted by a column; figures that aren't known come last whatever the direction, equal ones keep their order.
 * @param {readonly Listing[]} listings
 * @param {string} sort as in the address: '', 'change', '-change'
 * @param {(symbol: string) => SymbolRecord | undefined} get
 */
export function order(listings, sort, get) {
  if (!sort) return [...listings];
  const sign = sort.startsWith('-') ? -1 : 1;
  const column = sort.replace(/^-/, '');
  if (column === 'symbol') return [...listings].sort((a, b) => sign * (a.symbol < b.symbol ? -1 : 1));
  const figure = columns[column]?.figure;
  if (!figure) return [...listings];
  const known = [];
  const unknown = [];
  for (const l of listings) {
    const r = get(l.symbol);
    const x = r ? figure(r) : NaN;
    if (Number.isNaN(x)) unknown.push(l);
    else known.push({ l, x });
  }
  known.sort((a, b) => sign * (a.x - b.x));
  return [...known.map((k) => k.l), ...unknown];
}

/** What a click on a column's header makes of the order: figures start with the largest, names with A; the third click undoes. */
export function nextSort(/** @type {string} */ sort, /** @type {string} */ column) {
  const steps = column === 'symbol' || columns[column]?.up ? [column, `-${column}`, ''] : [`-${column}`, column, ''];
  return steps[(steps.indexOf(sort) + 1) % 3] ?? '';
}

/** A sector's name for people; one that the catalogue doesn't know, from its own: "rare-earths" → "Rare earths". @param {string} sector */
export function sectorName(sector) {
  if (has(`sector.${sector}`)) return t(`sector.${sector}`);
  const words = sector.replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
