import { count, seconds } from '../../store/format.js';
import { connectorLines } from './code.js';
import { difference, ms, newest, plusMinus, TICKS } from './figures.js';
import { apart as differing, choices, isPlanted, sameLane } from './setup.js';

/** @typedef {import('./types.js').Claim} Claim */
/** @typedef {import('./types.js').Evidence} Evidence */
/** @typedef {import('./types.js').DrillRow} DrillRow */
/** @typedef {import('./types.js').Verdict} Verdict */
/** @typedef {import('./types.js').SideResult} SideResult */

/** Users whose browser has each, in per cent of all, as published by caniuse.com; not measured here. */
export const published = Object.freeze({ sse: 97.4, ws: 97.57 });

/** ms up to which a push counts as one in real time: below what a person notices. */
const REAL_TIME = 100;
/** A share by which two counts of lines must differ to be called different. */
const ALIKE = 0.2;

/**
 * What is commonly said of the two lanes, what this run measured of it, and the verdict. Without a measurement of this
 * run there is no verdict, and `press` names what gives one.
 * @param {Evidence} e
 * @returns {Claim[]}
 */
export function claims(e) {
  return CLAIMS.map(({ id, about, claim, judge }) => ({ id, about, claim, ...judge(e) }));
}

/** @typedef {Pick<Claim, 'measured' | 'verdict' | 'press'>} Judged */

/** @param {Verdict} verdict @param {string} measured @returns {Judged} */
const found = (verdict, measured) => ({ verdict, measured, press: '' });

/** @param {string} press what gives a verdict @param {string} [measured] what is known already @returns {Judged} */
const open = (press, measured = '') => ({ verdict: 'not measured yet', measured, press });

const START = 'Start, and wait for the first figures';
const BOTH = 'SSE | WS';

/** @type {readonly { id: string, about: Claim['about'], claim: string, judge: (e: Evidence) => Judged }[]} */
const CLAIMS = [
  { id: 'real-time', about: 'both', claim: 'Both ride on HTTP and push in real time', judge: realTime },
  { id: 'low-latency', about: 'sse', claim: 'SSE suits low-latency data such as stock quotes', judge: lowLatency },
  { id: 'one-way', about: 'sse', claim: 'SSE is one-way', judge: oneWay },
  { id: 'plain-http', about: 'sse', claim: 'SSE is plain HTTP', judge: plainHTTP },
  { id: 'any-language', about: 'sse', claim: 'SSE can be read in any language', judge: anyLanguage },
  { id: 'reconnects', about: 'sse', claim: 'SSE reconnects by itself', judge: reconnects },
  { id: 'little-code', about: 'sse', claim: 'SSE needs little code', judge: littleCode },
  { id: 'proxies', about: 'sse', claim: 'SSE works with existing proxies', judge: proxies },
  { id: 'auth', about: 'sse', claim: 'SSE works with existing authentication', judge: auth },
  { id: 'text-only', about: 'sse', claim: 'SSE is text only', judge: textOnly },
  { id: 'support', about: 'sse', claim: "SSE's browser support is worse", judge: support },
  { id: 'two-way', about: 'ws', claim: 'WebSocket is two-way', judge: twoWay },
  { id: 'binary', about: 'ws', claim: 'WebSocket carries text and binary', judge: binary },
  { id: 'by-hand', about: 'ws', claim: 'WebSocket reconnects must be written by hand', judge: byHand },
];

/** What takes back a difference that is there on purpose. */
const ALIKE_BY = { engine: 'take the same engine on both lanes', encoding: 'take json on both lanes', compress: 'take the same compression on both lanes' };

/** @param {Evidence} e @returns {[SideResult, SideResult] | null} SSE and WebSocket; null when a lane has no figures */
function lanes({ result }) {
  if (sameLane(result.setup)) return null;
  const [a, b] = result.sides;
  return Math.min(a.latency.count || a.ticks, b.latency.count || b.ticks) >= TICKS ? [a, b] : null;
}

/** @param {Evidence} e */
const begin = ({ result }) => open(sameLane(result.setup) ? BOTH : START);

/**
 * What keeps the latencies of a run from telling of the lanes: a delay on purpose, or sides that differ in more than the lane.
 * @param {Evidence} e @returns {Judged | null}
 */
function apart({ result: { setup } }) {
  if (isPlanted(setup)) return open('take the planted delay off');
  const [first] = differing(setup);
  return first ? open(ALIKE_BY[first]) : null;
}

/** @param {Evidence} e */
function realTime(e) {
  const both = lanes(e);
  if (!both || both.some((s) => s.latency.count === 0)) return begin(e);
  const special = apart(e);
  if (special) return special;
  const [sse, ws] = both;
  const text = `p50 since due: SSE ${ms(sse.latency.p50)}, WebSocket ${ms(ws.latency.p50)}; WebSocket uses HTTP for its handshake alone`;
  return found(Math.max(sse.latency.p50, ws.latency.p50) < REAL_TIME ? 'holds' : 'depends', text);
}

/** @param {Evidence} e */
function lowLatency(e) {
  if (sameLane(e.result.setup)) return open(BOTH);
  const special = apart(e);
  if (special) return special;
  const d = difference(e.result);
  if (!d) return open(START);
  if (d.verdict === 'wide') {
    const longer = e.result.look?.noise.from === 'phase' ? 'set the interval to none' : 'measure longer';
    return open(longer, `a difference below ${ms(d.noise)} can't be told here`);
  }
  if (d.verdict === 'unsure') return open('SSE | SSE', `${d.first.name} comes ${plusMinus(d.by, d.error)} earlier; whether that means anything, an A/A run of this setup tells`);
  if (d.verdict === 'none') return found('no difference', `the same tick arrives ${ms(d.by)} apart, noise ± ${ms(d.noise)}`);
  const text = `${d.first.name} is faster by ${plusMinus(d.by, d.error)}`;
  return found(d.first.lane === 'sse' ? 'holds' : 'depends', text);
}

/** @param {Evidence} e */
function oneWay({ topicTimes: t }) {
  if (!t || Number.isNaN(t.post)) return open('Measure topics');
  const again = Number.isNaN(t.reconnect.sse) ? '' : `, or a new stream, ${ms(t.reconnect.sse)}`;
  return found('holds', `a change of topics needs a POST beside the stream, ${ms(t.post)}${again}`);
}

/** @param {Evidence} e */
function twoWay({ topicTimes: t }) {
  if (!t || Number.isNaN(t.command)) return open('Measure topics');
  const post = Number.isNaN(t.post) ? '' : `; by POST beside an SSE stream ${ms(t.post)}`;
  return found('holds', `topics changed by a command in the stream in ${ms(t.command)}${post}`);
}

/** @param {Evidence} e */
function plainHTTP({ probe }) {
  if (!probe?.plain) return open(START);
  const { status, type, protocol } = probe.plain;
  const text = `a plain GET was answered ${status}, ${type || 'no type'}${protocol ? `, by ${protocol}` : ''}`;
  return found(status === 200 && type.startsWith('text/event-stream') ? 'holds' : 'no longer true', text);
}

/** @param {Evidence} e */
function anyLanguage({ probe }) {
  if (!probe?.plain) return open(START);
  const { ticks } = probe.plain;
  if (ticks === 0) return open(START, 'no tick came by plain fetch yet');
  return found('holds', 'fetch and a search for lines that begin with "data:" read a tick; no library, no EventSource');
}

/** @param {DrillRow} row */
const back = (row) => (row.recoveredMs === null ? 'not at all' : `in ${seconds(row.recoveredMs / 1000)}`);

/** @param {Evidence} e */
function reconnects({ drills }) {
  const cut = newest(drills, 'cut', 'bare') ?? newest(drills, 'end', 'bare');
  const refused = newest(drills, '503', 'bare') ?? newest(drills, '204', 'bare');
  const say = (/** @type {DrillRow | undefined} */ row, /** @type {string} */ after) => row && `after ${after} ${back(row)}`;
  const text = [
    say(cut, cut?.drill === 'end' ? 'a clean end' : 'a cut'),
    say(refused, `an answer ${refused?.drill}`),
  ].filter(Boolean).join(', ');
  if (!cut || !refused) return open(cut ? 'Answer 503' : 'Cut', text && `an EventSource alone came back ${text}`);
  const verdict = cut.recoveredMs === null ? 'no longer true' : refused.recoveredMs === null ? 'half true' : 'holds';
  return found(verdict, `an EventSource alone came back ${text}`);
}

/** @param {Evidence} e */
function byHand({ drills }) {
  const of = (/** @type {string} */ action) => drills.filter((d) => d.drill === action && d.lane === 'ws');
  const rows = ['cut', 'end', '503'].flatMap(of);
  const bare = rows.filter((d) => d.stream === 'bare').at(-1);
  if (bare) return found(bare.recoveredMs === null ? 'holds' : 'no longer true', `a bare WebSocket came back ${back(bare)}`);
  const row = of('cut').at(-1) ?? of('end').at(-1) ?? rows.at(-1);
  const ours = `our connector's ${connectorLines.ws} lines of its own and about ${connectorLines.shared} that both lanes share`;
  return found('holds', `by the API: WebSocket has no reconnect; ${row ? `with ${ours} it was back ${back(row)}` : `here it takes ${ours}`}`);
}

/** @param {Evidence} e */
function littleCode({ probe }) {
  const { sse, ws } = probe?.lines ?? { sse: NaN, ws: NaN };
  if (Number.isNaN(sse + ws)) return open(START);
  const ours = connectorLines;
  const text = `smallest page: SSE ${sse} lines, WebSocket ${ws}; with resume, gaps and 503 survived: SSE ${ours.sse}, WebSocket ${ours.ws}, and about ${ours.shared} that both share`;
  const smaller = sse < ws * (1 - ALIKE);
  const alike = Math.abs(ours.sse - ours.ws) <= ALIKE * ours.ws;
  return found(smaller ? (alike ? 'half true' : 'holds') : 'no difference', text);
}

/** @param {Evidence} e */
function proxies({ drills, probe }) {
  const row = drills.filter((d) => d.drill === 'buffer' && d.lane === 'sse' && d.stream !== 'bare').at(-1)
    ?? newest(drills, 'buffer', 'bare');
  if (!row) return open('Buffering proxy');
  if (row.recoveredMs === null) return open('Buffering proxy', row.note);
  const header = probe?.plain?.accelBuffering === 'no' ? '; this server asks proxies not to, by X-Accel-Buffering: no' : '';
  return found('depends', `behind the lab's own buffer, which holds a stream for 5 s, ticks were on time again only after ${seconds(row.recoveredMs / 1000)}${header}`);
}

/** @param {Evidence} e */
function auth({ probe }) {
  if (!probe) return open(START);
  if (!probe.has.EventSource) return open(START, 'this browser has no EventSource');
  if (probe.headers) return found('holds', "this browser's EventSource takes headers; cookies go with it anyway");
  return found('half true', 'cookies go with it; this browser ignores `headers` of an EventSource, so no Authorization');
}

/** @param {Evidence} e */
function textOnly(e) {
  const sse = e.result.sides.find((s) => s.lane === 'sse');
  if (!sse || !(sse.bytes.ticks >= TICKS)) return open(sse ? START : BOTH);
  return found('holds', `by the API: EventSource hands over strings alone; ${count(sse.messages)} messages here, ${count(sse.bytes.wire)} B a tick on the wire`);
}

/** @param {Evidence} e */
function binary({ result }) {
  const ws = result.sides.find((s) => s.lane === 'ws');
  if (!ws || !(ws.bytes.ticks >= TICKS)) return open(ws ? START : BOTH);
  const wire = (/** @type {SideResult} */ s) => `${count(s.bytes.wire)} B a tick on the wire`;
  const packed = result.sides.find((s) => s.encoding === 'protobuf');
  if (packed) {
    if (!(packed.bytes.ticks >= TICKS)) return open(START);
    const text = result.sides.find((s) => s.lane === 'ws' && s.encoding === 'json' && s.bytes.ticks >= TICKS);
    return found('holds', `binary here: ${count(packed.messages)} messages of protobuf, ${wire(packed)}${text ? `; text beside it: ${count(text.bytes.wire)} B` : ''}`);
  }
  const offered = /** @type {readonly string[]} */ (choices.encoding.ws).includes('protobuf');
  return offered ? open('set the encoding of WebSocket to protobuf', `text here: ${wire(ws)}`) : open('nothing here: only JSON is offered', `text here: ${wire(ws)}`);
}

/** @param {Evidence} e */
function support(e) {
  const both = lanes(e);
  if (!both) return begin(e);
  const worse = published.ws - published.sse;
  const text = `both run in this browser; published, not measured here: ${published.sse.toFixed(2)} % against ${published.ws.toFixed(2)} % of users`;
  return found(worse < 1 ? 'no longer true' : 'holds', text);
}
