// Types of the comparison. Times and latencies are in ms, sizes in bytes, unless stated otherwise. An unknown figure is NaN
// (null in an exported file). A difference is always side A − side B: SSE − WebSocket when the lanes differ.

import type { Lane, Mode, StateName } from '../../types.js';

export type { Lane, Mode };
export type Pair<T> = [T, T];

// --- setup ----------------------------------------------------------------------------------------------------

export type Encoding = 'json' | 'protobuf';

export interface Setup {
  topics: string[];
  mode: Mode;
  /** minimum ms between the server's writes of ticks, 0–5,000; null is the server's default */
  interval: number | null;
  /** of each side; SSE carries only json */
  encoding: { a: Encoding; b: Encoding };
  /** '' is negotiated by browser and server; off and on need the lab */
  compress: { a: '' | 'off' | 'on'; b: '' | 'off' | 'on' };
  /** '' is the server's default engine. Lab only */
  engine: { a: string; b: string };
  sides: ['sse', 'ws'] | ['sse', 'sse'] | ['ws', 'ws'];
  /** ticks per second of the whole market; null leaves it unchanged. Lab only */
  rate: number | null;
  /** additional clients in another process; null leaves them unchanged. Lab only */
  background: { sse: number; ws: number } | null;
  /** ms that the server waits before each write of a side, for checking the method. Lab only */
  delay: { a: number; b: number };
}

/** Settings that affect every user of the server. */
export type ServerChange = Pick<Setup, 'rate' | 'background'>;

// --- results --------------------------------------------------------------------------------------------------

export type RunState = 'stopped' | 'connecting' | 'settling' | 'measuring' | 'frozen' | 'hidden' | 'drill';

/** Why time was left out of the measurement. */
export type Reason = 'settling' | 'hidden' | 'frozen' | 'drill';

export interface Distribution {
  count: number;
  mean: number;
  p50: number;
  p90: number;
  p99: number;
  p999: number;
  /** exact; the quantiles are within 2.5 % */
  max: number;
}

/** Counts by latency, on a log scale. Bucket k holds values above bounds[k] and up to bounds[k + 1]. */
export interface Buckets {
  /** one more than counts; ms, ascending. Of a symmetric histogram they run from below to above 0 */
  bounds: ArrayLike<number>;
  counts: ArrayLike<number>;
}

/** A value with the half width of its 95 % interval; NaN while there is too little data. */
export interface Estimate {
  value: number;
  error: number;
}

/** One second of a side. NaN where nothing came. */
export interface SeriesPoint {
  /** local ms since 1970, start of the second */
  t: number;
  p50: number;
  p99: number;
  ticks: number;
  /** why the second, or part of it, is left out; null when it is measured */
  leftOut: Reason | null;
}

export interface Heat {
  /** local ms since 1970, start of each second, ascending; the same seconds as in the series */
  t: number[];
  /** ms; one more than the cells of a row */
  bounds: ArrayLike<number>;
  /** rows[k] belongs to t[k] */
  rows: ArrayLike<number>[];
}

/** Bytes per tick over the measured time, from the server's counters of the connection. */
export interface ByteCost {
  /** number of ticks */
  ticks: number;
  /** messages before framing and compression, in the side's encoding */
  payload: number;
  /** bytes written to the socket */
  wire: number;
  /** wire − payload; NaN when ticks were compressed, which makes both smaller at once */
  framing: number;
  /** the part of framing that is SSE's `id:` line, a choice of this server. 0 on WebSocket */
  id: number;
  /** writes per tick; below 1 when the server combines ticks */
  writes: number;
}

export interface SideResult {
  index: 0 | 1;
  lane: Lane;
  /** "SSE", "WebSocket"; "SSE A" and "SSE B" for equal sides; or with the options that differ: "SSE shard", "SSE +2 ms" */
  name: string;
  /** from the hello; '' before */
  engine: string;
  encoding: Encoding;
  /** as reported by the server: none, gzip or permessage-deflate; '' if unknown */
  compression: string;
  state: StateName;
  /** time of the next attempt, ms since 1970, while waiting */
  retryAt?: number;
  /** why the last connection ended or was not opened, while not live */
  reason?: string;
  /** from due time to the message handler */
  latency: Distribution;
  /** from due time to the frame that showed the tick */
  paint: Distribution;
  histogram: Buckets;
  paintHistogram: Buckets;
  /** over the measured time */
  ticksPerSecond: number;
  messagesPerSecond: number;
  /** over the last three seconds, including time that is left out */
  rate: number;
  bytes: ByteCost;
  /** since the reset, including time that is left out */
  ticks: number;
  messages: number;
  gaps: number;
  missed: number;
  lost: number;
  doubled: number;
  replayed: number;
  reconnects: number;
  resets: number;
  malformed: number;
  series: SeriesPoint[];
  heat: Heat;
}

export interface PairResult {
  /** "SSE − WebSocket", "A − B", or "SSE stream − SSE shard" */
  label: string;
  count: number;
  /** ticks that arrived on one side only, or on one side in time that is left out */
  unpaired: number;
  /** the midmean of the pairs, which a pause of one side does not move; the basis of the verdict */
  typical: Estimate;
  mean: number;
  median: number;
  /** half width of the mean's 95 % interval, by batch means; NaN below 10 batches */
  error: number;
  batches: number;
  /** length of a batch, ms */
  batchMs: number;
  /** logarithmic on both sides of 0 */
  histogram: Buckets;
}

/** The size below which a difference is noise, and its cause. */
export interface Noise {
  /** ms; NaN without an interval */
  value: number;
  from: 'interval' | 'aa' | 'thread' | 'timer' | 'phase';
}

/** An A/A run of this browser session. */
export interface AAResult {
  /** noiseKey() of its setup */
  setup: string;
  lane: Lane;
  /** midmean of the differences of equal ticks, with the half width of its 95 % interval, ms */
  value: number;
  error: number;
  pairs: number;
  /** ms since 1970 */
  at: number;
}

/**
 * The basis of a verdict, taken at fixed times of the run: checking at each repaint until a difference appears would find
 * one sooner or later.
 */
export interface Look {
  typical: Estimate;
  noise: Noise;
  /** measured time, ms */
  measuredMs: number;
  /** number of pairs */
  pairs: number;
}

export type Metric = 'p50' | 'p90' | 'p99' | 'paint50' | 'paint99';

export interface Result {
  setup: Setup;
  state: RunState;
  /** ms since the start or the last reset */
  elapsedMs: number;
  measuredMs: number;
  /** ms left out, by reason */
  leftOut: Record<Reason, number>;
  /** offset and error (±) of the server's clock, the same for both sides */
  clock: { known: boolean; offset: number; error: number };
  /** false for a replay at full speed, whose ticks have no due time in the present: latency is unknown */
  timed: boolean;
  /** the smallest step of performance.now(), ms */
  resolution: number;
  /** false when a tick was lost, duplicated or unreadable: latencies are not valid */
  sound: boolean;
  sides: Pair<SideResult>;
  pairs: PairResult;
  /** differences A − B of quantiles, by sectioning */
  differences: Record<Metric, Estimate>;
  /** µs of the server process's CPU per tick delivered to any client, both lanes together */
  cpu: { perTick: number; ticks: number; connections: { sse: number; ws: number } };
  /** mean time of handling a tick, for which the other side's tick may wait */
  handling: number;
  noise: Noise;
  /** the newest A/A run of the same setup */
  aa: AAResult | null;
  /** the newest look at the difference; null before the first one */
  look: Look | null;
}

/** What a kept run has of a side. */
export type KeptSide = Pick<SideResult,
  'index' | 'lane' | 'name' | 'engine' | 'encoding' | 'compression' | 'latency' | 'paint' | 'histogram' | 'ticksPerSecond' |
  'messagesPerSecond' | 'bytes' | 'gaps' | 'doubled' | 'lost' | 'reconnects'> & { series: Pick<SeriesPoint, 't' | 'p99'>[] };

/** The figures that the current run and a kept one both have. */
export interface Figured {
  setup: Setup;
  measuredMs: number;
  timed: boolean;
  clock: { error: number };
  cpu: { perTick: number };
  noise: Noise;
  sides: Pair<KeptSide>;
  pairs: Pick<PairResult, 'label' | 'count' | 'median' | 'typical' | 'histogram'>;
  differences: Record<Metric, Estimate>;
}

export type KeptDrill = Pick<DrillRow, 'lane' | 'stream' | 'recoveredMs'> & { drill: string };

/** A run from a file. */
export interface KeptRun extends Figured {
  /** ms since 1970 */
  made: number;
  /** user agent */
  browser: string;
  sentence: Part[];
  drills: KeptDrill[];
  /** the file, JSON */
  text: string;
}

// --- drills ---------------------------------------------------------------------------------------------------

export type DrillAction = 'cut' | 'end' | 'stall' | '503' | '204' | 'buffer' | 'slow' | 'epoch';

export interface DrillRow {
  drill: DrillAction;
  lane: Lane;
  /** a side's name, or "Plain EventSource" */
  name: string;
  /** the page's two feeds, or the plain EventSource without our connector */
  stream: 'a' | 'b' | 'plain';
  /** what reconnected the stream: 'not needed' when it stayed connected, 'none' when it did not recover */
  recoveredBy: 'browser' | 'our connector' | 'none' | 'not needed';
  /** ms from the drill's effect to the first tick after it; for stall, buffer and slow, to the first tick on time */
  recoveredMs: number | null;
  /** ticks reported as missed (gap or reset); null if unknown */
  missed: number | null;
  /** ticks lost without a report: a fault */
  lost: number;
  replayed: number;
  doubled: number;
  /** description of the end and the attempts, without a full stop */
  note: string;
  /** ms since 1970 */
  at: number;
}

export interface Drill {
  action: DrillAction;
  /** of the button */
  label: string;
  /** what the drill does, a sentence */
  about: string;
}

// --- topics, claims, sentence ---------------------------------------------------------------------------------

/** Median ms to change topics; NaN where it could not be measured. */
export interface TopicTimes {
  /** by a command in the stream */
  command: number;
  /** by a separate POST */
  post: number;
  /** by a new stream, until its first message after the hello */
  reconnect: { sse: number; ws: number };
  /** number of changes per method */
  samples: number;
}

/** Results of tests made once at the start of a run, beside the two streams. */
export interface Probe {
  /** an SSE stream of one tick read with fetch, without EventSource or a library; null when it failed */
  plain: { status: number; type: string; protocol: string; ticks: number; accelBuffering: string } | null;
  /** whether this browser's EventSource reads an option `headers` */
  headers: boolean;
  /** whether the browser has them */
  has: { EventSource: boolean; WebSocket: boolean };
  /** lines of code of the smallest pages' scripts; NaN when not fetched */
  lines: { sse: number; ws: number };
}

/** The basis of the claims' verdicts. */
export interface Evidence {
  result: Result;
  drills: DrillRow[];
  topicTimes: TopicTimes | null;
  probe: Probe | null;
}

export type Verdict = 'holds' | 'half true' | 'no longer true' | 'no difference' | 'depends' | 'not measured yet';

export interface Claim {
  id: string;
  about: Lane | 'both';
  claim: string;
  /** what this run measured; '' if nothing */
  measured: string;
  verdict: Verdict;
  /** the action that leads to a verdict, in the page's language, such as "Reply 503" */
  press: string;
  /** kind of `press`: the label of a button, a change of the setup, or waiting; '' with a verdict */
  by: 'button' | 'change' | 'wait' | '';
}

/** A piece of the sentence at the top. */
export interface Part {
  text: string;
  strong?: boolean;
  /** shown in this lane's colour */
  lane?: Lane;
}

export interface Sentence {
  /** waiting: too little data; void: a fault makes the figures invalid */
  state: 'waiting' | 'ready' | 'void';
  parts: Part[];
  /** footnotes, joined by " · " */
  small: string[];
}

// --- the interface --------------------------------------------------------------------------------------------

export interface ComparisonEvent {
  /** ms since 1970 */
  t: number;
  side: 0 | 1 | null;
  lane: Lane | null;
  level: 'info' | 'good' | 'warn' | 'bad';
  code: string;
  /** in the page's language, without a full stop */
  text: string;
}

export interface ComparisonHandlers {
  /** four times per second while running, and after each change */
  update: () => void;
  drill: (rows: DrillRow[]) => void;
  event: (e: ComparisonEvent) => void;
}

export interface Side {
  readonly index: 0 | 1;
  readonly lane: Lane;
  readonly name: string;
  /** Records that a tick was shown. @param i its seq @param time performance.now() or the frame's time */
  painted(i: number, time: number): void;
  /** The newest tick. */
  readonly newest: import('../../types.js').Quote | null;
}

export interface ComparisonOptions {
  /** rate and background are applied by change() only */
  setup: Setup;
  /** boot.lab: whether the server has the lab's API */
  lab?: boolean;
  /** boot.timed: ticks have a due time in the present */
  timed?: boolean;
  /** the platform functions of a Feed */
  platform?: Partial<import('../../types.js').FeedOptions>;
  /** source of visibility; null: always visible */
  document?: (EventTarget & { visibilityState: string }) | null;
  /** keeps the A/A results; null: in memory */
  storage?: Pick<Storage, 'getItem' | 'setItem'> | null;
  /** ms since 1970 at which performance.now() was 0 */
  timeOrigin?: number;
  /** step of performance.now(), ms; measured by default */
  resolution?: number;
  clock?: import('../../lane/clock.js').Clock;
}
