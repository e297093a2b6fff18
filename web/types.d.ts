// Types of the browser code. The first part is the protocol, version 1, with the same JSON on both lanes. Prices have
// the decimals of their instrument, sizes and volumes its size decimals (web/model/instruments.js); `t`, `received` and `sent` are µs since 1970 by the server's clock, `i` is a seq of
// the log, `n` a seq of one symbol.

export type Lane = 'sse' | 'ws';
export type Mode = 'all' | 'latest';

export interface Quote {
  T: 'q';
  S: string;
  bp: number;
  bs: number;
  ap: number;
  as: number;
  p: number;
  v: number;
  t: number;
  n: number;
  i: number;
  /** when the server received the tick, of a feed that sends them to it */
  r?: number;
}

/** A quote of a snapshot, with the open, high and low of the instrument's day and the previous close. */
export interface DayQuote extends Quote {
  o: number;
  h: number;
  l: number;
  c: number;
  /** of prices and of sizes; only in a snapshot that the worker made */
  decimals?: number;
  size_decimals?: number;
  /** halted: trading is; else missing */
  status?: string;
}

export interface Hello {
  T: 'hello';
  conn: string;
  lane: Lane;
  engine: string;
  epoch: string;
  head: number;
  oldest: number;
  resume: 'none' | 'complete' | 'gap' | 'reset';
  mode: Mode;
  topics: string[];
  /** ms without a message after which the server sends a heartbeat */
  hb: number;
  t: number;
  /** a snapshot follows, which has the first position */
  snapshot?: boolean;
  /** when the rights that the stream was opened with end, µs since 1970; missing when they don't */
  expires?: number;
  /** ms that the stream is behind the feed; missing when it isn't */
  delay?: number;
  /** "*" stands for the topics that may be read, which aren't all */
  narrowed?: boolean;
}

export interface Snapshot {
  T: 'snapshot';
  i: number;
  /** from 1, of a snapshot in several messages; a feed joins them */
  part?: number;
  parts?: number;
  quotes: DayQuote[];
}

export interface Gap {
  T: 'gap';
  from: number;
  to: number;
  missed: number;
  reason: 'expired' | 'lag' | 'conflated';
  /** a snapshot follows, which has the next position */
  snapshot?: boolean;
}

export interface Heartbeat {
  T: 'hb';
  t: number;
  /** missing while a snapshot is due */
  head?: number;
}

export interface Bye {
  T: 'bye';
  reason: 'limit' | 'duration' | 'shutdown' | 'slow' | 'overload' | 'expired' | 'revoked' | 'unauthorized';
  /** ms before which a client must not reconnect */
  retry?: number;
}

export interface Subscription {
  T: 'subscription';
  topics: string[];
  i: number;
  id?: number;
  /** a snapshot of the added topics follows, which has the next position */
  snapshot?: boolean;
  /** as in the hello */
  narrowed?: boolean;
}

/** A report about the rights of the stream: they end soon, or end later than before. */
export interface Auth {
  T: 'auth';
  /** expiring or renewed. Newer servers may have others */
  status: string;
  /** µs since 1970; missing when they don't end */
  expires?: number;
  id?: number;
}

export interface Time {
  T: 'time';
  id?: number;
  received: number;
  sent: number;
}

export interface Refusal {
  T: 'error';
  code: string;
  msg: string;
  id?: number;
}

/** A report about the feed, or with the channel status about a symbol; it is no position. */
export interface Status {
  T: 'status';
  /**
   * stale: no tick since `since`; live: ticks come again; symbols: there are more symbols than before. Of a symbol trading, halted or
   * another word of the feed. Newer servers may have others
   */
  status: string;
  since?: number;
  symbols?: number;
  t: number;
  S?: string;
  reason?: string;
  n?: number;
  i?: number;
}

/** A trade of the feed, with the channel trades, right before the quote with the same i; it is no position. */
export interface TradeReport {
  T: 'trade';
  S: string;
  p: number;
  /** 0 if the feed doesn't say */
  s: number;
  /** the feed's */
  id?: string;
  /** conditions, as the feed gives them */
  c?: string[];
  /** venue */
  x?: string;
  /** id of an earlier trade that this one replaces */
  corrects?: string;
  /** id of an earlier trade that is void */
  cancels?: string;
  t: number;
  n: number;
  i: number;
}

export type Message = Quote | Hello | Snapshot | Gap | Heartbeat | Bye | Subscription | Auth | Status | TradeReport | Time | Refusal;

/** How a message arrived. */
export interface Arrival {
  /** local ms since 1970, with fractions; Clock converts it to the server's time */
  received: number;
  /** of the message: bytes of protobuf, or characters of JSON, which is ASCII */
  bytes: number;
  /** a tick older than the connection, so its age is not the lane's latency */
  replayed: boolean;
  lane: Lane;
}

// --- the feed -------------------------------------------------------------------------------------------------

/** denied: the server takes no stream from this user; start() tries again */
export type StateName = 'connecting' | 'live' | 'waiting' | 'offline' | 'ended' | 'denied' | 'closed';

export interface State {
  name: StateName;
  /** ms since 1970 */
  since: number;
  /** ms since 1970 of the next try; set in waiting and offline */
  retryAt?: number;
  /** failed tries in a row, 0 while live and after an answer of the server that has a time to reconnect */
  attempt: number;
  /** why the last connection ended or was not opened; not while live */
  reason?: string;
}

export interface Counters {
  ticks: number;
  messages: number;
  bytes: number;
  /** reported by the server */
  gaps: number;
  /** seqs of the log in those gaps */
  missed: number;
  /** ticks missing without a gap; anything but 0 is an error */
  lost: number;
  /** duplicate ticks on one connection or after a resume, which are dropped; anything but 0 is an error */
  doubled: number;
  /** ticks that both connections of a lane switch carried; one copy is dropped */
  overlap: number;
  /** ticks replayed by a resume */
  replayed: number;
  reconnects: number;
  switches: number;
  resets: number;
  /** messages that could not be read, which are dropped */
  malformed: number;
}

/** An event of a feed. sentences.js describes it in the page's language. */
export interface FeedEvent {
  /** ms since 1970 */
  t: number;
  level: 'info' | 'good' | 'warn' | 'bad';
  code: string;
  args: Record<string, any>;
}

/** A lane's connection, created by sse.js, ws.js or sharedConnections.js. */
export interface Connector {
  readonly lane: Lane;
  /** Closes it without calling closed. Further calls do nothing. */
  close(): void;
  /**
   * Changes the topics of the open stream. Resolves with the server's answer; rejects with a CommandError when it
   * refuses or the connection ends first. `conn` is the secret id of the hello.
   */
  command(action: 'subscribe' | 'unsubscribe', topics: string[], conn: string): Promise<Subscription>;
  /** Gives the open stream the rights of the browser's present session. Resolves in any case: a stream that keeps its old rights ends with them. */
  renew(conn: string): Promise<void>;
}

export type Encoding = 'json' | 'protobuf';

export interface ConnectorHooks {
  /** called with each message in order, text or bytes, and a function that parses it, to be called once; it throws a MessageError */
  text(data: string | Uint8Array, read: () => Message | null, received?: number): void;
  /** called when the connection ended or failed, at most once and not after close() */
  closed(why: string, close?: Close): void;
}

/** The browser's details of an end. */
export interface Close {
  /** WebSocket's close code; 1006 when there was no close frame */
  code?: number;
  /** the EventSource does not reconnect: the server answered with an error status, or 204 */
  gaveUp?: boolean;
  /** ms before which the server asked not to reconnect */
  retry?: number;
}

/** A connection that ended, or a try that failed, except by the feed. */
export interface End extends Close {
  lane: Lane;
  reason: string;
  /** whether its hello had arrived */
  opened: boolean;
}

/** What a feed listens to of its page. */
export interface Page {
  window: EventTarget;
  document: EventTarget & { visibilityState: string };
}

export interface Timers {
  setTimeout: (fn: () => void, ms: number) => any;
  clearTimeout: (id: any) => void;
}

export interface FeedOptions extends Partial<Timers> {
  lane?: Lane;
  /** fall back to the other lane while this one is blocked */
  auto?: boolean;
  topics?: string[];
  mode?: Mode;
  user?: string;
  /** bytes that one command may have (the server's limits.message_size); a larger change is sent as several */
  commandBytes?: number;
  /** least ms between the server's writes of ticks; the server's default when not given */
  interval?: number;
  /** of WebSocket messages; SSE is always JSON. Default json */
  encoding?: Encoding;
  /** further query parameters of the subscription */
  query?: Record<string, string>;
  /** the position to start from; the newest when not given */
  from?: string;
  /** scheme and host of the server, such as "http://localhost:3000"; the page's own when not given */
  origin?: string;
  /** whether to follow the page's pagehide, pageshow, online, offline and visibilitychange; default true */
  lifecycle?: boolean;
  /** the page to follow; null in a worker */
  page?: Page | null;
  /** the connections shared with other tabs; a separate one when not given */
  share?: import('./lane/sharedConnections.js').SharedConnections | null;
  EventSource?: any;
  WebSocket?: any;
  fetch?: typeof fetch;
  /** local ms since 1970 with fractions, for the time of messages */
  now?: () => number;
  /** local ms since 1970 of the wall clock, which continues during a sleep; for timeouts and delays */
  wall?: () => number;
  /** 0 ≤ x < 1 */
  random?: () => number;
}

export interface FeedHandlers {
  /** each message once, in the order of the log */
  message: (m: Message, a: Arrival) => void;
  state: (s: State) => void;
  event: (e: FeedEvent) => void;
  closed: (e: End) => void;
}

/** The session of the browser's user. */
export interface SessionState {
  /** unknown: not read yet; over: it has ended; none: the server has no sessions */
  name: 'unknown' | 'valid' | 'over' | 'none';
  subject: string;
  /** wall ms; null when it doesn't end */
  ends: number | null;
  /** it can't be renewed */
  final: boolean;
  /** how often its end has moved; open streams need their rights renewed each time */
  renewals: number;
}

// --- the store ------------------------------------------------------------------------------------------------

/** The quote of a symbol. Unknown prices are NaN. */
export interface SymbolRecord {
  S: string;
  bp: number;
  bs: number;
  ap: number;
  as: number;
  p: number;
  v: number;
  t: number;
  n: number;
  i: number;
  /** n and t of the oldest known tick, for the symbol's mean interval */
  n0: number;
  t0: number;
  o: number;
  h: number;
  l: number;
  c: number;
  /** p − c */
  change: number;
  /** change as a percentage of |c|; NaN when that is 0 */
  changePct: number;
  /** ap − bp */
  spread: number;
  /** direction of the newest change of last, bid and ask: 1, −1, or 0 before the first change */
  dir: number;
  bidDir: number;
  askDir: number;
  /** the reason, maybe empty, for which trading is halted; undefined while it isn't */
  halted?: string | undefined;
  /** bits of Changed since the last drain */
  changed: number;
  /** local ms since 1970, as in Arrival */
  received: number;
  spark: { values(): number[]; readonly length: number };
}
