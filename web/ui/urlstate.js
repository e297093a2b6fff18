// The state that a person may want to keep or send: it stands in the address, defaults left out.
import { withSettings } from './choices.js';
import { columns, readColumns } from './columns.js';

/** @typedef {import('../types.js').Lane} Lane */
/**
 * @typedef {object} View
 * @property {string} symbol shown in the chart; '' until the first list of symbols is here
 * @property {string} interval of the chart's bars
 * @property {Lane} lane
 * @property {import('../types.js').Encoding} encoding of the messages on lane ws
 * @property {string} sort a column, with '-' in front for descending; '' is the feed's own order
 * @property {string} sector '' is every sector
 * @property {string} q what is searched for
 * @property {string} cols the list's columns, as readColumns gives them; '' is the standard
 */

export const intervals = /** @type {const} */ (['10s', '1m', '5m', '15m', '1h']);

/** @type {Readonly<View>} */
export const defaults = Object.freeze({ symbol: '', interval: '1m', lane: 'sse', encoding: 'json', sort: '', sector: '', q: '', cols: '' });

/** Reads an address; what can't be true falls back to its default. @param {string} search @returns {View} */
export function parse(search) {
  const p = new URLSearchParams(search);
  const text = (/** @type {string} */ key, /** @type {number} */ most) => (p.get(key) ?? '').slice(0, most);
  const interval = text('interval', 8);
  const sort = text('sort', 16);
  return {
    symbol: /^[A-Z0-9.-]*$/.exec(text('symbol', 16))?.[0] ?? defaults.symbol,
    interval: intervals.some((x) => x === interval) ? interval : defaults.interval,
    lane: p.get('lane') === 'ws' ? 'ws' : 'sse',
    encoding: p.get('encoding') === 'protobuf' ? 'protobuf' : 'json',
    sort: ['symbol', ...Object.keys(columns)].includes(sort.replace(/^-/, '')) ? sort : '',
    sector: text('sector', 32),
    q: text('q', 40),
    cols: readColumns(text('cols', 200)),
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

/** Writes the view into the address, without a step in the history. @param {View} view */
export function save(view) {
  try {
    history.replaceState(history.state, '', location.pathname + withSettings(format(view), location.search) + location.hash);
  } catch {
    // Safari allows 100 calls in 10 s; the next change writes it.
  }
}
