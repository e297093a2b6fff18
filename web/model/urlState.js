// The page's state in the address, which makes it a link; defaults are left out.
import { formatCharts, intervals, parseCharts } from './chartSpec.js';
import { columns, readColumns } from './columns.js';
import { isSymbol } from './instruments.js';
import { readId, readName, readSymbols } from './lists.js';

/** @import { Lane } from '../types.js' */
/**
 * @typedef {object} View
 * @property {string} symbol shown in the chart; '' until the symbols are known
 * @property {string} interval of the chart's bars
 * @property {import('./chartSpec.js').Kind} kind of chart
 * @property {string} charts all charts when there are several; symbol, interval and kind are those of the focused one
 * @property {Lane | 'auto'} lane auto: the preferred one, and the other one while that is blocked
 * @property {Lane} prefer the preferred lane
 * @property {import('../types.js').Encoding} encoding of the messages on lane ws
 * @property {string} sort a column, with a leading '-' for descending; '' is the server's order
 * @property {string} sector '' for all sectors
 * @property {string} q the search text
 * @property {string} list the symbols of the open list, as returned by readSymbols
 * @property {string} name of the open list; '' without symbols shows all of the server's
 * @property {string} listId of the open list in this browser; '' for one from a link
 * @property {string} cols the watchlist's columns, as returned by readColumns; '' for the standard ones
 * @property {string} panel the market panel that is shown
 * @property {string} trades 'symbol': of the chart's symbol; 'list': of the watchlist's symbols; '' all
 * @property {string} least the least value of a trade that is shown; '' for any
 */

export const panels = /** @type {const} */ (['heat', 'movers', 'trades', 'alerts']);
export const sizes = /** @type {const} */ (['', '10000', '50000', '200000']);

/** @type {Readonly<View>} */
export const defaults = Object.freeze({
  symbol: '', interval: '1m', kind: 'candles', charts: '', lane: 'sse', prefer: 'sse', encoding: 'json', sort: '', sector: '', q: '', list: '', name: '', listId: '', cols: '',
  panel: 'heat', trades: '', least: '',
});

/** Parses a query; an invalid value becomes the default. @param {string} search @returns {View} */
export function parse(search) {
  const p = new URLSearchParams(search);
  const text = (/** @type {string} */ key, /** @type {number} */ most) => (p.get(key) ?? '').slice(0, most);
  const charts = parseCharts(text('charts', 200));
  const first = p.has('symbol') ? undefined : charts[0];
  const interval = first?.interval ?? text('interval', 8);
  const sort = text('sort', 16);
  const auto = p.get('lane') === 'auto';
  return {
    symbol: first?.symbol ?? [p.get('symbol')].find(isSymbol) ?? defaults.symbol,
    interval: intervals.some((x) => x === interval) ? interval : defaults.interval,
    kind: (first?.kind ?? p.get('kind')) === 'line' ? 'line' : 'candles',
    charts: formatCharts(charts),
    lane: auto ? 'auto' : p.get('lane') === 'ws' ? 'ws' : 'sse',
    prefer: auto && p.get('prefer') === 'ws' ? 'ws' : 'sse',
    encoding: p.get('encoding') === 'protobuf' ? 'protobuf' : 'json',
    sort: ['symbol', ...Object.keys(columns)].includes(sort.replace(/^-/, '')) ? sort : '',
    sector: text('sector', 32),
    q: text('q', 40),
    list: readSymbols(text('list', 6600)),
    name: readName(text('name', 200)),
    listId: readId(text('listId', 40)),
    cols: readColumns(text('cols', 200)),
    panel: panels.find((x) => x === p.get('panel')) ?? defaults.panel,
    trades: ['symbol', 'list'].find((x) => x === p.get('trades')) ?? '',
    least: sizes.find((x) => x === p.get('least')) ?? defaults.least,
  };
}

/** The query of a view, with its question mark, or ''. @param {View} view */
export function format(view) {
  const p = new URLSearchParams();
  for (const [key, value] of Object.entries(view)) {
    if (value !== defaults[/** @type {keyof View} */ (key)]) p.set(key, value);
  }
  const s = p.toString().replaceAll('%2C', ',');
  return s && `?${s}`;
}

/** The choices that are steps: back and forward go between them. All others refine the view of a step. */
const steps = /** @type {const} */ (['symbol', 'interval', 'panel', 'name', 'listId']);

/** Reports whether a change of the view is a step in the browser's history. @param {View} view @param {View} before */
export const isStep = (view, before) => steps.some((key) => view[key] !== before[key]);

/**
 * The view of an entry in the browser's history. Lane and encoding stay as they are, since the stream is not part of a step,
 * and so do the columns, which are a preference.
 * @param {string} search the entry's query @param {View} now @returns {View}
 */
export function restore(search, { lane, prefer, encoding, cols }) {
  return { ...parse(search), lane, prefer, encoding, cols };
}
