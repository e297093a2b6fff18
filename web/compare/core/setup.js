import { t } from '../../text.js';

/** @typedef {import('./types.js').Setup} Setup */
/** @typedef {import('./types.js').Lane} Lane */

/** What an address may ask for; which engines there are, and whether anything is compressed, the server's lab tells. */
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

/** The engine of a side; what isn't named is the usual one. @param {Setup} s @param {0 | 1} side */
const engineOf = (s, side) => s.engine[key(side)] || 'stream';

/** What differs between the sides besides the lane and a delay. @param {Setup} s @returns {('engine' | 'encoding' | 'compress')[]} */
export function apart(s) {
  /** @type {('engine' | 'encoding' | 'compress')[]} */
  const all = [];
  if (engineOf(s, 0) !== engineOf(s, 1)) all.push('engine');
  if (s.encoding.a !== s.encoding.b) all.push('encoding');
  if (s.compress.a !== s.compress.b) all.push('compress');
  return all;
}

/** Whether both sides are alike in everything, so that any difference is noise. @param {Setup} s */
export const isAA = (s) => sameLane(s) && apart(s).length === 0 && s.delay.a === s.delay.b;

/** Whether a difference is there on purpose. @param {Setup} s */
export const isPlanted = (s) => s.delay.a > 0 || s.delay.b > 0;

/**
 * What two runs must share for the noise of one to hold for the other, of a lane's engine: a text to compare by.
 * @param {Setup} s @param {0 | 1} side
 */
export const kin = (s, side) => JSON.stringify([
  s.sides[side], engineOf(s, side), s.mode, s.interval, [...s.topics].sort(), s.rate, s.encoding[key(side)], s.compress[key(side)],
  s.background && [s.background.sse, s.background.ws],
]);

/** What a name says of a side that has no word of the API's own for it, for people and for files that programs read. */
const words = {
  page: (/** @type {'default' | 'off' | 'on'} */ what) => t(`compare.side.${what}`),
  file: (/** @type {'default' | 'off' | 'on'} */ what) => ({ default: 'default', off: 'uncompressed', on: 'compressed' })[what],
};

/**
 * Lanes, and what else differs: "SSE" and "WebSocket shard protobuf".
 * @param {Setup} s @param {'page' | 'file'} [use] a file's are English, whatever the page speaks @returns {[string, string]}
 */
export function sideNames(s, use = 'page') {
  const say = words[use];
  const names = /** @type {[string, string]} */ (s.sides.map(laneName));
  const different = apart(s);
  const what = (/** @type {0 | 1} */ side) => {
    const k = key(side);
    return [
      names[side],
      different.includes('engine') && (s.engine[k] || say('default')),
      different.includes('encoding') && s.encoding[k] !== 'json' && s.encoding[k],
      different.includes('compress') && s.compress[k] && say(s.compress[k]),
      sameLane(s) && (isAA(s) ? 'AB'[side] : s.delay.a !== s.delay.b && `+${s.delay[k]} ms`),
    ].filter(Boolean).join(' ');
  };
  const told = /** @type {[string, string]} */ ([what(0), what(1)]);
  return told[0] === told[1] ? [`${told[0]} A`, `${told[1]} B`] : told;
}

/**
 * Reads an address. What can't be true falls back to its default, and `problems` has a sentence for each.
 * @param {string} search
 * @returns {{ setup: Setup, problems: string[] }}
 */
export function parse(search) {
  const query = new URLSearchParams(search);
  const setup = defaults();
  /** @type {string[]} */
  const problems = [];

  /** @param {string} key @param {(text: string) => void} read throws a RangeError that says what is wanted */
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

/** The query that reproduces a setup, with its question mark, or ''. Defaults are left out. @param {Setup} s */
export function format(s) {
  const plain = new Map(texts(defaults()));
  const kept = texts(s).filter(([key, value]) => value !== plain.get(key));
  // Commas and colons may stand in a query (RFC 3986 §3.4), and a person reads it.
  const text = kept.map(([k, v]) => `${k}=${encodeURIComponent(v).replace(/%2C/g, ',').replace(/%3A/g, ':')}`).join('&');
  return text && `?${text}`;
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

/** The least ms between writes of ticks to a side; by the server's usual config where the setup leaves it open. @param {Setup} s */
export const pace = (s) => s.interval ?? (s.mode === 'latest' ? 250 : 0);

/** What a side's subscription asks for beside topics and mode. @param {Setup} s @param {0 | 1} side @returns {Record<string, string>} */
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
  if (list.length > limits.topics || list.some((x) => !/^(\*|[A-Za-z0-9.:_-]{1,64})$/.test(x))) {
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
 * One encoding for both sides, or one for each. Given once it is of the sides that can carry it: SSE is text.
 * @param {string} text @param {Setup['sides']} sides @returns {Setup['encoding']}
 */
function encodings(text, sides) {
  const parts = text.split(',');
  if (parts.length > 2) throw new RangeError(t('compare.expected.encoding'));
  const [a, b] = sides.map((lane, k) => {
    const wanted = parts[parts.length - 1 && k] ?? '';
    one(wanted, choices.encoding.ws);
    if (choices.encoding[lane].includes(wanted)) return wanted;
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
