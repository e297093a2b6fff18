import { age, count, seconds } from '../../store/format.js';
import { difference, enough, ms, newest, PAIRS, plusMinus, SECONDS, TICKS } from './figures.js';
import { apart as differing, isAA, sameLane } from './setup.js';

/** @typedef {import('./types.js').Result} Result */
/** @typedef {import('./types.js').Part} Part */
/** @typedef {import('./types.js').DrillRow} DrillRow */
/** @typedef {import('./types.js').Sentence} Sentence */
/** @typedef {import('./types.js').SideResult} SideResult */

const SAME = 0.005; // a share of bytes below which neither side costs more

/**
 * What a busy person can act on, from this run alone.
 * @param {Result} r @param {DrillRow[]} drills
 * @param {{ wall?: number, local?: boolean }} [place] ms since 1970; local: the server is on this machine
 * @returns {Sentence}
 */
export function sentence(r, drills, { wall = Date.now(), local = isLocal() } = {}) {
  const small = footnotes(r, wall);
  if (!r.sound) return { state: 'void', parts: faults(r), small };
  if (!enough(r)) return { state: 'waiting', parts: waiting(r), small };
  const rate = (r.sides[0].ticksPerSecond + r.sides[1].ticksPerSecond) / 2;
  const special = unlike(r);
  const place = local ? 'on this machine' : 'from here';
  const where = `${special ? `With ${special}, ${place}` : place.replace(/^./, (c) => c.toUpperCase())}, at ${count(rate)} ticks/s, `;
  const parts = [{ text: where }, ...apart(r), ...bytes(r), ...recovery(drills)];
  return { state: 'ready', parts, small };
}

/** A sentence as plain text. @param {Sentence} s */
export const plain = (s) => s.parts.map((p) => p.text).join('');

/** @param {SideResult} s @returns {Part} */
const named = (s) => ({ text: s.name, strong: true, lane: s.lane });

/** What is planted or set apart between the sides, where their names don't tell it; '' when nothing is. @param {Result} r */
function unlike({ setup, sides }) {
  const { delay } = setup;
  const told = sameLane(setup) && !isAA(setup); // by the names, as what else differs is
  const planted = [delay.a, delay.b].map((d, k) => d > 0 && `${d} ms planted on ${sides[k]?.name}`).filter(Boolean);
  /** @type {string[]} */
  const all = [];
  if (planted.length > 0 && !(told && delay.a !== delay.b)) all.push(planted.join(' and '));
  return all.join(' and ');
}

/** @param {Result} r @returns {Part[]} */
function faults(r) {
  const told = r.sides
    .filter((s) => s.lost + s.doubled + s.malformed > 0)
    .map((s) => `${s.name} lost ${count(s.lost)}, doubled ${count(s.doubled)}, could not read ${count(s.malformed)}`);
  return [{ text: 'A stream was not whole', strong: true }, { text: `: ${told.join('; ')}. So latency proves nothing here.` }];
}

/** @param {Result} r @returns {Part[]} */
function waiting(r) {
  switch (r.state) {
    case 'stopped':
      return [{ text: 'Stopped before there was enough to compare.' }];
    case 'connecting':
      return [{ text: 'Connecting both sides …' }];
    case 'frozen':
      return [{ text: 'Frozen before there was enough to compare.' }];
  }
  const { count: pairs } = r.pairs;
  const pace = pairs / (r.measuredMs / 1000);
  // Pairs are looked at once in SECONDS.
  const past = r.measuredMs / 1000;
  const ready = past + (pairs < PAIRS ? (PAIRS - pairs) / pace : 0.25);
  const more = Math.max(1, Math.ceil(ready / SECONDS) * SECONDS - past);
  if (!(pairs > 0)) return [{ text: r.measuredMs > 3000 ? 'No tick has come on both sides yet.' : 'Measuring: the first ticks are on their way.' }];
  return [
    { text: 'Measuring: ' },
    { text: `about ${Math.ceil(more)} s more`, strong: true },
    { text: ` until a difference can be told from noise (${count(pairs)} paired ticks so far).` },
  ];
}

/** @param {Result} r @returns {Part[]} */
function apart(r) {
  const d = difference(r);
  if (!d) return [];
  const { verdict, first } = d;
  if (verdict === 'wide') {
    return [{ text: `a difference below ${ms(d.noise)} can't be told here`, strong: true }, { text: '.' }];
  }
  if (isAA(r.setup)) {
    const bias = verdict === 'faster' ? ', more than chance: the method itself is off by that much' : '';
    return [
      { text: 'both sides are ' },
      { text: r.sides[0].lane === 'sse' ? 'SSE' : 'WebSocket', strong: true, lane: r.sides[0].lane },
      { text: ': the same tick arrives ' },
      { text: plusMinus(d.by, d.error), strong: true },
      { text: ` apart${bias}. A smaller difference between the lanes means nothing.` },
    ];
  }
  if (verdict === 'unsure') {
    return [
      named(first), { text: ' comes ' }, { text: plusMinus(d.by, d.error), strong: true },
      { text: ' earlier; run A/A to see whether that means anything.' },
    ];
  }
  if (verdict === 'none') {
    return [
      { text: sameLane(r.setup) || differing(r.setup).length > 0 ? 'neither side is faster' : 'neither lane is faster', strong: true },
      { text: `: the same tick arrives ${ms(d.by)} apart (noise ± ${ms(d.noise)}).` },
    ];
  }
  return [named(first), { text: ' is faster by ' }, { text: plusMinus(d.by, d.error), strong: true }, { text: '.' }];
}

/** @param {Result} r @returns {Part[]} */
function bytes(r) {
  const [a, b] = r.sides;
  if (isAA(r.setup) || !(Math.min(a.bytes.ticks, b.bytes.ticks) >= TICKS)) return [];
  const [more, less] = a.bytes.wire >= b.bytes.wire ? [a, b] : [b, a];
  const share = more.bytes.wire / less.bytes.wire - 1;
  if (!Number.isFinite(share)) return [];
  if (share < SAME) return [{ text: ' Both cost the ' }, { text: 'same bytes', strong: true }, { text: '.' }];
  return [
    { text: ' ' }, named(more), { text: ' costs ' },
    { text: `${share < 0.0995 ? (share * 100).toFixed(1) : Math.round(share * 100)} % more bytes`, strong: true },
    { text: '.' },
  ];
}

/** @param {DrillRow[]} drills @returns {Part[]} */
function recovery(drills) {
  const rows = /** @type {DrillRow[]} */ ((['a', 'b', 'bare']).map((s) => newest(drills, 'cut', /** @type {any} */ (s))));
  if (rows.some((row) => row === undefined)) return [];
  /** @type {Part[]} */
  const parts = [{ text: ' After a cut, ' }];
  rows.forEach((row, k) => {
    if (k > 0) parts.push({ text: k === rows.length - 1 ? ' and ' : ', ' });
    const bare = row.stream === 'bare';
    parts.push({ text: bare ? 'an EventSource alone' : row.name, strong: true, lane: row.lane });
    if (row.recoveredMs === null) parts.push({ text: ' did not come back' });
    else parts.push({ text: `${k === 0 ? ' was back' : ''} in ${seconds(row.recoveredMs / 1000)} ${bare ? 'by itself' : `by ${row.who}`}` });
  });
  const lost = rows.reduce((n, row) => n + row.lost + (row.missed ?? 0), 0);
  const unknown = rows.some((row) => row.missed === null);
  const outcome = lost > 0 ? `${count(lost)} ticks were missed` : unknown ? 'not all came back' : 'nothing was lost on any';
  parts.push({ text: `; ${outcome} (one cut; our connector waits up to 1 s at random).` });
  return parts;
}

/** @param {Result} r @param {number} wall */
function footnotes(r, wall) {
  const small = ['Computed from this run', `${count(r.pairs.count)} paired ticks`];
  if (!r.timed) small.push('replay at full speed: no latency since due is claimed');
  else if (r.clock.known) small.push(`clock ± ${ms(r.clock.error)}`);
  if (r.noise.from === 'timer') small.push(`this browser's clock steps by ${ms(r.resolution)}`);
  if (r.noise.from === 'phase') small.push(`each side is written to once in ${ms(r.noise.value)}, in its own turn: less than that means nothing`);
  const { hidden, frozen, drill } = r.leftOut;
  const left = [[hidden, 'hidden'], [frozen, 'frozen'], [drill, 'in drills']]
    .filter(([time]) => Number(time) >= 500)
    .map(([time, why]) => `${age(Number(time))} ${why}`);
  if (left.length > 0) small.push(`${left.join(', ')}, left out`);
  if (r.aa) small.push(`A/A run ${age(wall - r.aa.at)} ago: difference ${plusMinus(r.aa.value, r.aa.error)}`);
  else if (!isAA(r.setup)) small.push('no A/A run of this setup yet: its switch shows how small a difference means nothing');
  return small;
}

const isLocal = () => /^(localhost|127\.|\[::1\])/.test(globalThis.location?.hostname ?? 'localhost');
