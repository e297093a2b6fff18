// The state that a person may want to keep or send: it stands in the address, defaults left out.
import { formatCharts, intervals, parseCharts } from './chartSpec.js';
import { columns, readColumns } from './columns.js';
import { readName, readSymbols } from './lists.js';

/** @typedef {import('../types.js').Lane} Lane */
/**
 * @typedef {object} View
 * @property {string} symbol shown in the chart; '' until the first list of symbols is here
 * @property {string} interval of the chart's bars
 * @property {import('./chartSpec.js').Kind} kind of chart
 * @property {string} charts all of them, where there are several; symbol, interval and kind are then those of one
 * @property {Lane | 'auto'} lane auto: the preferred one, and the other while that is blocked
 * @property {Lane} prefer which one that is
 * @property {import('../types.js').Encoding} encoding of the messages on lane ws
 * @property {string} sort a column, with '-' in front for descending; '' is the feed's own order
 * @property {string} sector '' is every sector
 * @property {string} q what is searched for
 * @property {string} list the symbols of the list that is open, as readSymbols gives them
 * @property {string} name of that list; '' as well as no symbols: all that the server has
 * @property {string} cols the list's columns, as readColumns gives them; '' is the standard
 * @property {string} panel which of the panels that share a place
 * @property {string} trades 'symbol': only those of the chart's, 'list': of the list's; '' all
 * @property {string} least what a trade must be worth to be shown, in dollars; '' anything
 */

export const panels = /** @type {const} */ (['heat', 'movers', 'trades', 'alerts']);
export const sizes = /** @type {const} */ (['', '10000', '50000', '200000']);

/** @type {Readonly<View>} */
export const defaults = Object.freeze({
  symbol: '', interval: '1m', kind: 'candles', charts: '', lane: 'sse', prefer: 'sse', encoding: 'json', sort: '', sector: '', q: '', list: '', name: '', cols: '',
  panel: 'heat', trades: '', least: '',
});

/** Reads an address; what can't be true falls back to its default. @param {string} search @returns {View} */
export function parse(search) {
  const p = new URLSearchParams(search);
  const text = (/** @type {string} */ key, /** @type {number} */ most) => (p.get(key) ?? '').slice(0, most);
  const charts = parseCharts(text('charts', 120));
  const first = p.has('symbol') ? undefined : charts[0];
  const interval = first?.interval ?? text('interval', 8);
  const sort = text('sort', 16);
  const auto = p.get('lane') === 'auto';
  return {
    symbol: first?.symbol ?? /^[A-Z0-9.-]*$/.exec(text('symbol', 16))?.[0] ?? defaults.symbol,
    interval: intervals.some((x) => x === interval) ? interval : defaults.interval,
    kind: (first?.kind ?? p.get('kind')) === 'line' ? 'line' : 'candles',
    charts: formatCharts(charts),
    lane: auto ? 'auto' : p.get('lane') === 'ws' ? 'ws' : 'sse',
    prefer: auto && p.get('prefer') === 'ws' ? 'ws' : 'sse',
    encoding: p.get('encoding') === 'protobuf' ? 'protobuf' : 'json',
    sort: ['symbol', ...Object.keys(columns)].includes(sort.replace(/^-/, '')) ? sort : '',
    sector: text('sector', 32),
    q: text('q', 40),
    list: readSymbols(text('list', 4000)),
    name: readName(text('name', 200)),
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
