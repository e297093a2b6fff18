// Reads a run from the file that the page exports (export.js).
import { bucket } from '../../model/histogram.js';
import { t } from '../../text.js';
import { SCHEMA } from './export.js';
import { DifferenceHistogram, LatencyHistogram, signedBucket } from './histograms.js';
import { choices, format, isAA, parse, sideNames } from './setup.js';
import { bool, list, number, object, oneOf, optional, text, wrong } from './fields.js';

/** @import { Buckets, Estimate, KeptDrill, KeptRun, KeptSide, Lane, Metric, Part, Setup } from './types.js' */

/** Largest file that is read, bytes. A run of two lanes has about 100 kB. */
export const MAX_BYTES = 5_000_000;

const LANES = /** @type {const} */ (['sse', 'ws']);
const METRICS = /** @type {const} */ (['p50', 'p90', 'p99', 'paint50', 'paint99']);
const BYTES = /** @type {const} */ (['ticks', 'payload', 'wire', 'framing', 'id', 'writes']);
const LATENCY = /** @type {const} */ (['count', 'mean', 'p50', 'p90', 'p99', 'p999', 'max']);
const COUNTS = /** @type {const} */ (['ticksPerSecond', 'messagesPerSecond', 'gaps', 'doubled', 'lost', 'reconnects']);

/**
 * Reads an exported run. Members that are not known are ignored, since later versions may add some.
 * @param {string} source JSON
 * @returns {KeptRun}
 * @throws {Error} whose message, in the page's language, names the field that is wrong
 */
export function readRun(source) {
  /** @type {any} */
  let file;
  try {
    file = JSON.parse(source);
  } catch {
    throw new Error(t('compare.file.notjson'));
  }
  object(file, '');
  if (typeof file.schema === 'string' && file.schema.startsWith('ticklane.load/')) throw new Error(t('compare.file.loadreport'));
  if (file.schema !== SCHEMA) throw new Error(t('compare.file.schema', { want: SCHEMA, got: JSON.stringify(file.schema) ?? '–' }));
  const setup = readSetup(file.setup);
  const made = Date.parse(text(file.made, 'made', 40));
  if (Number.isNaN(made)) wrong('made', 'time', file.made);
  const names = sideNames(setup);
  const [a, b] = list(file.sides, 'sides', 2, 2).map((side, k) => readSide(side, `sides[${k}]`, setup, /** @type {0 | 1} */ (k), names[k] ?? ''));
  const pairs = object(file.pairs, 'pairs');
  const differences = object(file.differences, 'differences');
  return {
    made, setup, text: source,
    browser: text(file.browser, 'browser', 1_000),
    measuredMs: number(file.measuredMs, 'measuredMs', 0),
    timed: bool(file.timed, 'timed'),
    clock: { error: number(object(file.clock, 'clock').error, 'clock.error', 0) },
    cpu: { perTick: number(object(file.cpu, 'cpu').perTick, 'cpu.perTick') },
    noise: { value: number(object(file.noise, 'noise').value, 'noise.value'), from: oneOf(file.noise.from, 'noise.from', ['interval', 'aa', 'thread', 'timer', 'phase']) },
    sides: /** @type {[KeptSide, KeptSide]} */ ([a, b]),
    pairs: {
      label: isAA(setup) ? 'A − B' : names.join(' − '),
      count: number(pairs.count, 'pairs.count', 0), median: number(pairs.median, 'pairs.median'),
      typical: estimate(pairs.typical, 'pairs.typical'),
      histogram: dense(pairs.histogram, 'pairs.histogram', new DifferenceHistogram().buckets(), signedBucket),
    },
    differences: /** @type {Record<Metric, Estimate>} */ (Object.fromEntries(METRICS.map((m) => [m, estimate(differences[m], `differences.${m}`)]))),
    sentence: list(object(file.sentence, 'sentence').parts, 'sentence.parts', 0, 200).map((p, k) => readPart(p, `sentence.parts[${k}]`)),
    drills: list(file.drills, 'drills', 0, 10_000).map((d, k) => readDrill(d, `drills[${k}]`)),
  };
}

/** The setup, which is checked like one in an address. @param {any} s @returns {Setup} */
function readSetup(s) {
  object(s, 'setup');
  const pair = (/** @type {string} */ key) => object(s[key], `setup.${key}`);
  for (const key of ['encoding', 'compress', 'engine']) for (const k of ['a', 'b']) text(pair(key)[k], `setup.${key}.${k}`, 40);
  for (const k of ['a', 'b']) number(pair('delay')[k], `setup.delay.${k}`, 0);
  list(s.topics, 'setup.topics', 1, 1_000).forEach((topic, k) => text(topic, `setup.topics[${k}]`, 100));
  list(s.sides, 'setup.sides', 2, 2).forEach((lane, k) => oneOf(lane, `setup.sides[${k}]`, LANES));
  text(s.mode, 'setup.mode', 40);
  for (const key of ['interval', 'rate']) optional(s[key], (x) => number(x, `setup.${key}`, 0));
  optional(s.background, (x) => LANES.forEach((lane) => number(object(x, 'setup.background')[lane], `setup.background.${lane}`, 0)));
  const { setup, problems } = parse(format({ ...s, interval: s.interval ?? null, rate: s.rate ?? null, background: s.background ?? null }));
  if (problems.length) throw new Error(problems.map((p) => `setup.${p}`).join(' '));
  return setup;
}

/** @param {any} s @param {string} at @param {Setup} setup @param {0 | 1} index @param {string} name @returns {KeptSide} */
function readSide(s, at, setup, index, name) {
  object(s, at);
  const lane = oneOf(s.lane, `${at}.lane`, LANES);
  if (lane !== setup.sides[index]) wrong(`${at}.lane`, 'lane', s.lane);
  const bytes = numbers(s.bytes, `${at}.bytes`, BYTES);
  return {
    index, lane, name,
    engine: text(s.engine, `${at}.engine`, 40),
    encoding: oneOf(s.encoding, `${at}.encoding`, /** @type {readonly ('json' | 'protobuf')[]} */ (choices.encoding.ws)),
    compression: text(s.compression, `${at}.compression`, 40),
    latency: numbers(s.latency, `${at}.latency`, LATENCY), paint: numbers(s.paint, `${at}.paint`, LATENCY),
    bytes: bytes.framing < 0 ? { ...bytes, framing: NaN } : bytes, // earlier files have wire − payload for compressed ticks
    ...numbers(s, at, COUNTS),
    histogram: dense(s.histogram, `${at}.histogram`, new LatencyHistogram().buckets(), bucket),
    series: list(s.series, `${at}.series`, 0, 10_000).map((p, k) => ({
      t: number(object(p, `${at}.series[${k}]`).t, `${at}.series[${k}].t`, 0), p99: number(p.p99, `${at}.series[${k}].p99`),
    })),
  };
}

/** @template {string} K @param {any} of @param {string} at @param {readonly K[]} keys @returns {Record<K, number>} */
const numbers = (of, at, keys) => /** @type {Record<K, number>} */ (Object.fromEntries(keys.map((k) => [k, number(object(of, at)[k], `${at}.${k}`)])));

/** @param {any} of @param {string} at @returns {Estimate} */
const estimate = (of, at) => numbers(of, at, /** @type {const} */ (['value', 'error']));

/** @param {any} p @param {string} at @returns {Part} */
function readPart(p, at) {
  object(p, at);
  return {
    text: text(p.text, `${at}.text`, 2_000), strong: p.strong === true,
    ...(p.lane === undefined ? {} : { lane: /** @type {Lane} */ (oneOf(p.lane, `${at}.lane`, LANES)) }),
  };
}

/** @param {any} d @param {string} at @returns {KeptDrill} */
function readDrill(d, at) {
  object(d, at);
  return {
    drill: text(d.drill, `${at}.drill`, 40), lane: oneOf(d.lane, `${at}.lane`, LANES), stream: oneOf(d.stream, `${at}.stream`, /** @type {const} */ (['a', 'b', 'plain'])),
    recoveredMs: optional(d.recoveredMs, (x) => number(x, `${at}.recoveredMs`, 0)),
  };
}

/**
 * A histogram from its non-empty buckets [above, up to, count], in the page's own buckets.
 * @param {any} of @param {string} at @param {Buckets} empty @param {(value: number) => number} bucketOf @returns {Buckets}
 */
function dense(of, at, { bounds, counts }, bucketOf) {
  const sum = Array.from(counts, () => 0);
  list(of, at, 0, 10_000).forEach((b, k) => {
    const [above, upTo, n] = list(b, `${at}[${k}]`, 3, 3).map((x, j) => number(x, `${at}[${k}][${j}]`, j === 2 ? 0 : -Infinity));
    const [low, high] = [Number(above), Number(upTo)];
    if (!(low < high)) wrong(`${at}[${k}]`, 'bucket', b);
    const middle = low * high > 0 ? Math.sign(low) * Math.sqrt(low * high) : (low + high) / 2;
    const into = bucketOf(middle);
    sum[into] = Number(sum[into]) + Number(n);
  });
  return { bounds, counts: sum };
}
