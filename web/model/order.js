// Which symbols the watchlist shows, and in which order.
import { has, t } from '../text.js';
import { columns } from './columns.js';

/** @import { SymbolRecord } from '../types.js' */
/** @typedef {import('./instruments.js').Instrument} Listing an entry of /api/symbols */

/**
 * The listings of a sector whose symbol or name contains a text; symbols that start with it come first.
 * @param {readonly Listing[]} listings
 * @param {{ q: string, sector: string }} criteria
 */
export function filter(listings, { q, sector }) {
  const text = q.trim().toLowerCase();
  const found = listings.filter((l) => {
    if (sector && l.sector !== sector) return false;
    return !text || l.symbol.toLowerCase().includes(text) || l.name.toLowerCase().includes(text);
  });
  if (!text) return found;
  const rank = (/** @type {Listing} */ l) => (l.symbol.toLowerCase().startsWith(text) ? 0 : 1);
  return found.sort((a, b) => rank(a) - rank(b)); // the sort is stable
}

/**
 * The listings shown: those of the open list in its order, else all. A search covers all symbols, so that one can be added
 * to the list; those on the list come first.
 * @param {readonly Listing[]} listings @param {{ q: string, sector: string }} criteria
 * @param {readonly string[] | null} list null when none is open
 */
export function find(listings, criteria, list) {
  if (!list) return filter(listings, criteria);
  if (criteria.q.trim()) {
    const on = new Set(list);
    const found = filter(listings, criteria);
    return [...found.filter((l) => on.has(l.symbol)), ...found.filter((l) => !on.has(l.symbol))];
  }
  const known = new Map(listings.map((l) => [l.symbol, l]));
  return filter(list.flatMap((symbol) => known.get(symbol) ?? []), criteria);
}

/**
 * Sorts by a column. Unknown figures come last in either direction; the sort is stable.
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

/** The order after a click on a column's header: first descending for figures and ascending for names, then the reverse, then none. */
export function nextSort(/** @type {string} */ sort, /** @type {string} */ column) {
  const steps = column === 'symbol' || columns[column]?.up ? [column, `-${column}`, ''] : [`-${column}`, column, ''];
  return steps[(steps.indexOf(sort) + 1) % 3] ?? '';
}

/** A sector's name in the page's language; one without a translation is derived: "rare-earths" → "Rare earths". @param {string} sector */
export function sectorName(sector) {
  if (has(`sector.${sector}`)) return t(`sector.${sector}`);
  const words = sector.replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
