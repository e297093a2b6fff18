/** @import { Counters, Gap, Hello, Message, Quote, Snapshot } from '../types.js' */

/** Reports whether topics stand for every symbol of the log. @param {{ topics: string[], narrowed?: boolean }} m */
export const whole = ({ topics, narrowed }) => topics.includes('*') && !narrowed;

/** @returns {Counters} */
const zero = () => ({
  ticks: 0, messages: 0, bytes: 0, gaps: 0, missed: 0, lost: 0, doubled: 0, overlap: 0,
  replayed: 0, reconnects: 0, switches: 0, resets: 0, malformed: 0,
});

/**
 * Tracks the position of a feed across connections and counts lost and duplicate ticks. It knows no sockets and no time.
 *
 * A subscriber of "*" in mode `all` receives consecutive `i`; a subscriber of fewer topics, or of a "*" that the server has
 * narrowed, receives consecutive `n` for each symbol. `seen` is the newest seq received: nothing up to it is delivered again. `safe` is the seq to resume from.
 * They differ while a snapshot is due: a resume from a position after it would be complete for the server, so it would
 * send no snapshot, and the quotes of the snapshot would stay missing or stale.
 */
export class Sequence {
  /** @type {Counters} */
  counters = zero();
  /** Called for ticks that are missing without a gap message: how many, and the seq before which they are missing. @type {(ticks: number, at: number) => void} */
  onLost = () => {};

  #epoch = '';
  #seen = 0;
  #safe = -1; // −1: nothing to resume from
  #last = 0; // the newest tick of this connection
  #traded = 0; // the newest tick whose trade was delivered
  #overlapEnd = 0; // the last seq that both connections of a lane switch carry
  #replayEnd = 0; // ticks up to this seq are older than the connection
  #wildcard = false;
  #conflated = false; // missing ticks are expected
  #due = false; // a snapshot is expected that resets the position
  #added = false; // a snapshot of added topics is expected; the position stays until then
  /** @type {Gap | null} */
  #gap = null;
  /** @type {Map<string, number>} newest n of each symbol */
  #n = new Map();

  /** @param {string} [from] the position to start from @throws {RangeError} when it is malformed */
  constructor(from) {
    if (from === undefined) return;
    const match = /^([0-9a-f]{1,16})-(0|[1-9]\d{0,15})$/.exec(from);
    if (!match) throw new RangeError(`from: "${from}" is not a position such as 9f3c1a-482913`);
    this.#epoch = /** @type {string} */ (match[1]);
    this.#safe = this.#seen = Number(match[2]);
  }

  /** The position to resume from, "<epoch>-<seq>"; undefined before the first snapshot. @returns {string | undefined} */
  get position() {
    return this.#safe < 0 ? undefined : `${this.#epoch}-${this.#safe}`;
  }

  /** The newest seq that the stream has reached. */
  get seq() {
    return this.#seen;
  }

  /** Reports whether a gap, a reset or a new stream still waits for its snapshot. */
  get awaitsSnapshot() {
    return this.#due;
  }

  /**
   * Handles the hello of a connection.
   * @param {Hello} h
   * @param {string | undefined} requested the position that its URL requested
   */
  hello(h, requested) {
    if (this.#conflated || h.mode === 'latest') this.#n.clear();
    this.#wildcard = whole(h);
    this.#conflated = h.mode === 'latest';
    this.#due = this.#added = false;
    this.#gap = null;
    this.#replayEnd = this.#overlapEnd = 0;
    const start = requested === undefined ? 0 : Number(requested.slice(requested.indexOf('-') + 1));
    switch (h.resume) {
      case 'complete':
        // At a lane switch the other connection has delivered more since then: both carry those ticks.
        this.#overlapEnd = this.#safe > start ? this.#safe : 0;
        this.#seen = this.#safe = Math.max(this.#safe, start);
        this.#replayEnd = h.head;
        this.#last = start;
        break;
      case 'gap':
        // At a lane switch the snapshot may be older than what the other connection has delivered.
        this.#overlapEnd = this.#safe > start ? this.#safe : 0;
        this.#seen = Math.max(this.#safe, start);
        this.#last = 0;
        break;
      case 'reset':
        this.counters.resets++;
        this.#restart(h);
        break;
      default:
        this.#restart(h);
    }
    this.#epoch = h.epoch;
  }

  /** @param {Hello} h */
  #restart(h) {
    this.#seen = h.head;
    this.#safe = -1;
    this.#last = this.#traded = 0;
    this.#due = true;
    this.#n.clear();
  }

  /**
   * Counts a message other than hello.
   * @param {Message} m
   * @returns {{ deliver: boolean, replayed: boolean, gap: Gap | null }} deliver: the message is new; replayed: it is a
   *   tick older than this connection; gap: the gap that this snapshot completes, with the ticks that were in fact missed
   */
  take(m) {
    let deliver = true;
    let replayed = false;
    /** @type {Gap | null} */
    let gap = null;
    switch (m.T) {
      case 'q':
        deliver = this.#tick(m);
        replayed = deliver && m.i <= this.#replayEnd;
        if (replayed) this.counters.replayed++;
        break;
      case 'trade': // a connection that was cut before the trade's tick has sent the trade already
        deliver = m.i > this.#seen && m.i > this.#traded;
        if (deliver) this.#traded = m.i;
        break;
      case 'status':
        deliver = m.i === undefined || m.i > this.#seen;
        break;
      case 'snapshot':
        gap = this.#snapshot(m);
        break;
      case 'gap':
        this.#openGap(m);
        if (m.reason === 'conflated') this.#conflated = true;
        break;
      case 'hb':
        if (m.head !== undefined) this.#reach(m.head);
        break;
      case 'subscription':
        this.#added ||= m.snapshot === true;
        this.#reach(m.i);
        this.#wildcard = whole(m);
        break;
    }
    return { deliver, replayed, gap };
  }

  /** @param {Quote} q @returns {boolean} whether the tick is new */
  #tick(q) {
    if (q.i <= this.#last) {
      this.counters.doubled++;
      return false;
    }
    this.#last = q.i;
    const before = this.#n.get(q.S);
    if (q.i <= this.#seen) {
      if (before !== undefined && q.n > before) this.#n.set(q.S, q.n); // newer than the snapshot of this connection
      if (q.i <= this.#overlapEnd) this.counters.overlap++;
      else this.counters.doubled++;
      return false;
    }
    if (!this.#conflated && !this.#due) {
      if (this.#wildcard) this.#lose(q.i - this.#seen - 1, q.i);
      else if (before !== undefined) this.#lose(q.n - before - 1, q.i);
    }
    this.#n.set(q.S, q.n);
    this.#seen = q.i;
    this.#markResumable();
    this.counters.ticks++;
    return true;
  }

  /** @param {Snapshot} m @returns {Gap | null} */
  #snapshot(m) {
    const gap = this.#gap;
    if (this.#due) {
      if (gap) {
        if (this.#wildcard && !this.#conflated) this.#lose(m.i - gap.to, m.i);
        this.counters.gaps++;
        this.counters.missed += gap.missed;
      }
      this.#n.clear();
      this.#seen = gap ? Math.max(this.#seen, m.i) : m.i;
      this.#last = Math.max(this.#last, m.i);
      this.#due = this.#added = false;
      this.#markResumable();
      this.#gap = null;
      for (const q of m.quotes) this.#n.set(q.S, q.n);
      return gap;
    }
    this.#added = false;
    for (const q of m.quotes) if (q.n > (this.#n.get(q.S) ?? 0)) this.#n.set(q.S, q.n);
    this.#reach(m.i);
    return null;
  }

  /** Opens a gap, which its snapshot closes. @param {Gap} m */
  #openGap(m) {
    if (this.#wildcard && !this.#conflated) this.#lose(m.from - this.#seen - 1, m.from);
    const from = Math.max(m.from, this.#seen + 1);
    this.#gap = { ...m, from, missed: Math.max(0, m.to - from + 1) };
    this.#seen = Math.max(this.#seen, m.to);
    this.#due = true;
  }

  /** The server has sent everything subscribed to up to seq. @param {number} seq */
  #reach(seq) {
    if (seq > this.#seen) {
      if (this.#wildcard && !this.#conflated && !this.#due) this.#lose(seq - this.#seen, seq + 1);
      this.#seen = seq;
    }
    this.#markResumable();
  }

  /** Makes the newest seq the one to resume from, unless a snapshot is due. */
  #markResumable() {
    if (!this.#due && !this.#added) this.#safe = this.#seen;
  }

  /** @param {number} ticks @param {number} at the seq before which they are missing */
  #lose(ticks, at) {
    if (ticks <= 0) return;
    this.counters.lost += ticks;
    this.onLost(ticks, at);
  }
}
