import { seconds } from '../../model/formats.js';
import { t } from '../../text.js';
import { connectorLines } from './connectorLines.js';
import { difference, ms, newest, plusMinus, TICKS } from './difference.js';
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
  return CLAIMS.map(({ id, about, judge }) => ({ id, about, claim: t(`compare.claim.${id}`), ...judge(e) }));
}

/** @typedef {Pick<Claim, 'measured' | 'verdict' | 'press' | 'by'>} Judged */
/** @typedef {Pick<Claim, 'press' | 'by'>} Way to a verdict */

/** @param {Verdict} verdict @param {string} measured @returns {Judged} */
const found = (verdict, measured) => ({ verdict, measured, press: '', by: '' });

/** @param {Way} way what gives a verdict @param {string} [measured] what is known already @returns {Judged} */
const open = (way, measured = '') => ({ verdict: 'not measured yet', measured, ...way });

/** The page's own button of that label. @param {string} press @returns {Way} */
const button = (press) => ({ press, by: 'button' });

/** Something that a person changes. @param {string} press @returns {Way} */
const change = (press) => ({ press, by: 'change' });

/** @returns {Way} the page has begun by itself */
const start = () => ({ press: t('compare.action.start'), by: 'wait' });
const both = () => button('SSE | WS');
const measureTopics = () => button(t('compare.drill.topics'));

/** @type {readonly { id: string, about: Claim['about'], judge: (e: Evidence) => Judged }[]} */
const CLAIMS = [
  { id: 'real-time', about: 'both', judge: realTime },
  { id: 'low-latency', about: 'sse', judge: lowLatency },
  { id: 'one-way', about: 'sse', judge: oneWay },
  { id: 'plain-http', about: 'sse', judge: plainHTTP },
  { id: 'any-language', about: 'sse', judge: anyLanguage },
  { id: 'reconnects', about: 'sse', judge: reconnects },
  { id: 'little-code', about: 'sse', judge: littleCode },
  { id: 'proxies', about: 'sse', judge: proxies },
  { id: 'auth', about: 'sse', judge: auth },
  { id: 'text-only', about: 'sse', judge: textOnly },
  { id: 'support', about: 'sse', judge: support },
  { id: 'two-way', about: 'ws', judge: twoWay },
  { id: 'binary', about: 'ws', judge: binary },
  { id: 'by-hand', about: 'ws', judge: byHand },
];

/** @param {Evidence} e @returns {[SideResult, SideResult] | null} SSE and WebSocket; null when a lane has no figures */
function lanes({ result }) {
  if (sameLane(result.setup)) return null;
  const [a, b] = result.sides;
  return Math.min(a.latency.count || a.ticks, b.latency.count || b.ticks) >= TICKS ? [a, b] : null;
}

/** @param {Evidence} e */
const begin = ({ result }) => open(sameLane(result.setup) ? both() : start());

/**
 * What keeps the latencies of a run from telling of the lanes: a delay on purpose, or sides that differ in more than the lane.
 * @param {Evidence} e @returns {Judged | null}
 */
function apart({ result: { setup } }) {
  if (isPlanted(setup)) return open(change(t('compare.action.delay')));
  const [first] = differing(setup);
  return first ? open(change(t(`compare.action.alike.${first}`))) : null;
}

/** @param {Evidence} e */
function realTime(e) {
  const two = lanes(e);
  if (!two || two.some((s) => s.latency.count === 0)) return begin(e);
  const special = apart(e);
  if (special) return special;
  const [sse, ws] = two;
  const text = t('compare.finding.p50', { sse: ms(sse.latency.p50), ws: ms(ws.latency.p50) });
  return found(Math.max(sse.latency.p50, ws.latency.p50) < REAL_TIME ? 'holds' : 'depends', text);
}

/** @param {Evidence} e */
function lowLatency(e) {
  if (sameLane(e.result.setup)) return open(both());
  const special = apart(e);
  if (special) return special;
  const d = difference(e.result);
  if (!d) return open(start());
  if (d.verdict === 'wide') {
    const longer = e.result.look?.noise.from === 'phase' ? t('compare.action.interval') : t('compare.action.longer');
    return open(change(longer), t('compare.finding.wide', { noise: ms(d.error) }));
  }
  if (d.verdict === 'unsure') return open(button('SSE | SSE'), t('compare.finding.unsure', { side: d.first.name, by: plusMinus(d.by, d.error) }));
  if (d.verdict === 'none') return found('no difference', t('compare.finding.none', { apart: ms(d.by), noise: ms(d.error) }));
  const text = t('compare.finding.faster', { side: d.first.name, by: plusMinus(d.by, d.error) });
  return found(d.first.lane === 'sse' ? 'holds' : 'depends', text);
}

/** @param {Evidence} e */
function oneWay({ topicTimes: took }) {
  if (!took || Number.isNaN(took.post)) return open(measureTopics());
  const post = ms(took.post);
  return found('holds', Number.isNaN(took.reconnect.sse) ? t('compare.finding.post', { post }) : t('compare.finding.post.again', { post, again: ms(took.reconnect.sse) }));
}

/** @param {Evidence} e */
function twoWay({ topicTimes: took }) {
  if (!took || Number.isNaN(took.command)) return open(measureTopics());
  const command = ms(took.command);
  return found('holds', Number.isNaN(took.post) ? t('compare.finding.command', { command }) : t('compare.finding.command.post', { command, post: ms(took.post) }));
}

/** @param {Evidence} e */
function plainHTTP({ probe }) {
  if (!probe?.plain) return open(start());
  const { status, type, protocol } = probe.plain;
  const args = { status: String(status), type: type || t('compare.finding.get.untyped'), protocol };
  const text = protocol ? t('compare.finding.get.by', args) : t('compare.finding.get', args);
  return found(status === 200 && type.startsWith('text/event-stream') ? 'holds' : 'no longer true', text);
}

/** @param {Evidence} e */
function anyLanguage({ probe }) {
  if (!probe?.plain) return open(start());
  const { ticks } = probe.plain;
  if (ticks === 0) return open(start(), t('compare.finding.fetch.none'));
  return found('holds', t('compare.finding.fetch'));
}

/** @param {Evidence} e */
function reconnects({ drills }) {
  const cut = newest(drills, 'cut', 'bare') ?? newest(drills, 'end', 'bare');
  const refused = newest(drills, '503', 'bare') ?? newest(drills, '204', 'bare');
  const after = [cut, refused].flatMap((row) => {
    if (!row) return [];
    const what = t(`compare.finding.after.${row.drill}`);
    return row.recoveredMs === null ? t('compare.finding.alone.not', { what }) : t('compare.finding.alone.back', { what, time: seconds(row.recoveredMs / 1000) });
  });
  const text = after.length > 0 ? t('compare.finding.alone', { after: after.join(t('compare.separator.comma')) }) : '';
  if (!cut || !refused) return open(button(cut ? t('compare.drill.503') : t('compare.drill.cut')), text);
  return found(cut.recoveredMs === null ? 'no longer true' : refused.recoveredMs === null ? 'half true' : 'holds', text);
}

/** @param {Evidence} e */
function byHand({ drills }) {
  const of = (/** @type {string} */ action) => drills.filter((d) => d.drill === action && d.lane === 'ws');
  const rows = ['cut', 'end', '503'].flatMap(of);
  const bare = rows.filter((d) => d.stream === 'bare').at(-1);
  if (bare?.recoveredMs === null) return found('holds', t('compare.finding.bare.not'));
  if (bare) return found('no longer true', t('compare.finding.bare', { time: seconds(Number(bare.recoveredMs) / 1000) }));
  const row = of('cut').at(-1) ?? of('end').at(-1) ?? rows.at(-1);
  const { ws, shared } = connectorLines;
  if (!row) return found('holds', t('compare.finding.hand', { ws, shared }));
  if (row.recoveredMs === null) return found('holds', t('compare.finding.hand.not', { ws, shared }));
  return found('holds', t('compare.finding.hand.back', { ws, shared, time: seconds(row.recoveredMs / 1000) }));
}

/** @param {Evidence} e */
function littleCode({ probe }) {
  const { sse, ws } = probe?.lines ?? { sse: NaN, ws: NaN };
  if (Number.isNaN(sse + ws)) return open(start());
  const ours = connectorLines;
  const text = t('compare.finding.code', { sse, ws, ourSSE: ours.sse, ourWS: ours.ws, shared: ours.shared });
  const smaller = sse < ws * (1 - ALIKE);
  const alike = Math.abs(ours.sse - ours.ws) <= ALIKE * ours.ws;
  return found(smaller ? (alike ? 'half true' : 'holds') : 'no difference', text);
}

/** @param {Evidence} e */
function proxies({ drills, probe }) {
  const row = drills.filter((d) => d.drill === 'buffer' && d.lane === 'sse' && d.stream !== 'bare').at(-1)
    ?? newest(drills, 'buffer', 'bare');
  if (!row) return open(button(t('compare.drill.buffer')));
  if (row.recoveredMs === null) return open(button(t('compare.drill.buffer')), row.note);
  const time = seconds(row.recoveredMs / 1000);
  return found('depends', probe?.plain?.accelBuffering === 'no' ? t('compare.finding.buffer.header', { time }) : t('compare.finding.buffer', { time }));
}

/** @param {Evidence} e */
function auth({ probe }) {
  if (!probe) return open(start());
  if (!probe.has.EventSource) return open(start(), t('compare.finding.auth.none'));
  if (probe.headers) return found('holds', t('compare.finding.auth.headers'));
  return found('half true', t('compare.finding.auth.cookies'));
}

/** @param {Evidence} e */
function textOnly(e) {
  const sse = e.result.sides.find((s) => s.lane === 'sse');
  if (!sse || !(sse.bytes.ticks >= TICKS)) return open(sse ? start() : both());
  return found('holds', t('compare.finding.text', { n: sse.messages, wire: sse.bytes.wire }));
}

/** @param {Evidence} e */
function binary({ result }) {
  const ws = result.sides.find((s) => s.lane === 'ws');
  if (!ws || !(ws.bytes.ticks >= TICKS)) return open(ws ? start() : both());
  const packed = result.sides.find((s) => s.encoding === 'protobuf');
  if (packed) {
    if (!(packed.bytes.ticks >= TICKS)) return open(start());
    const text = result.sides.find((s) => s.lane === 'ws' && s.encoding === 'json' && s.bytes.ticks >= TICKS);
    const args = { n: packed.messages, wire: packed.bytes.wire };
    return found('holds', text ? t('compare.finding.binary.beside', { ...args, text: text.bytes.wire }) : t('compare.finding.binary', args));
  }
  const offered = /** @type {readonly string[]} */ (choices.encoding.ws).includes('protobuf');
  return open(change(offered ? t('compare.action.protobuf') : t('compare.action.json')), t('compare.finding.binary.text', { wire: ws.bytes.wire }));
}

/** @param {Evidence} e */
function support(e) {
  if (!lanes(e)) return begin(e);
  const worse = published.ws - published.sse;
  const text = t('compare.finding.support', { sse: published.sse.toFixed(2), ws: published.ws.toFixed(2) });
  return found(worse < 1 ? 'no longer true' : 'holds', text);
}
