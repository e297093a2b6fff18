import { defaults, noiseKey } from '../core/setup.js';

/** @typedef {import('../core/types.js').Result} Result */
/** @typedef {import('../core/types.js').SideResult} SideResult */
/** @typedef {import('../core/types.js').DrillRow} DrillRow */
/** @typedef {import('../core/types.js').Probe} Probe */

const latency = { count: 9_000, mean: 1.4, p50: 1.2, p90: 2, p99: 3.8, p999: 9.6, max: 14 };
const buckets = { bounds: [0, 1, 2], counts: [0, 9_000] };

/** A minute of a sound run in which the lanes differ in bytes alone. @returns {Result} */
export function sample() {
  const side = (/** @type {0 | 1} */ index, /** @type {SideResult['lane']} */ lane, /** @type {number} */ wire) => ({
    index, lane, name: lane === 'sse' ? 'SSE' : 'WebSocket', engine: 'stream', encoding: /** @type {const} */ ('json'), compression: 'none', state: /** @type {const} */ ('live'),
    latency: { ...latency }, paint: { ...latency }, histogram: buckets, paintHistogram: buckets,
    ticksPerSecond: 200, messagesPerSecond: 200, rate: 200,
    bytes: { ticks: 9_000, payload: 117, wire, framing: wire - 117, id: lane === 'sse' ? 20 : 0, writes: 1 },
    ticks: 9_100, messages: 9_110, gaps: 0, missed: 0, lost: 0, doubled: 0, replayed: 0, reconnects: 0, resets: 0, malformed: 0,
    series: [], heat: { t: [], bounds: [0, 1], rows: [] },
  });
  const typical = { value: 0.02, error: 0.4 };
  const noise = { value: 0.4, from: /** @type {const} */ ('interval') };
  return {
    setup: defaults(), state: 'measuring', elapsedMs: 60_000, measuredMs: 45_000,
    leftOut: { settling: 2_000, hidden: 11_000, frozen: 0, drill: 0 },
    clock: { known: true, offset: 0, error: 0.3 }, timed: true, resolution: 0.1, sound: true,
    sides: [side(0, 'sse', 157), side(1, 'ws', 119)],
    pairs: { label: 'SSE − WebSocket', count: 9_000, unpaired: 3, typical, mean: 0.3, median: 0.01, error: 0.4, batches: 45, batchMs: 1_000, histogram: buckets },
    differences: {
      p50: { value: 0.02, error: 0.4 }, p90: { value: 0, error: 0.4 }, p99: { value: -0.1, error: NaN },
      paint50: { value: 0.1, error: 0.6 }, paint99: { value: 0, error: 1 },
    },
    cpu: { perTick: 9.1, ticks: 18_000, connections: { sse: 1, ws: 1 } },
    handling: 0.02, noise, look: { typical, noise, measuredMs: 45_000, pairs: 9_000 },
    aa: { setup: noiseKey(defaults(), 0), lane: 'sse', value: 0.01, error: 0.03, pairs: 8_000, at: 1_000_000 },
  };
}

/** @param {Partial<DrillRow> & Pick<DrillRow, 'drill' | 'stream'>} row @returns {DrillRow} */
export const row = (row) => ({
  lane: row.stream === 'b' ? 'ws' : 'sse', name: { a: 'SSE', b: 'WebSocket', plain: 'Plain EventSource' }[row.stream],
  recoveredBy: row.stream === 'plain' ? 'browser' : 'our connector', recoveredMs: 410, missed: 0, lost: 0, replayed: 82, doubled: 0,
  note: '', at: 1, ...row,
});

/** A cut on all three streams. */
export const cut = () => [
  row({ drill: 'cut', stream: 'a' }), row({ drill: 'cut', stream: 'b', recoveredMs: 380 }), row({ drill: 'cut', stream: 'plain', recoveredMs: 1_020 }),
];

/** @returns {Probe} */
export const probe = () => ({
  plain: { status: 200, type: 'text/event-stream', protocol: 'http/1.1', ticks: 1, accelBuffering: 'no' },
  headers: false, has: { EventSource: true, WebSocket: true }, lines: { sse: 20, ws: 33 },
});

export const topicTimes = () => ({ command: 0.8, post: 1.9, reconnect: { sse: 5.2, ws: 6.1 }, samples: 7 });
