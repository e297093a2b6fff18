import { newest } from './difference.js';
import { format, isAA, sideNames } from './setup.js';

/** @typedef {import('./types.js').Result} Result */
/** @typedef {import('./types.js').DrillRow} DrillRow */
/** @typedef {import('./types.js').TopicTimes} TopicTimes */
/** @typedef {import('./types.js').Buckets} Buckets */

/** Version of the exported object. */
export const SCHEMA = 'ticklane.compare.v2';

/**
 * All measurements as plain data, in English except for the notes of drills. Times in ms; null is unknown. Histograms list
 * the non-empty buckets as [above, up to, count].
 * @param {Result} r @param {DrillRow[]} drills @param {TopicTimes | null} topicTimes
 * @param {{ url?: string, browser?: string }} [page] url without its query; browser: its user agent
 */
export function exported(r, drills, topicTimes, { url = '', browser = '' } = {}) {
  const { histogram, ...pairs } = r.pairs;
  const names = sideNames(r.setup, 'file');
  return {
    schema: SCHEMA,
    made: new Date().toISOString(),
    address: url + format(r.setup),
    browser,
    ...r,
    pairs: { ...pairs, label: isAA(r.setup) ? 'A − B' : names.join(' − '), histogram: sparse(histogram) },
    sides: r.sides.map(({ histogram: h, paintHistogram: p, heat, ...side }) => ({
      ...side, name: names[side.index], histogram: sparse(h), paintHistogram: sparse(p),
    })),
    drills,
    topicTimes,
  };
}

/** @param {Buckets} b @returns {number[][]} */
function sparse({ bounds, counts }) {
  /** @type {number[][]} */
  const out = [];
  for (let k = 0; k < counts.length; k++) {
    const n = /** @type {number} */ (counts[k]);
    if (n > 0) out.push([/** @type {number} */ (bounds[k]), /** @type {number} */ (bounds[k + 1]), n]);
  }
  return out;
}

/**
 * The figures as CSV (RFC 4180): metric, unit, a column for each side, difference and its 95 % half width. Unknown figures
 * are empty.
 * @param {Result} r @param {DrillRow[]} drills
 */
export function table(r, drills) {
  const [a, b] = r.sides;
  const d = r.differences;
  const names = sideNames(r.setup, 'file');
  /** @type {(string | number | null)[][]} */
  const rows = [
    ['metric', 'unit', ...names, 'difference', '95 % +/-'],
    ['lane', '', a.lane, b.lane, NaN, NaN],
    ['engine', '', a.engine, b.engine, NaN, NaN],
    ['encoding', '', a.encoding, b.encoding, NaN, NaN],
    ['compression', '', a.compression, b.compression, NaN, NaN],
    ['latency p50', 'ms', a.latency.p50, b.latency.p50, d.p50.value, d.p50.error],
    ['latency p90', 'ms', a.latency.p90, b.latency.p90, d.p90.value, d.p90.error],
    ['latency p99', 'ms', a.latency.p99, b.latency.p99, d.p99.value, d.p99.error],
    ['latency p99.9', 'ms', a.latency.p999, b.latency.p999, a.latency.p999 - b.latency.p999, NaN],
    ['latency max', 'ms', a.latency.max, b.latency.max, a.latency.max - b.latency.max, NaN],
    ['latency mean', 'ms', a.latency.mean, b.latency.mean, a.latency.mean - b.latency.mean, NaN],
    ['paint p50', 'ms', a.paint.p50, b.paint.p50, d.paint50.value, d.paint50.error],
    ['paint p99', 'ms', a.paint.p99, b.paint.p99, d.paint99.value, d.paint99.error],
    ['same tick, mean of the middle half', 'ms', NaN, NaN, r.pairs.typical.value, r.pairs.typical.error],
    ['same tick mean', 'ms', NaN, NaN, r.pairs.mean, r.pairs.error],
    ['same tick median', 'ms', NaN, NaN, r.pairs.median, NaN],
  ];
  /** @type {[string, string, (s: Result['sides'][0]) => number][]} */
  const plain = [
    ['ticks', '1/s', (s) => s.ticksPerSecond],
    ['messages', '1/s', (s) => s.messagesPerSecond],
    ['payload', 'B/tick', (s) => s.bytes.payload],
    ['wire', 'B/tick', (s) => s.bytes.wire],
    ['framing', 'B/tick', (s) => s.bytes.framing],
    ['framing: id line', 'B/tick', (s) => s.bytes.id],
    ['writes', '1/tick', (s) => s.bytes.writes],
    ['measured ticks', '1', (s) => s.latency.count],
    ['gaps', '1', (s) => s.gaps],
    ['missed', '1', (s) => s.missed],
    ['lost', '1', (s) => s.lost],
    ['doubled', '1', (s) => s.doubled],
    ['replayed', '1', (s) => s.replayed],
    ['reconnects', '1', (s) => s.reconnects],
  ];
  for (const [name, unit, of] of plain) rows.push([name, unit, of(a), of(b), of(a) - of(b), NaN]);
  rows.push(['pairs', '1', NaN, NaN, r.pairs.count, NaN], ['server CPU, lanes together', 'us/tick', NaN, NaN, r.cpu.perTick, NaN]);
  for (const action of new Set(drills.map((row) => row.drill))) {
    const back = (/** @type {'a' | 'b'} */ stream) => newest(drills, action, stream)?.recoveredMs ?? NaN;
    rows.push([`drill ${action}: back after`, 'ms', back('a'), back('b'), NaN, NaN]);
  }
  return `${rows.map((row) => row.map(cell).join(',')).join('\r\n')}\r\n`;
}

/** @param {string | number | null} x */
function cell(x) {
  if (typeof x === 'number') return Number.isFinite(x) ? String(Number(x.toFixed(6))) : '';
  const text = x ?? '';
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
