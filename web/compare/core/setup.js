import { isSymbol } from '../../model/instruments.js';
import { t } from '../../text.js';

/** @typedef {import('./types.js').Setup} Setup */
/** @typedef {import('./types.js').Lane} Lane */

/** The values that an address may hold. Which engines and compressions a server offers is reported by its lab. */
export const choices = Object.freeze({
  mode: Object.freeze(['all', 'latest']),
  encoding: Object.freeze({ sse: Object.freeze(['json']), ws: Object.freeze(['json', 'protobuf']) }),
  compress: Object.freeze(['', 'off', 'on']),
  engine: Object.freeze(['', 'stream', 'shard']),
  sides: Object.freeze(['sse,ws', 'sse,sse', 'ws,ws']),
});

export const limits = Object.freeze({ interval: 5_000, rate: [0.1, 1_000_000], background: 2_000, delay: 1_000, topics: 50 });

/** @returns {Setup} */
export const defaults = () => ({
  topics: ['*'], mode: 'all', interval: null, encoding: { a: 'json', b: 'json' }, compress: { a: '', b: '' }, engine: { a: '', b: '' },
  sides: ['sse', 'ws'], rate: null, background: null, delay: { a: 0, b: 0 },
});

/** @param {Lane} lane */
export const laneName = (lane) => (lane === 'sse' ? 'SSE' : 'WebSocket');

/** Whether both sides are the same lane. @param {Setup} s */
export const sameLane = (s) => s.sides[0] === s.sides[1];

/** @param {0 | 1} side @returns {'a' | 'b'} */
const key = (side) => (side === 0 ? 'a' : 'b');

/** The engine of a side, 'stream' by default. @param {Setup} s @param {0 | 1} side */
const engineOf = (s, side) => s.engine[key(side)] || 'stream';

/** The options in which the sides differ, besides lane and delay. @param {Setup} s @returns {('engine' | 'encoding' | 'compress')[]} */
export function differingOptions(s) {
  /** @type {('engine' | 'encoding' | 'compress')[]} */
  const all = [];
  if (engineOf(s, 0) !== engineOf(s, 1)) all.push('engine');
  if (s.encoding.a !== s.encoding.b) all.push('encoding');
  if (s.compress.a !== s.compress.b) all.push('compress');
  return all;
}

/** Whether both sides are equal, so that any difference is noise. @param {Setup} s */
export const isAA = (s) => sameLane(s) && differingOptions(s).length === 0 && s.delay.a === s.delay.b;

/** Whether the lab delays a side. @param {Setup} s */
export const hasDelay = (s) => s.delay.a > 0 || s.delay.b > 0;

/**
 * Key of the conditions that two runs must share for the noise of one to apply to the other.
 * @param {Setup} s @param {0 | 1} side
 */
export const noiseKey = (s, side) => JSON.stringify([
  s.sides[side], engineOf(s, side), s.mode, s.interval, [...s.topics].sort(), s.rate, s.encoding[key(side)], s.compress[key(side)],
  s.background && [s.background.sse, s.background.ws],
]);

/** Words in side names that are not values of the API: in the page's language, and English for files. */
const optionNames = {
  page: (/** @type {'default' | 'off' | 'on'} */ what) => t(`compare.side.${what}`),
  file: (/** @type {'default' | 'off' | 'on'} */ what) => ({ default: 'default', off: 'uncompressed', on: 'compressed' })[what],
};

/**
 * Names of both sides: the lane and the options that differ, such as "SSE" and "WebSocket shard protobuf".
 * @param {Setup} s @param {'page' | 'file'} [use] names in files are English @returns {[string, string]}
 */
export function sideNames(s, use = 'page') {
  const option = optionNames[use];
  const names = /** @type {[string, string]} */ (s.sides.map(laneName));
  const different = differingOptions(s);
  const name = (/** @type {0 | 1} */ side) => {
    const k = key(side);
    return [
      names[side],
      different.includes('engine') && (s.engine[k] || option('default')),
      different.includes('encoding') && s.encoding[k] !== 'json' && s.encoding[k],
      different.includes('compress') && s.compress[k] && option(s.compress[k]),
      sameLane(s) && (isAA(s) ? 'AB'[side] : s.delay.a !== s.delay.b && `+${s.delay[k]} ms`),
    ].filter(Boolean).join(' ');
  };
  const [a, b] = [name(0), name(1)];
  return a === b ? [`${a} A`, `${b} B`] : [a, b];
}

/**
 * Reads a query. An invalid value is replaced by its default, with a sentence about it in `problems`.
 * @param {string} search
 * @returns {{ setup: Setup, problems: string[] }}
 */
export function parse(search) {
  const query = new URLSearchParams(search);
  const setup = defaults();
  /** @type {string[]} */
  const problems = [];

  /** @param {string} key @param {(text: string) => void} read throws a RangeError whose message names the valid values */
  const take = (key, read) => {
    const text = query.get(key);
    if (text === null) return;
    try {
      read(text.trim());
    } catch (err) {
      const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
      problems.push(t('compare.problem', { key, text: shown, wanted: /** @type {Error} */ (err).message }));
    }
  };

  take('topics', (x) => void (setup.topics = topics(x)));
  take('mode', (x) => void (setup.mode = /** @type {any} */ (one(x, choices.mode))));
  take('interval', (x) => void (setup.interval = number(x, 0, limits.interval, 'interval')));
  take('sides', (x) => void (setup.sides = /** @type {any} */ (one(x, choices.sides).split(','))));
  take('rate', (x) => void (setup.rate = number(x, Number(limits.rate[0]), Number(limits.rate[1]), 'rate')));
  take('encoding', (x) => void (setup.encoding = encodings(x, setup.sides)));
  take('compress', (list) => {
    const [a, b] = two(list, (x) => /** @type {Setup['compress']['a']} */ (one(x, choices.compress)));
    setup.compress = { a, b };
  });
  take('engine', (list) => {
    const [a, b] = two(list, (x) => one(x, choices.engine));
    setup.engine = { a, b };
  });
  take('delay', (list) => {
    const [a, b] = two(list, (x) => number(x, 0, limits.delay, 'delay'));
    setup.delay = { a, b };
  });
  take('background', (list) => {
    const [sse, ws] = two(list, (x) => whole(x, limits.background));
    setup.background = { sse, ws };
  });
  return { setup, problems };
}

/** The query of a setup with its question mark, or ''; defaults are left out. @param {Setup} s */
export function format(s) {
  const plain = new Map(texts(defaults()));
  const kept = texts(s).filter(([key, value]) => value !== plain.get(key));
  // Commas and colons are allowed in a query (RFC 3986 §3.4) and readable.
  const text = kept.map(([k, v]) => `${k}=${encodeURIComponent(v).replace(/%2C/g, ',').replace(/%3A/g, ':')}`).join('&');
  return text && `?${text}`;
}

/** The settings in which two setups differ, as in an address: name and both values. @param {Setup} a @param {Setup} b @returns {[string, string, string][]} */
export function differingSettings(a, b) {
  const others = new Map(texts(b));
  return texts(a).flatMap(([key, value]) => (value === others.get(key) ? [] : [/** @type {[string, string, string]} */ ([key, value, others.get(key) ?? ''])]));
}

/** A setup in a line: both sides and the other settings that are not the default. @param {Setup} s */
export function setupName(s) {
  const own = differingSettings(s, defaults()).filter(([key]) => key !== 'sides' && !differingOptions(s).some((option) => option === key));
  return [sideNames(s).join(' | '), ...own.map(([key, value]) => `${key}=${value}`)].join(' · ');
}

/** @param {Setup} s @returns {[string, string][]} */
function texts(s) {
  return [
    ['topics', s.topics.join(',')],
    ['mode', s.mode],
    ['interval', s.interval === null ? '' : String(s.interval)],
    ['sides', s.sides.join(',')],
    ['encoding', `${s.encoding.a},${s.encoding.b}`],
    ['compress', s.compress.a || s.compress.b ? `${s.compress.a},${s.compress.b}` : ''],
    ['engine', s.engine.a || s.engine.b ? `${s.engine.a},${s.engine.b}` : ''],
    ['rate', s.rate === null ? '' : String(s.rate)],
    ['background', s.background ? `${s.background.sse},${s.background.ws}` : ''],
    ['delay', s.delay.a || s.delay.b ? `${s.delay.a},${s.delay.b}` : ''],
  ];
}

/** Minimum ms between writes of ticks to a side; the server's default where the setup has none. @param {Setup} s */
export const pace = (s) => s.interval ?? (s.mode === 'latest' ? 250 : 0);

/** Query parameters of a side's subscription beside topics and mode. @param {Setup} s @param {0 | 1} side @returns {Record<string, string>} */
export function query(s, side) {
  const k = key(side);
  /** @type {Record<string, string>} */
  const q = {};
  if (s.engine[k]) q.engine = s.engine[k];
  if (s.compress[k]) q.compress = s.compress[k];
  if (s.delay[k] > 0) q.delay = `${s.delay[k]}ms`;
  return q;
}

/** @param {string} text @returns {string[]} */
function topics(text) {
  const list = [...new Set(text.split(',').map((x) => x.trim()))];
  if (list.length > limits.topics || list.some((x) => !(x === '*' || isSymbol(x) || /^sector:[\w.-]{1,64}$/.test(x)))) {
    throw new RangeError(t('compare.expected.topics', { most: limits.topics }));
  }
  return list;
}

/** @param {string} text @param {readonly string[]} of */
function one(text, of) {
  if (!of.includes(text)) throw new RangeError(t('compare.expected.one', { all: of.filter(Boolean).join(' | ') }));
  return text;
}

/**
 * One encoding for both sides, or one for each. A single binary encoding applies to the WebSocket sides only.
 * @param {string} text @param {Setup['sides']} sides @returns {Setup['encoding']}
 */
function encodings(text, sides) {
  const parts = text.split(',');
  if (parts.length > 2) throw new RangeError(t('compare.expected.encoding'));
  const [a, b] = sides.map((lane, k) => {
    const encoding = parts[parts.length - 1 && k] ?? '';
    one(encoding, choices.encoding.ws);
    if (choices.encoding[lane].includes(encoding)) return encoding;
    if (parts.length === 2) throw new RangeError(t('compare.expected.encoding.sse'));
    return 'json';
  });
  return /** @type {Setup['encoding']} */ ({ a, b });
}

/** @param {string} text @param {number} least @param {number} most @param {'interval' | 'rate' | 'delay' | 'background'} of */
function number(text, least, most, of) {
  const n = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (!(n >= least && n <= most)) throw new RangeError(t(`compare.expected.${of}`, { least: String(least), most: String(most) }));
  return n;
}

/** @param {string} text @param {number} most */
function whole(text, most) {
  const n = number(text, 0, most, 'background');
  if (!Number.isInteger(n)) throw new RangeError(t('compare.expected.background', { least: '0', most: String(most) }));
  return n;
}

/** One value for both, or two. @template T @param {string} text @param {(x: string) => T} read @returns {[T, T]} */
function two(text, read) {
  const parts = text.split(',');
  if (parts.length > 2) throw new RangeError(t('compare.expected.two'));
  const first = read(/** @type {string} */ (parts[0]));
  return [first, parts.length === 2 ? read(/** @type {string} */ (parts[1])) : first];
}
