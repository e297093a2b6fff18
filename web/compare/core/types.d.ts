// The shapes of a comparison: what the page's views read. Times and latencies are ms, byte figures bytes, unless said
// otherwise. A figure that isn't known is NaN (null in an exported file). A difference is always side A − side B, so
// SSE − WebSocket when the lanes differ.

import type { Lane, Mode, StateName } from '../../types.js';

export type { Lane, Mode };
export type Pair<T> = [T, T];

// --- setup ----------------------------------------------------------------------------------------------------

export type Encoding = 'json' | 'protobuf';

export interface Setup {
  topics: string[];
  mode: Mode;
  /** least ms between the server's writes of ticks, 0–5,000; null is the server's own default */
  interval: number | null;
  /** of each side; SSE carries json alone */
  encoding: { a: Encoding; b: Encoding };
  /** '' is what browser and server agree on; off and on are the lab's */
  compress: { a: '' | 'off' | 'on'; b: '' | 'off' | 'on' };
  /** '' is the server's own engine. Lab only */
  engine: { a: string; b: string };
  sides: ['sse', 'ws'] | ['sse', 'sse'] | ['ws', 'ws'];
  /** ticks a second of everybody's feed; null leaves it as it is. Lab only */
  rate: number | null;
  /** extra clients in another process; null leaves them as they are. Lab only */
  background: { sse: number; ws: number } | null;
  /** ms planted before each write of a side, for checking the method. Lab only */
  delay: { a: number; b: number };
}

/** What changes the server for everybody. */
export type Asked = Pick<Setup, 'rate' | 'background'>;

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
  /** why this second is in no figure; null when it is, wholly */
  leftOut: Reason | null;
}

export interface Heat {
  /** local ms since 1970, start of each second, ascending; the same seconds as the series */
  t: number[];
  /** ms; one more than each row has cells */
  bounds: ArrayLike<number>;
  /** rows[k] belongs to t[k] */
  rows: ArrayLike<number>[];
}

/** Bytes for each tick over the measured time, from the server's own counters of this connection. */
export interface ByteCost {
  /** ticks that the figures are of */
  ticks: number;
  /** the messages before framing and compression, in the side's own encoding */
  payload: number;
  /** what went into the socket */
  wire: number;
  /** wire − payload; below 0 when compression gains more than framing costs */
  framing: number;
  /** of the framing, SSE's `id:` line: this server's choice, not the protocol's need. 0 on WebSocket */
  id: number;
  /** writes for each tick: below 1 when the server joined ticks */
  writes: number;
}

export interface SideResult {
  index: 0 | 1;
  lane: Lane;
  /** "SSE", "WebSocket", "SSE A" and "SSE B" when both are the same, or by what differs: "SSE shard", "SSE +2 ms" */
  name: string;
  /** as its hello said; '' before */
  engine: string;
  encoding: Encoding;
  /** as the server tells of the stream: none, gzip or permessage-deflate; '' before */
  compression: string;
  state: StateName;
  /** when the next try is due, ms since 1970, while it waits */
  retryAt?: number;
  /** from due to the message handler */
  latency: Distribution;
  /** from due to the frame that showed it */
  paint: Distribution;
  histogram: Buckets;
  paintHistogram: Buckets;
  /** over the measured time */
  ticksPerSecond: number;
  messagesPerSecond: number;
  /** over the last three seconds, left out or not */
  rate: number;
  bytes: ByteCost;
  /** since reset, left-out time included: completeness knows no pause */
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
  /** ticks that came on one side only, or while something was left out */
  unpaired: number;
  /** the mean of the middle half of the pairs, which a standstill of one side doesn't move: what the verdict rests on */
  typical: Estimate;
  mean: number;
  median: number;
  /** half width of the mean's 95 % interval, by batch means; NaN below 10 batches */
  error: number;
  batches: number;
  /** ms of a batch that the interval rests on */
  batchMs: number;
  /** on a scale that is logarithmic on both sides of 0 */
  histogram: Buckets;
}

/** How small a difference means nothing, and why. */
export interface Noise {
  /** ms; NaN before there is an interval */
  value: number;
  from: 'interval' | 'aa' | 'thread' | 'timer' | 'phase';
}

/** An A/A run of this browser session. */
export interface AAResult {
  /** what it was measured with, as kin() tells it: it is noise of no other setup */
  setup: string;
  lane: Lane;
  /** typical difference of the same tick, with the half width of its 95 % interval, ms */
  value: number;
  error: number;
  pairs: number;
  /** ms since 1970 */
  at: number;
}

/**
 * What a verdict rests on. It is taken at fixed times of the run: who looks at each repaint until a difference shows
 * will see one sooner or later.
 */
export interface Look {
  typical: Estimate;
  noise: Noise;
  /** ms of measured time at which it was taken */
  measuredMs: number;
  /** pairs by then */
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
  /** the estimate is the same for both sides; error is ± ms */
  clock: { known: boolean; offset: number; error: number };
  /** false for a replay at full speed, whose due times mean nothing: then no latency is claimed */
  timed: boolean;
  /** the smallest step of performance.now() seen here, ms */
  resolution: number;
  /** false when a tick was lost or doubled: then latency proves nothing */
  sound: boolean;
  sides: Pair<SideResult>;
  pairs: PairResult;
  /** A − B of quantiles, by sectioning */
  differences: Record<Metric, Estimate>;
  /** µs of the server process's CPU for each tick handed to anyone, lanes together: they share a process */
  cpu: { perTick: number; ticks: number; connections: { sse: number; ws: number } };
  /** what this page's handler takes for a tick, mean; the other side's tick may have to wait for it */
  handling: number;
  noise: Noise;
  /** the newest A/A run of this very setup */
  aa: AAResult | null;
  /** the newest look at the difference; null before the first one */
  look: Look | null;
}

// --- drills ---------------------------------------------------------------------------------------------------

export type DrillAction = 'cut' | 'end' | 'stall' | '503' | '204' | 'buffer' | 'slow' | 'epoch';

export interface DrillRow {
  drill: DrillAction;
  lane: Lane;
  /** "SSE", "WebSocket", "SSE A", or "EventSource alone" */
  name: string;
  /** whose stream: the page's two feeds, or the bare EventSource without our connector */
  stream: 'a' | 'b' | 'bare';
  /** who brought it back: 'not needed' when the connection stayed, 'none' when it never came back */
  recoveredBy: 'browser' | 'our connector' | 'none' | 'not needed';
  /** from the drill's effect to the first tick after it; of stall, buffer and slow to the first tick on time again */
  recoveredMs: number | null;
  /** ticks told as missed (gap or reset), null when that can't be known */
  missed: number | null;
  /** ticks that were lost silently: a fault */
  lost: number;
  replayed: number;
  doubled: number;
  /** one short sentence without a full stop: what the end and the tries looked like */
  note: string;
  /** ms since 1970 */
  at: number;
}

export interface Drill {
  action: DrillAction;
  /** on the button */
  label: string;
  /** what it does, a sentence */
  about: string;
}

// --- topics, claims, sentence ---------------------------------------------------------------------------------

/** Median ms to change topics; NaN where it could not be measured. */
export interface TopicTimes {
  /** command in the stream */
  command: number;
  /** POST beside the stream */
  post: number;
  /** a new stream with the new topics, to its first message after the hello */
  reconnect: { sse: number; ws: number };
  /** changes that each median is of */
  samples: number;
}

/** What was tried once at the start of a run, beside the two streams. */
export interface Probe {
  /** an SSE stream of one tick, read by plain fetch: no EventSource, no library; null when it failed */
  plain: { status: number; type: string; protocol: string; ticks: number; accelBuffering: string } | null;
  /** whether this browser's EventSource looks at an option `headers`; it ignores what it doesn't know */
  headers: boolean;
  /** whether the browser has them */
  has: { EventSource: boolean; WebSocket: boolean };
  /** lines that aren't blank or comment of the smallest pages' scripts; NaN when they could not be fetched */
  lines: { sse: number; ws: number };
}

/** What the claims are judged by. */
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
  /** what was measured here and now; '' before */
  measured: string;
  verdict: Verdict;
  /** what gives a verdict, while not measured, in the page's language; such as "Answer 503" */
  press: string;
  /** what `press` is: the label of a button, something to change, or to be waited for; '' with a verdict */
  by: 'button' | 'change' | 'wait' | '';
}

/** A piece of the sentence at the top. */
export interface Part {
  text: string;
  strong?: boolean;
  /** to be painted in this lane's colour */
  lane?: Lane;
}

export interface Sentence {
  /** waiting: too little data; void: a fault makes the figures worthless */
  state: 'waiting' | 'ready' | 'void';
  parts: Part[];
  /** what stands in small letters under it, to be joined by " · " */
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
  /** in English, without a full stop */
  text: string;
}

export interface ComparisonHandlers {
  /** four times a second while running, and after each change */
  update: () => void;
  drill: (rows: DrillRow[]) => void;
  event: (e: ComparisonEvent) => void;
}

export interface Side {
  readonly index: 0 | 1;
  readonly lane: Lane;
  readonly name: string;
  /** Tells that a tick was shown. @param i its seq @param time performance.now() or the frame's own time */
  painted(i: number, time: number): void;
  /** The newest seq that came and the tick, for showing it. */
  readonly newest: import('../../types.js').Quote | null;
}

export interface ComparisonOptions {
  /** its rate and background are not asked for before change() does */
  setup: Setup;
  /** boot.lab: whether the lab's API is there */
  lab?: boolean;
  /** boot.timed: due times are moments of now */
  timed?: boolean;
  /** everything that a Feed takes from its surroundings */
  platform?: Partial<import('../../types.js').FeedOptions>;
  /** visibility; the page's own when not given */
  document?: (EventTarget & { visibilityState: string }) | null;
  /** keeps the newest A/A result; sessionStorage when not given and allowed */
  storage?: Pick<Storage, 'getItem' | 'setItem'> | null;
  /** ms since 1970 at which performance.now() was 0 */
  timeOrigin?: number;
  /** performance.now()'s step, ms; measured when not given */
  resolution?: number;
  clock?: import('../../lane/clock.js').Clock;
}
