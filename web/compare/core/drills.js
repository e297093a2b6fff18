import { t } from '../../text.js';
import { BareSource } from './plainEventSource.js';
import { query } from './setup.js';
import { Watch } from './recoveryWatch.js';

/** @typedef {import('./types.js').Drill} Drill */
/** @typedef {import('./types.js').DrillAction} DrillAction */
/** @typedef {import('./types.js').DrillRow} DrillRow */
/** @typedef {import('./types.js').Setup} Setup */

const GREETING = 5_000; // ms in which the bare EventSource must have begun

/** @type {readonly DrillAction[]} */
const ACTIONS = ['cut', 'end', 'stall', '503', '204', 'slow', 'buffer', 'epoch'];

/** The drills there are, in the order of their buttons. @type {readonly Drill[]} */
export const DRILLS = Object.freeze(ACTIONS.map((action) => ({
  action,
  get label() { return t(`compare.drill.${action}`); },
  get about() { return t(`compare.drill.${action}.about`); },
})));

/**
 * Runs a drill on both sides and on an EventSource without our connector at once, and watches each until it is back.
 *
 * @param {DrillAction} action
 * @param {{
 *   sides: [import('./side.js').Side, import('./side.js').Side], setup: Setup, server: import('./server.js').Server,
 *   platform: any, tag: string, late: (tick: { t: number }, received: number) => number,
 * }} place platform: as a Feed's; tag: makes the users of this page its own, since the lab remembers them
 * @returns {Promise<DrillRow[]>} of the two sides, then of the bare EventSource
 */
export async function runDrill(action, place) {
  const { sides, setup, server, platform, late } = place;
  const { now, wall, setTimeout, clearTimeout } = platform;
  const seqs = setup.mode === 'all' && setup.topics.includes('*');
  const watch = (/** @type {() => any} */ counters, /** @type {boolean} */ ours) =>
    new Watch({ action, now, late, counters, seqs, ours, setTimeout, clearTimeout });
  const watches = sides.map((side) => watch(() => side.feed.counters, true));
  const release = sides.flatMap((side, k) => follow(side, /** @type {Watch} */ (watches[k])));
  const bare = new BareSource(bareURL(place), platform);
  const alone = watch(() => bare.counters, false);
  bare.watch = alone;
  try {
    await within(bare.ready, GREETING, platform, t('compare.drill.late'));
    const conns = [...sides.map((s) => s.feed.conn), bare.conn].filter((c) => c !== undefined);
    if (conns.length < 3) throw new Error(t('compare.drill.notlive'));
    for (const w of [...watches, alone]) w.begin();
    for (const side of sides) side.feed.trust(); // or the waits of one drill would grow by those of the last
    await server.drill(action, conns);
    await Promise.all([...watches, alone].map((w) => w.done));
    const at = wall();
    /** @type {DrillRow[]} */
    const rows = sides.map((side, k) => ({
      drill: action, lane: side.lane, name: side.name, stream: k === 0 ? 'a' : 'b',
      .../** @type {Watch} */ (watches[k]).outcome(), at,
    }));
    rows.push({ drill: action, lane: 'sse', name: t('compare.drill.alone'), stream: 'bare', ...alone.outcome(), at });
    return rows;
  } finally {
    for (const off of release) off();
    for (const w of [...watches, alone]) w.stop();
    bare.close();
  }
}

/** The subscription of an EventSource beside the two feeds: the same topics and mode. @param {{ setup: Setup, platform: any, tag: string }} place */
function bareURL({ setup, platform, tag }) {
  const like = setup.sides[0] === 'sse' ? query(setup, 0) : {};
  const q = new URLSearchParams({ ...like, user: `compare-bare-${tag}`, topics: setup.topics.join(','), mode: setup.mode });
  if (setup.interval !== null) q.set('interval', `${setup.interval}ms`);
  return `${platform.origin}/sse/subscribe?${q}`;
}

/** @param {import('./side.js').Side} side @param {Watch} w @returns {(() => void)[]} let go of it */
function follow({ feed, newest }, w) {
  let seq = newest?.i ?? NaN;
  return [
    feed.on('message', (m, arrival) => {
      if (m.T === 'hello') w.hello(m, seq);
      if (m.T !== 'q') return;
      seq = m.i;
      w.tick(m, arrival.received, arrival.replayed);
    }),
    feed.on('closed', (end) => w.ended(end)),
  ];
}

/** @template T @param {Promise<T>} promise @param {number} ms @param {any} platform @param {string} why @returns {Promise<T>} */
export async function within(promise, ms, { setTimeout, clearTimeout }, why) {
  /** @type {any} */
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(why)), ms)));
  try {
    return await /** @type {Promise<T>} */ (Promise.race([promise, late]));
  } finally {
    clearTimeout(timer);
  }
}
