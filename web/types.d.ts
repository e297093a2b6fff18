// The shapes that the browser code passes around. The first part is the wire contract, version 1: the same JSON on
// both lanes. Prices are dollars, sizes and volumes shares, `t`, `received` and `sent` µs since 1970 by the server's
// clock, `i` a seq of the log, `n` a seq of one symbol.

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
}

/** A quote of a snapshot: open, high, low of the UTC day and the close of the day before come with it. */
export interface DayQuote extends Quote {
  o: number;
  h: number;
  l: number;
  c: number;
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
}

export interface Snapshot {
  T: 'snapshot';
  i: number;
  quotes: DayQuote[];
}

export interface Gap {
  T: 'gap';
  from: number;
  to: number;
  missed: number;
  reason: 'expired' | 'lag' | 'conflated';
}

export interface Heartbeat {
  T: 'hb';
  t: number;
  head: number;
}

export interface Bye {
  T: 'bye';
  reason: 'limit' | 'duration' | 'shutdown' | 'slow' | 'overload';
  /** ms to stay away */
  retry?: number;
}

export interface Subscription {
  T: 'subscription';
  topics: string[];
  i: number;
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

export type Message = Quote | Hello | Snapshot | Gap | Heartbeat | Bye | Subscription | Time | Refusal;

/** What is known about a message beside its content. */
export interface Arrival {
  /** local ms since 1970, with fractions; Clock turns it into the server's time */
  received: number;
  /** of the message: bytes of protobuf, or characters of JSON text, which are bytes, since the wire is ASCII */
  bytes: number;
  /** a tick from before this connection was made, so its age says nothing about the lane */
  replayed: boolean;
  lane: Lane;
}

// --- the feed -------------------------------------------------------------------------------------------------

export type StateName = 'connecting' | 'live' | 'waiting' | 'offline' | 'ended' | 'closed';

export interface State {
  name: StateName;
  /** ms since 1970 */
  since: number;
  /** when the next try is due, ms since 1970; set in waiting and offline */
  retryAt?: number;
  /** failed tries in a row, 0 while live */
  attempt: number;
}

export interface Counters {
  ticks: number;
  messages: number;
  bytes: number;
  /** told by the server */
  gaps: number;
  /** ticks in those gaps, in seqs of the log */
  missed: number;
  /** ticks of holes that nobody told; anything but 0 is a fault */
  lost: number;
  /** ticks that came twice on one connection or again after a resume; dropped. Anything but 0 is a fault */
  doubled: number;
  /** ticks that both connections of a lane switch carried; dropped, as planned */
  overlap: number;
  /** ticks fetched after the fact by a resume */
  replayed: number;
  reconnects: number;
  switches: number;
  resets: number;
  /** messages that could not be read; dropped */
  malformed: number;
}

/** Something that happened to the feed. sentences.js turns it into English. */
export interface FeedEvent {
  /** ms since 1970 */
  t: number;
  level: 'info' | 'good' | 'warn' | 'bad';
  code: string;
  args: Record<string, any>;
}

/** What a lane offers to the feed; sse.js and ws.js make them. */
export interface Connector {
  readonly lane: Lane;
  /** Closes for good and silently: closed is not called. Calling it again does nothing. */
  close(): void;
  /**
   * Changes the topics of the open stream. Resolves with the server's answer; rejects with a CommandError when it
   * refuses or the connection ends first. `conn` is the secret that hello gave.
   */
  command(action: 'subscribe' | 'unsubscribe', topics: string[], conn: string): Promise<Subscription>;
}

export type Encoding = 'json' | 'protobuf';

export interface ConnectorHooks {
  /** a message as it came, text or bytes, in the order of the wire, and what reads it: once, with a MessageError for what can't be read */
  text(data: string | Uint8Array, read: () => Message | null, received?: number): void;
  /** the connection ended or never came up; called at most once, not after close() */
  closed(why: string, close?: Close): void;
}

/** What the browser tells of an end. */
export interface Close {
  /** WebSocket's close code; 1006 when there was no close frame */
  code?: number;
  /** an EventSource that will not reconnect by itself: the server answered with an error status, or 204 */
  gaveUp?: boolean;
}

/** A connection that ended without the feed's doing, or a try that failed. */
export interface End extends Close {
  lane: Lane;
  reason: string;
  /** whether it had said hello */
  opened: boolean;
}

/** What a feed listens to of its page. */
export interface Page {
  window: EventTarget;
  document: EventTarget & { visibilityState: string };
}

export interface FeedOptions {
  lane?: Lane;
  /** fall back to the other lane while this one is blocked */
  auto?: boolean;
  topics?: string[];
  mode?: Mode;
  user?: string;
  /** how large a change of topics may be in one command (the server's limits.message_size); larger ones are several */
  commandBytes?: number;
  /** least ms between the server's writes of ticks; its own default when not given */
  interval?: number;
  /** of WebSocket's messages; SSE is always JSON. Default json */
  encoding?: Encoding;
  /** further parameters of the subscription, such as the lab's */
  query?: Record<string, string>;
  /** a position to start from, as `position` gave it; the newest when not given */
  from?: string;
  /** scheme and host of the server, such as "http://localhost:3000"; the page's own when not given */
  origin?: string;
  /** whether to follow the page's pagehide, pageshow, online, offline and visibilitychange; default true */
  lifecycle?: boolean;
  /** the page to follow; null in a worker */
  page?: Page | null;
  /** connections shared with other tabs; the page's own when not given */
  share?: import('./lane/sharedConnections.js').SharedConnections | null;
  EventSource?: any;
  WebSocket?: any;
  fetch?: typeof fetch;
  /** local ms since 1970 with fractions, for stamping messages */
  now?: () => number;
  /** local ms since 1970 of the wall clock, which goes on while the machine sleeps; for silence and delays */
  wall?: () => number;
  setTimeout?: (fn: () => void, ms: number) => any;
  clearTimeout?: (id: any) => void;
  /** 0 ≤ x < 1 */
  random?: () => number;
}

export interface FeedHandlers {
  /** every message once, doubles dropped, in the order of the log */
  message: (m: Message, a: Arrival) => void;
  state: (s: State) => void;
  event: (e: FeedEvent) => void;
  closed: (e: End) => void;
}

// --- the store ------------------------------------------------------------------------------------------------

/** One symbol as the page shows it. Prices not known yet are NaN. */
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
  /** n and t of the oldest tick that is known, from which the symbol's pace is told */
  n0: number;
  t0: number;
  o: number;
  h: number;
  l: number;
  c: number;
  /** p − c, dollars */
  change: number;
  /** change in per cent of c */
  changePct: number;
  /** ap − bp, dollars */
  spread: number;
  /** direction of the newest change of last, bid and ask: 1, −1, or 0 before the first change */
  dir: number;
  bidDir: number;
  askDir: number;
  /** bits of Changed since the last drain */
  changed: number;
  /** local ms since 1970, as in Arrival */
  received: number;
  spark: { values(): number[]; readonly length: number };
}
