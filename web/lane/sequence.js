/** @typedef {import('../types.js').Message} Message */
/** @typedef {import('../types.js').Hello} Hello */
/** @typedef {import('../types.js').Quote} Quote */
/** @typedef {import('../types.js').Gap} Gap */
/** @typedef {import('../types.js').Snapshot} Snapshot */
/** @typedef {import('../types.js').Counters} Counters */

/** @returns {Counters} */
const zero = () => ({
  ticks: 0, messages: 0, bytes: 0, gaps: 0, missed: 0, lost: 0, doubled: 0, overlap: 0,
  replayed: 0, reconnects: 0, switches: 0, resets: 0, malformed: 0,
});

/**
 * Keeps the position and proves it: every tick is looked at once, and each hole or double is counted. No sockets, no
 * time; the feed tells it what comes.
 *
 * A subscriber of "*" in mode `all` gets consecutive `i`; one of fewer topics gets consecutive `n` for each symbol.
 * Two marks are kept. `seen` is how far the stream has come, so what must not be delivered again; `safe` is from where
 * to resume. They part after a gap until its snapshot is here: a resume from the gap's end would be complete in the
 * server's eyes and bring no snapshot, and the quotes missed would stay old.
 */
export class Sequence {
  /** @type {Counters} */
  counters = zero();
  /** Firing of each unannounced hole: how many ticks, and the seq before which. @type {(ticks: number, at: number) => void} */
  onLost = () => {};

  #epoch = '';
  #seen = 0;
  #safe = -1; // −1: there is nothing to resume from
  #last = 0; // the newest tick of this connection
  #overlapEnd = 0; // what two connections carry at a lane switch ends here
  #replayEnd = 0; // ticks up to here are from before this connection
  #wildcard = false;
  #conflated = false; // holes are what was asked for
  #due = false; // a snapshot is due, and sets the base anew
  #added = false; // a snapshot of added topics is due
  /** @type {Gap | null} */
  #gap = null;
  /** @type {Map<string, number>} newest n of each symbol */
  #n = new Map();

  /** @param {string} [from] a position to start from @throws {RangeError} when it isn't one */
  constructor(from) {
    if (from === undefined) return;
    const match = /^([0-9a-f]{1,16})-(0|[1-9]\d{0,15})$/.exec(from);
    if (!match) throw new RangeError(`from: "${from}" is not a position such as 9f3c1a-482913`);
    this.#epoch = /** @type {string} */ (match[1]);
    this.#safe = this.#seen = Number(match[2]);
  }

  /** From where to resume: "<epoch>-<seq>", undefined before the first snapshot. @returns {string | undefined} */
  get position() {
    return this.#safe < 0 ? undefined : `${this.#epoch}-${this.#safe}`;
  }

  /** The newest seq that the stream has come to. */
  get seq() {
    return this.#seen;
  }

  /** True while a gap, a reset or a fresh start waits for its snapshot. */
  get unsettled() {
    return this.#due;
  }

  /** The next snapshot brings added topics. @param {boolean} due */
  expectAdded(due) {
    this.#added = due;
  }

  /**
   * Begins a connection.
   * @param {Hello} h
   * @param {string | undefined} requested the position that its URL asked for
   */
  hello(h, requested) {
    if (this.#conflated || h.mode === 'latest') this.#n.clear();
    this.#wildcard = h.topics.includes('*');
    this.#conflated = h.mode === 'latest';
    this.#due = this.#added = false;
    this.#gap = null;
    this.#replayEnd = this.#overlapEnd = 0;
    const start = requested === undefined ? 0 : Number(requested.slice(requested.indexOf('-') + 1));
    switch (h.resume) {
      case 'complete':
        // At a lane switch the other connection has delivered more since: that much comes by both.
        this.#overlapEnd = this.#safe > start ? this.#safe : 0;
        this.#seen = this.#safe = Math.max(this.#safe, start);
        this.#replayEnd = h.head;
        this.#last = start;
        break;
      case 'gap':
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
    this.#last = 0;
    this.#due = true;
    this.#n.clear();
  }

  /**
   * Books a message other than hello.
   * @param {Message} m
   * @returns {{ deliver: boolean, replayed: boolean, gap: Gap | null }} whether it is new; whether it is a tick from
   *   before this connection; a gap that is complete now, with what of it was really missed
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
      case 'snapshot':
        gap = this.#snapshot(m);
        break;
      case 'gap':
        this.#open(m);
        if (m.reason === 'conflated') this.#conflated = true;
        break;
      case 'hb':
        this.#reach(m.head);
        break;
      case 'subscription':
        this.#reach(m.i);
        this.#wildcard = m.topics.includes('*');
        break;
    }
    return { deliver, replayed, gap };
  }

  /** @param {Quote} q @returns {boolean} whether it is new */
  #tick(q) {
    if (q.i <= this.#last) {
      this.counters.doubled++;
      return false;
    }
    this.#last = q.i;
    if (q.i <= this.#seen) {
      if (q.i <= this.#overlapEnd) this.counters.overlap++;
      else this.counters.doubled++;
      return false;
    }
    const before = this.#n.get(q.S);
    if (!this.#conflated && !this.#due) {
      if (this.#wildcard) this.#lose(q.i - this.#seen - 1, q.i);
      else if (before !== undefined) this.#lose(q.n - before - 1, q.i);
    }
    this.#n.set(q.S, q.n);
    this.#seen = q.i;
    if (!this.#due) this.#safe = q.i;
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
      this.#safe = this.#seen;
      this.#due = this.#added = false;
      this.#gap = null;
      for (const q of m.quotes) this.#n.set(q.S, q.n);
      return gap;
    }
    const fresh = this.#added || this.#conflated;
    this.#added = false;
    for (const q of m.quotes) {
      const before = this.#n.get(q.S);
      // Not due, so it may show nothing that the ticks haven't: a jump is a loss.
      if (!fresh && !this.#wildcard && before !== undefined) this.#lose(q.n - before, m.i);
      if (before === undefined || q.n > before) this.#n.set(q.S, q.n);
    }
    this.#reach(m.i);
    return null;
  }

  /** Opens a gap; its snapshot closes it. @param {Gap} m */
  #open(m) {
    if (this.#wildcard && !this.#conflated) this.#lose(m.from - this.#seen - 1, m.from);
    const from = Math.max(m.from, this.#seen + 1);
    this.#gap = { ...m, from, missed: Math.max(0, m.to - from + 1) };
    this.#seen = Math.max(this.#seen, m.to);
    this.#due = true;
  }

  /** The server says that everything asked for up to seq has been sent. @param {number} seq */
  #reach(seq) {
    if (seq <= this.#seen) return;
    if (this.#wildcard && !this.#conflated && !this.#due) this.#lose(seq - this.#seen, seq + 1);
    this.#seen = seq;
    if (!this.#due) this.#safe = seq;
  }

  /** @param {number} ticks @param {number} at seq before which they are missing */
  #lose(ticks, at) {
    if (ticks <= 0) return;
    this.counters.lost += ticks;
    this.onLost(ticks, at);
  }
}
