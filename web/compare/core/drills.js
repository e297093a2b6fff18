import { t } from '../../text.js';
import { PlainEventSource } from './plainEventSource.js';
import { RecoveryWatch } from './recoveryWatch.js';
import { query } from './setup.js';

/** @typedef {import('./types.js').Drill} Drill */
/** @typedef {import('./types.js').DrillAction} DrillAction */
/** @typedef {import('./types.js').DrillRow} DrillRow */
/** @typedef {import('./types.js').Setup} Setup */

const CONNECT_TIMEOUT = 5_000; // ms for the plain EventSource

/** @type {readonly DrillAction[]} */
const ACTIONS = ['cut', 'end', 'stall', '503', '204', 'slow', 'buffer', 'epoch'];

/** All drills, in the order of their buttons. @type {readonly Drill[]} */
export const DRILLS = Object.freeze(ACTIONS.map((action) => ({
  action,
  get label() { return t(`compare.drill.${action}`); },
  get about() { return t(`compare.drill.${action}.about`); },
})));

/**
 * Runs a drill at once on both sides and on a plain EventSource, and watches each until it has recovered.
 *
 * @param {DrillAction} action
 * @param {{
 *   sides: [import('./side.js').Side, import('./side.js').Side], setup: Setup, server: import('./server.js').Server,
 *   platform: any, tag: string, late: (tick: { t: number }, received: number) => number,
 * }} context platform: as for Feed; tag: part of this page's user names, which makes them unique
 * @returns {Promise<DrillRow[]>} rows of the two sides, then of the plain EventSource
 */
export async function runDrill(action, context) {
  const { sides, setup, server, platform, late } = context;
  const { now, wall, setTimeout, clearTimeout } = platform;
  const seqs = setup.mode === 'all' && setup.topics.includes('*');
  const watch = (/** @type {() => any} */ counters, /** @type {boolean} */ ours) =>
    new RecoveryWatch({ action, now, late, counters, seqs, ours, setTimeout, clearTimeout });
  const watches = sides.map((side) => watch(() => side.feed.counters, true));
  const release = sides.flatMap((side, k) => follow(side, /** @type {RecoveryWatch} */ (watches[k])));
  const source = new PlainEventSource(plainURL(context), platform);
  const plain = watch(() => source.counters, false);
  source.watch = plain;
  try {
    await within(source.ready, CONNECT_TIMEOUT, platform, t('compare.drill.late'));
    const conns = [...sides.map((s) => s.feed.conn), source.conn].filter((c) => c !== undefined);
    if (conns.length < 3) throw new Error(t('compare.drill.notlive'));
    for (const w of [...watches, plain]) w.begin();
    for (const side of sides) side.feed.trust(); // resets the backoff, so that drills do not lengthen each other's waits
    await server.drill(action, conns);
    await Promise.all([...watches, plain].map((w) => w.done));
    const at = wall();
    /** @type {DrillRow[]} */
    const rows = sides.map((side, k) => ({
      drill: action, lane: side.lane, name: side.name, stream: k === 0 ? 'a' : 'b',
      .../** @type {RecoveryWatch} */ (watches[k]).outcome(), at,
    }));
    rows.push({ drill: action, lane: 'sse', name: t('compare.drill.plain'), stream: 'plain', ...plain.outcome(), at });
    return rows;
  } finally {
    for (const off of release) off();
    for (const w of [...watches, plain]) w.stop();
    source.close();
  }
}

/** URL of the plain EventSource: the same topics and mode as the sides. @param {{ setup: Setup, platform: any, tag: string }} context */
function plainURL({ setup, platform, tag }) {
  const options = setup.sides[0] === 'sse' ? query(setup, 0) : {};
  const q = new URLSearchParams({ ...options, user: `compare-plain-${tag}`, topics: setup.topics.join(','), mode: setup.mode });
  if (setup.interval !== null) q.set('interval', `${setup.interval}ms`);
  return `${platform.origin}/sse/subscribe?${q}`;
}

/** @param {import('./side.js').Side} side @param {RecoveryWatch} w @returns {(() => void)[]} remove the handlers */
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

/** Rejects with `reason` after `ms`. @template T @param {Promise<T>} promise @param {number} ms @param {any} platform @param {string} reason @returns {Promise<T>} */
export async function within(promise, ms, { setTimeout, clearTimeout }, reason) {
  /** @type {any} */
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(reason)), ms)));
  try {
    return await /** @type {Promise<T>} */ (Promise.race([promise, late]));
  } finally {
    clearTimeout(timer);
  }
}
