/** @typedef {import('./types.js').Setup} Setup */
/** @typedef {import('./types.js').Lane} Lane */

/** What the server takes of each; an address may ask for nothing else. */
export const choices = Object.freeze({
  mode: Object.freeze(['all', 'latest']),
  encoding: Object.freeze(['json']),
  compress: Object.freeze(['off']),
  engine: Object.freeze(['', 'stream', 'body']),
  sides: Object.freeze(['sse,ws', 'sse,sse', 'ws,ws']),
});

export const limits = Object.freeze({ interval: 5_000, rate: [0.1, 1_000_000], background: 2_000, delay: 1_000, topics: 50 });

/** @returns {Setup} */
export const defaults = () => ({
  topics: ['*'], mode: 'all', interval: null, encoding: 'json', compress: 'off', engine: { a: '', b: '' },
  sides: ['sse', 'ws'], rate: null, background: null, delay: { a: 0, b: 0 },
});

/** @param {Lane} lane */
export const laneName = (lane) => (lane === 'sse' ? 'SSE' : 'WebSocket');

/** Whether both sides are the same lane. @param {Setup} s */
export const sameLane = (s) => s.sides[0] === s.sides[1];

/** Whether both sides are alike in everything, so that any difference is noise. @param {Setup} s */
export const isAA = (s) => sameLane(s) && s.engine.a === s.engine.b && s.delay.a === s.delay.b;

/** Whether a difference is there on purpose. @param {Setup} s */
export const isPlanted = (s) => s.delay.a > 0 || s.delay.b > 0;

/**
 * What two runs must share for the noise of one to hold for the other, of a lane's engine: a text to compare by.
 * @param {Setup} s @param {0 | 1} side
 */
export const kin = (s, side) => JSON.stringify([
  s.sides[side], side === 0 ? s.engine.a : s.engine.b, s.mode, s.interval, [...s.topics].sort(), s.rate, s.encoding, s.compress,
  s.background && [s.background.sse, s.background.ws],
]);

/** @param {Setup} s @returns {[string, string]} */
export function sideNames(s) {
  const names = /** @type {[string, string]} */ (s.sides.map(laneName));
  if (!sameLane(s)) return names;
  if (isAA(s)) return [`${names[0]} A`, `${names[1]} B`];
  const what = (/** @type {'a' | 'b'} */ k) => [
    s.engine.a !== s.engine.b && (s.engine[k] || 'default'),
    s.delay.a !== s.delay.b && `+${s.delay[k]} ms`,
  ].filter(Boolean).join(' ');
  return [`${names[0]} ${what('a')}`, `${names[1]} ${what('b')}`];
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
      problems.push(`${key}: "${shown}" is not ${/** @type {Error} */ (err).message}`);
    }
  };

  take('topics', (t) => void (setup.topics = topics(t)));
  take('mode', (t) => void (setup.mode = /** @type {any} */ (one(t, choices.mode))));
  take('interval', (t) => void (setup.interval = number(t, 0, limits.interval, 'ms')));
  take('encoding', (t) => void (setup.encoding = /** @type {any} */ (one(t, choices.encoding))));
  take('compress', (t) => void (setup.compress = /** @type {any} */ (one(t, choices.compress))));
  take('sides', (t) => void (setup.sides = /** @type {any} */ (one(t, choices.sides).split(','))));
  take('rate', (t) => void (setup.rate = number(t, Number(limits.rate[0]), Number(limits.rate[1]), 'ticks a second')));
  take('engine', (t) => void (setup.engine = engines(t, setup.sides)));
  take('delay', (t) => {
    const [a, b] = two(t, (x) => number(x, 0, limits.delay, 'ms, as "0,2"'));
    setup.delay = { a, b };
  });
  take('background', (t) => {
    const [sse, ws] = two(t, (x) => whole(x, limits.background));
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
    ['encoding', s.encoding],
    ['compress', s.compress],
    ['sides', s.sides.join(',')],
    ['engine', s.engine.a || s.engine.b ? `${s.engine.a},${s.engine.b}` : ''],
    ['rate', s.rate === null ? '' : String(s.rate)],
    ['background', s.background ? `${s.background.sse},${s.background.ws}` : ''],
    ['delay', s.delay.a || s.delay.b ? `${s.delay.a},${s.delay.b}` : ''],
  ];
}

/** The least ms between writes of ticks to a side; by the server's usual config where the setup leaves it open. @param {Setup} s */
export const pace = (s) => s.interval ?? (s.mode === 'latest' ? 250 : 0);

/** What a side's subscription asks for beside topics and mode. @param {Setup} s @param {0 | 1} index @returns {Record<string, string>} */
export function query(s, index) {
  const key = index === 0 ? 'a' : 'b';
  /** @type {Record<string, string>} */
  const q = {};
  if (s.engine[key]) q.engine = s.engine[key];
  if (s.delay[key] > 0) q.delay = `${s.delay[key]}ms`;
  return q;
}

/** @param {string} text @returns {string[]} */
function topics(text) {
  const list = [...new Set(text.split(',').map((t) => t.trim()))];
  if (list.length > limits.topics || list.some((t) => !/^(\*|[A-Za-z0-9.:_-]{1,64})$/.test(t))) {
    throw new RangeError(`a comma list of at most ${limits.topics} symbols, sectors such as sector:technology, or *`);
  }
  return list;
}

/** @param {string} text @param {readonly string[]} of */
function one(text, of) {
  if (!of.includes(text)) throw new RangeError(`one of ${of.filter(Boolean).join(' | ')}`);
  return text;
}

/** One engine for both sides, or one for each; only SSE has `body`. @param {string} text @param {Setup['sides']} sides */
function engines(text, sides) {
  const parts = text.split(',');
  const [a = '', b = ''] = parts.length === 1 ? sides.map((lane) => (text === 'body' && lane === 'ws' ? '' : text)) : parts;
  [a, b].forEach((engine, k) => {
    one(engine, choices.engine);
    if (engine === 'body' && sides[k] === 'ws') throw new RangeError('an engine of WebSocket; body is of SSE alone');
  });
  if (parts.length > 2) throw new RangeError('one engine, or two as "stream,body"');
  return { a, b };
}

/** @param {string} text @param {number} least @param {number} most @param {string} unit */
function number(text, least, most, unit) {
  const n = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (!(n >= least && n <= most)) throw new RangeError(`a number from ${least} to ${most} ${unit}`);
  return n;
}

/** @param {string} text @param {number} most */
function whole(text, most) {
  const n = number(text, 0, most, 'clients, as "500,500"');
  if (!Number.isInteger(n)) throw new RangeError(`a whole number from 0 to ${most} of clients`);
  return n;
}

/** One value for both, or two. @param {string} text @param {(x: string) => number} read @returns {[number, number]} */
function two(text, read) {
  const parts = text.split(',');
  if (parts.length > 2) throw new RangeError('one number, or two with a comma');
  const first = read(/** @type {string} */ (parts[0]));
  return [first, parts.length === 2 ? read(/** @type {string} */ (parts[1])) : first];
}
