import { seconds } from '../../model/formats.js';
import { t } from '../../text.js';
import { connectorLines } from './connectorLines.js';
import { difference, ms, newest, plusMinus, TICKS } from './difference.js';
import { choices, differingOptions, hasDelay, sameLane } from './setup.js';

/** @typedef {import('./types.js').Claim} Claim */
/** @typedef {import('./types.js').Evidence} Evidence */
/** @typedef {import('./types.js').DrillRow} DrillRow */
/** @typedef {import('./types.js').Verdict} Verdict */
/** @typedef {import('./types.js').SideResult} SideResult */

/** Percentage of users whose browser supports each lane, as published by caniuse.com. */
export const published = Object.freeze({ sse: 97.4, ws: 97.57 });

/** Latency in ms below which a push counts as real time. */
const REAL_TIME = 100;
/** Share by which two numbers of lines must differ to be called different. */
const ALIKE = 0.2;

/**
 * Common claims about the lanes, what this run measured, and the verdicts. Without a measurement there is no verdict, and
 * `press` names the action that leads to one.
 * @param {Evidence} e
 * @returns {Claim[]}
 */
export function claims(e) {
  return CLAIMS.map(({ id, about, judge }) => ({ id, about, claim: t(`compare.claim.${id}`), ...judge(e) }));
}

/** @typedef {Pick<Claim, 'measured' | 'verdict' | 'press' | 'by'>} Judged */
/** @typedef {Pick<Claim, 'press' | 'by'>} Action that leads to a verdict */

/** @param {Verdict} verdict @param {string} measured @returns {Judged} */
const found = (verdict, measured) => ({ verdict, measured, press: '', by: '' });

/** @param {Action} action @param {string} [measured] partial result @returns {Judged} */
const open = (action, measured = '') => ({ verdict: 'not measured yet', measured, ...action });

/** The button with a label. @param {string} press @returns {Action} */
const button = (press) => ({ press, by: 'button' });

/** A change of the setup. @param {string} press @returns {Action} */
const change = (press) => ({ press, by: 'change' });

/** Waiting: the page starts measuring when it opens. @returns {Action} */
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
 * An open verdict when latencies do not compare the lanes alone: with an injected delay or other differing options.
 * @param {Evidence} e @returns {Judged | null}
 */
function otherCause({ result: { setup } }) {
  if (hasDelay(setup)) return open(change(t('compare.action.delay')));
  const [first] = differingOptions(setup);
  return first ? open(change(t(`compare.action.alike.${first}`))) : null;
}

/** @param {Evidence} e */
function realTime(e) {
  const two = lanes(e);
  if (!two || two.some((s) => s.latency.count === 0)) return begin(e);
  const other = otherCause(e);
  if (other) return other;
  const [sse, ws] = two;
  const text = t('compare.finding.p50', { sse: ms(sse.latency.p50), ws: ms(ws.latency.p50) });
  return found(Math.max(sse.latency.p50, ws.latency.p50) < REAL_TIME ? 'holds' : 'depends', text);
}

/** @param {Evidence} e */
function lowLatency(e) {
  if (sameLane(e.result.setup)) return open(both());
  const other = otherCause(e);
  if (other) return other;
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
function oneWay({ topicTimes: times }) {
  if (!times || Number.isNaN(times.post)) return open(measureTopics());
  const post = ms(times.post);
  return found('holds', Number.isNaN(times.reconnect.sse) ? t('compare.finding.post', { post }) : t('compare.finding.post.again', { post, again: ms(times.reconnect.sse) }));
}

/** @param {Evidence} e */
function twoWay({ topicTimes: times }) {
  if (!times || Number.isNaN(times.command)) return open(measureTopics());
  const command = ms(times.command);
  return found('holds', Number.isNaN(times.post) ? t('compare.finding.command', { command }) : t('compare.finding.command.post', { command, post: ms(times.post) }));
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
  const cut = newest(drills, 'cut', 'plain') ?? newest(drills, 'end', 'plain');
  const refused = newest(drills, '503', 'plain') ?? newest(drills, '204', 'plain');
  const after = [cut, refused].flatMap((row) => {
    if (!row) return [];
    const what = t(`compare.finding.after.${row.drill}`);
    return row.recoveredMs === null ? t('compare.finding.eventSource.not', { what }) : t('compare.finding.eventSource.back', { what, time: seconds(row.recoveredMs / 1000) });
  });
  const text = after.length > 0 ? t('compare.finding.eventSource', { after: after.join(t('compare.separator.comma')) }) : '';
  if (!cut || !refused) return open(button(cut ? t('compare.drill.503') : t('compare.drill.cut')), text);
  return found(cut.recoveredMs === null ? 'no longer true' : refused.recoveredMs === null ? 'half true' : 'holds', text);
}

/** @param {Evidence} e */
function byHand({ drills }) {
  const of = (/** @type {string} */ action) => drills.filter((d) => d.drill === action && d.lane === 'ws');
  const rows = ['cut', 'end', '503'].flatMap(of);
  const plain = rows.filter((d) => d.stream === 'plain').at(-1);
  if (plain?.recoveredMs === null) return found('holds', t('compare.finding.websocket.not'));
  if (plain) return found('no longer true', t('compare.finding.websocket', { time: seconds(Number(plain.recoveredMs) / 1000) }));
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
  const row = drills.filter((d) => d.drill === 'buffer' && d.lane === 'sse' && d.stream !== 'plain').at(-1)
    ?? newest(drills, 'buffer', 'plain');
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
  const binarySide = result.sides.find((s) => s.encoding === 'protobuf');
  if (binarySide) {
    if (!(binarySide.bytes.ticks >= TICKS)) return open(start());
    const text = result.sides.find((s) => s.lane === 'ws' && s.encoding === 'json' && s.bytes.ticks >= TICKS);
    const args = { n: binarySide.messages, wire: binarySide.bytes.wire };
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
