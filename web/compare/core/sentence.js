import { age, count, seconds } from '../../model/formats.js';
import { t } from '../../text.js';
import { difference, enough, ms, newest, PAIRS, plusMinus, SECONDS, TICKS } from './difference.js';
import { parts } from './parts.js';
import { differingOptions, isAA, sameLane } from './setup.js';

/** @typedef {import('./types.js').Result} Result */
/** @typedef {import('./types.js').Part} Part */
/** @typedef {import('./types.js').DrillRow} DrillRow */
/** @typedef {import('./types.js').Sentence} Sentence */
/** @typedef {import('./types.js').SideResult} SideResult */

const SAME = 0.005; // share of bytes below which both sides cost the same

/**
 * The result of a run in a sentence, with footnotes.
 * @param {Result} r @param {DrillRow[]} drills
 * @param {{ wall?: number, local?: boolean }} [context] wall: ms since 1970; local: the server is on this machine
 * @returns {Sentence}
 */
export function sentence(r, drills, { wall = Date.now(), local = true } = {}) {
  const small = footnotes(r, wall);
  if (!r.sound) return { state: 'void', parts: faults(r), small };
  if (!enough(r)) return { state: 'waiting', parts: waiting(r), small };
  return { state: 'ready', parts: [...latency(r, lead(r, local)), ...bytes(r), ...recovery(drills)], small };
}

/** A sentence as plain text. @param {Sentence} s */
export const sentenceText = (s) => s.parts.map((p) => p.text).join('');

/** @param {SideResult} s @returns {Part} */
const named = (s) => ({ text: s.name, strong: true, lane: s.lane });

/** The conditions of the run, as the beginning of the sentence. @param {Result} r @param {boolean} local */
function lead(r, local) {
  const rate = count((r.sides[0].ticksPerSecond + r.sides[1].ticksPerSecond) / 2);
  const what = injectedDelay(r);
  if (what) return local ? t('compare.lead.local.delayed', { rate, what }) : t('compare.lead.remote.delayed', { rate, what });
  return local ? t('compare.lead.local', { rate }) : t('compare.lead.remote', { rate });
}

/** The injected delays unless the sides' names contain them; '' for none. @param {Result} r */
function injectedDelay({ setup, sides: [a, b] }) {
  const { delay } = setup;
  const inNames = sameLane(setup) && !isAA(setup) && delay.a !== delay.b;
  if (inNames || (delay.a === 0 && delay.b === 0)) return '';
  if (delay.a > 0 && delay.b > 0) return t('compare.injected.both', { a: String(delay.a), b: String(delay.b), sideA: a.name, sideB: b.name });
  return delay.a > 0 ? t('compare.injected', { ms: String(delay.a), side: a.name }) : t('compare.injected', { ms: String(delay.b), side: b.name });
}

/** @param {Result} r @returns {Part[]} */
function faults(r) {
  const sides = r.sides
    .filter((s) => s.lost + s.doubled + s.malformed > 0)
    .map((s) => t('compare.fault.side', { side: s.name, lost: s.lost, doubled: s.doubled, malformed: s.malformed }));
  return parts(() => t('compare.fault', { sides: sides.join(t('compare.separator.semicolon')) }));
}

/** @param {Result} r @returns {Part[]} */
function waiting(r) {
  switch (r.state) {
    case 'stopped':
      return [{ text: t('compare.waiting.stopped') }];
    case 'connecting':
      return [{ text: t('compare.waiting.connecting') }];
    case 'frozen':
      return [{ text: t('compare.waiting.frozen') }];
  }
  const { count: pairs } = r.pairs;
  const pace = pairs / (r.measuredMs / 1000);
  const measured = r.measuredMs / 1000;
  const ready = measured + (pairs < PAIRS ? (PAIRS - pairs) / pace : 0.25);
  const more = Math.max(1, Math.ceil(ready / SECONDS) * SECONDS - measured); // until the next look
  if (!(pairs > 0)) return [{ text: r.measuredMs > 3000 ? t('compare.waiting.none') : t('compare.waiting.first') }];
  return parts(() => t('compare.waiting.more', { s: String(Math.ceil(more)), n: pairs }));
}

/** @param {Result} r @param {string} lead @returns {Part[]} */
function latency(r, lead) {
  const d = difference(r);
  if (!d) return [];
  const { verdict, first } = d;
  const figures = { lead, by: plusMinus(d.by, d.error), apart: ms(d.by), noise: ms(d.error) };
  if (verdict === 'wide') return parts(() => t('compare.difference.wide', figures));
  if (isAA(r.setup)) {
    const { lane } = r.sides[0];
    const both = { lane: { text: lane === 'sse' ? 'SSE' : 'WebSocket', strong: true, lane } };
    return parts((x) => (verdict === 'faster' ? t('compare.difference.aa.biased', { ...figures, ...x }) : t('compare.difference.aa', { ...figures, ...x })), both);
  }
  if (verdict === 'none') {
    const differ = sameLane(r.setup) || differingOptions(r.setup).length > 0;
    return parts(() => (differ ? t('compare.difference.none.side', figures) : t('compare.difference.none.lane', figures)));
  }
  const side = { side: named(first) };
  return parts((x) => (verdict === 'unsure' ? t('compare.difference.unsure', { ...figures, ...x }) : t('compare.difference.faster', { ...figures, ...x })), side);
}

/** @param {Result} r @returns {Part[]} */
function bytes(r) {
  const [a, b] = r.sides;
  if (isAA(r.setup) || !(Math.min(a.bytes.ticks, b.bytes.ticks) >= TICKS)) return [];
  const [more, less] = a.bytes.wire >= b.bytes.wire ? [a, b] : [b, a];
  const share = more.bytes.wire / less.bytes.wire - 1;
  if (!Number.isFinite(share)) return [];
  if (share < SAME) return parts(() => t('compare.bytes.same'));
  const percent = share < 0.0995 ? (share * 100).toFixed(1) : String(Math.round(share * 100));
  return parts((x) => t('compare.bytes.more', { percent, ...x }), { side: named(more) });
}

/** @param {DrillRow[]} drills @returns {Part[]} */
function recovery(drills) {
  const rows = /** @type {DrillRow[]} */ ((['a', 'b', 'plain']).map((s) => newest(drills, 'cut', /** @type {any} */ (s))));
  if (rows.some((row) => row === undefined)) return [];
  const lost = rows.reduce((n, row) => n + row.lost + (row.missed ?? 0), 0);
  const unknown = rows.some((row) => row.missed === null);
  const outcome = lost > 0 ? t('compare.cut.missed', { n: lost }) : unknown ? t('compare.cut.incomplete') : t('compare.cut.complete');
  const [a, b, plain] = /** @type {[Part[], Part[], Part[]]} */ (rows.map((row, k) => recovered(row, rows.slice(0, k).every((r) => r.recoveredMs === null))));
  return parts((x) => t('compare.cut', { outcome, ...x }), { a, b, plain });
}

/** How one stream recovered. @param {DrillRow} row @param {boolean} first the first in the sentence, with the verb */
function recovered(row, first) {
  const plain = row.stream === 'plain';
  const side = { side: { text: plain ? t('compare.cut.plain') : row.name, strong: true, lane: row.lane } };
  if (row.recoveredMs === null) return parts((x) => t('compare.cut.lost', x), side);
  const time = seconds(row.recoveredMs / 1000);
  const by = plain ? t('compare.cut.itself') : t('compare.cut.by', { who: recoveredBy(row) });
  return parts((x) => (first ? t('compare.cut.first', { time, by, ...x }) : t('compare.cut.next', { time, by, ...x })), side);
}

/** What reconnected a stream, in the page's language. @param {DrillRow} row */
export const recoveredBy = (row) => t(`compare.recoveredBy.${row.recoveredBy.replaceAll(' ', '-')}`);

/** @param {Result} r @param {number} wall */
function footnotes(r, wall) {
  const small = [t('compare.note.run'), t('compare.note.pairs', { n: r.pairs.count })];
  if (!r.timed) small.push(t('compare.note.untimed'));
  else if (r.clock.known) small.push(t('compare.note.clock', { ms: ms(r.clock.error) }));
  if (r.noise.from === 'timer') small.push(t('compare.note.timer', { ms: ms(r.resolution) }));
  if (r.noise.from === 'phase') small.push(t('compare.note.phase', { ms: ms(r.noise.value) }));
  const excluded = /** @type {const} */ (['hidden', 'frozen', 'drill']).filter((reason) => r.leftOut[reason] >= 500)
    .map((reason) => t(`compare.note.excluded.${reason}`, { time: age(r.leftOut[reason]) }));
  if (excluded.length > 0) small.push(t('compare.note.excluded', { all: excluded.join(t('compare.separator.comma')) }));
  if (r.aa) small.push(t('compare.note.aa', { time: age(wall - r.aa.at), by: plusMinus(r.aa.value, r.aa.error) }));
  else if (!isAA(r.setup)) small.push(t('compare.note.noaa'));
  return small;
}
