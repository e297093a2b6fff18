// A figure over many load reports.

/** @import { Range } from './costs.js' */
/** @typedef {{ name: string, lane: string, engine: string, encoding?: string, compression?: string, settings?: string[] }} Variant */
/** @typedef {{ variant: string, check?: { lost?: number } }} Part a window or a drill of one variant */
/**
 * @typedef {object} Report the parts of a report of schema ticklane.load/2 that are read here
 * @property {string} kind
 * @property {string} status
 * @property {string} started
 * @property {Record<string, any>} setup
 * @property {Record<string, any>} machine
 * @property {Record<string, any>} target
 * @property {Variant[]} variants
 * @property {Part[]} [windows]
 * @property {Part[]} [drills]
 * @property {{ key: string, unit: string, a: Range, b: Range, variants?: Range[] }[]} [metrics]
 */
/** @typedef {{ name: string, report: Report }} Named */
/** @typedef {{ key: string, name: string, lane: string }} Line */
/** @typedef {{ name: string, report: Report, values: (Range | null | undefined)[] }} Column values of the lines: null is not measured, undefined that the report does not have the variant */
/** @typedef {{ unit: string, lines: Line[], columns: Column[], segments: { line: number, from: number, to: number }[], without: number }} Trend segments: which columns a line joins; without: reports that do not have the figure by their kind */

/** The figures that can be chosen: metrics of a report, and the ticks that were lost. */
export const FIGURES = /** @type {const} */ (['latency_p50', 'latency_p99', 'wire_per_tick', 'cpu_per_million', 'kib_per_connection', 'lost']);

const SETUP = ['conns', 'topics', 'mode', 'duration_s', 'warmup_s', 'ramp_s', 'slow_readers', 'churn_per_s', 'cuts'];
const MACHINE = ['os', 'arch', 'cpu', 'cores', 'memory_bytes'];
const TARGET = ['own', 'loopback', 'symbols', 'feed', 'heartbeat_ms'];

/**
 * The course of a figure, by time. A variant is the same in two reports when lane, engine, encoding, compression and
 * added settings are.
 * @param {readonly Named[]} all @param {string} figure @returns {Trend}
 */
export function trend(all, figure) {
  const has = all.filter(({ report }) => figure === 'lost' || report.kind === 'comparison');
  const sorted = [...has].sort((a, b) => Date.parse(a.report.started) - Date.parse(b.report.started));
  /** @type {Map<string, Line>} */
  const lines = new Map();
  const variants = sorted.map(({ report }) => named(report.variants));
  // In the order of the newest report, then of those before it.
  for (const v of [...variants].reverse().flat()) if (!lines.has(v.key)) lines.set(v.key, v);
  const keys = variants.map((own) => own.map((v) => v.key));
  const list = [...lines.values()].sort((a, b) => a.lane.localeCompare(b.lane));
  const columns = sorted.map(({ name, report }, c) => ({
    name, report,
    values: list.map(({ key }) => {
      const at = keys[c]?.indexOf(key) ?? -1;
      return at < 0 ? undefined : value(report, figure, at);
    }),
  }));
  const unit = sorted.flatMap(({ report }) => report.metrics ?? []).find((m) => m.key === figure)?.unit ?? '';
  return { unit, lines: list, columns, segments: list.flatMap((_, line) => segments(columns, line)), without: all.length - has.length };
}

/** A variant's figure over its windows; null when it was not measured. @param {Report} r @param {string} figure @param {number} at @returns {Range | null} */
function value(r, figure, at) {
  if (figure === 'lost') return lost(r, String.fromCharCode(65 + at));
  if (r.status === 'invalid') return null;
  const metric = r.metrics?.find((m) => m.key === figure);
  const range = metric?.variants?.[at] ?? (at === 0 ? metric?.a : at === 1 ? metric?.b : undefined);
  return range && range.count > 0 && Number.isFinite(range.median) ? range : null;
}

/** Ticks that a variant lost in all its windows and drills. @param {Report} r @param {string} variant @returns {Range | null} */
function lost(r, variant) {
  const counts = [...(r.windows ?? []), ...(r.drills ?? [])].filter((w) => w.variant === variant).map((w) => w.check?.lost).filter((n) => typeof n === 'number');
  if (counts.length === 0) return null;
  const sum = counts.reduce((a, b) => a + b, 0);
  return { median: sum, min: sum, max: sum, count: counts.length };
}

/** Keys and names of variants; equal ones, as of an A/A run, are numbered. @param {readonly Variant[]} variants */
function named(variants) {
  /** @type {Map<string, number>} */
  const seen = new Map();
  return variants.map((v) => {
    const options = [v.encoding ?? 'json', v.compression ?? 'none', ...(v.settings ?? []).filter((x) => !x.startsWith('--stream.engine='))]; // the engine is known
    const key = JSON.stringify([v.lane, v.engine, ...options]);
    const n = (seen.get(key) ?? 0) + 1;
    seen.set(key, n);
    const lane = v.lane === 'sse' ? 'SSE' : v.lane === 'ws' ? 'WebSocket' : v.lane;
    const name = [lane, v.engine, ...options.filter((o) => o !== 'json' && o !== 'none'), n > 1 && `(${n})`].filter(Boolean).join(' ');
    return { key: `${key}${n}`, name, lane: v.lane };
  });
}

/** Joins neighbouring measured points that were measured under the same conditions. @param {readonly Column[]} columns @param {number} line */
function segments(columns, line) {
  /** @type {{ line: number, from: number, to: number }[]} */
  const all = [];
  let from = -1;
  columns.forEach((column, to) => {
    const v = column.values[line];
    if (v === undefined) return;
    const before = columns[from];
    if (v && before?.values[line] && comparable(before.report, column.report)) all.push({ line, from, to });
    from = to;
  });
  return all;
}

/**
 * Whether a figure of two reports may be joined by a line: the same kind, load, machine and server settings. The version
 * of the server may differ, since its effect is what a trend shows.
 * @param {Report} a @param {Report} b
 */
export function comparable(a, b) {
  const same = (/** @type {any} */ x, /** @type {any} */ y, /** @type {readonly string[]} */ members) => members.every((k) => JSON.stringify(x?.[k]) === JSON.stringify(y?.[k]));
  const settings = (/** @type {Report} */ r) => ({ settings: [...(r.target?.settings ?? [])].sort(), url: r.target?.own ? '' : r.target?.url });
  return a.kind === b.kind && same(a.setup, b.setup, SETUP) && same(a.machine, b.machine, MACHINE) && same(a.target, b.target, TARGET) && same(settings(a), settings(b), ['settings', 'url']);
}

/** Round values from 0 to at least the greatest one, for an axis. @param {number} most @param {number} [count] about how many @returns {number[]} */
export function steps(most, count = 4) {
  if (!(most > 0)) return [0, 1];
  const raw = most / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * Number([1, 2, 5, 10].find((m) => m * power >= raw * 0.999));
  return Array.from({ length: Math.ceil(most / step - 1e-9) + 1 }, (_, k) => Number((k * step).toPrecision(12)));
}
