/** @typedef {import('../types.js').Message} Message */
/** @typedef {import('../types.js').Hello} Hello */
/** @typedef {import('../types.js').Gap} Gap */
/** @typedef {import('../types.js').FeedEvent} FeedEvent */
/** @typedef {import('./sequence.js').Sequence} Sequence */

const SETTLE = 500; // ms; a resume of quiet topics that brought nothing in two of them, one after the other, counts as caught up

/**
 * Turns what happens to a feed into events with a time. A resume is told once it is proven: when the stream has come
 * to where the log stood at the hello, with the ticks that this brought and those that it lost.
 */
export class EventReporter {
  #sequence;
  #time;
  #emit;
  /** @type {{ code: string, args: Record<string, any>, until: number, replayed: number, lost: number, seq: number, idle: number } | null} */
  #resume = null;
  /** @type {any} */
  #timer = null;
  /** What the next snapshot stands for. @type {'snapshot' | 'reset' | 'added'} */
  #snapshot = 'snapshot';

  /**
   * @param {Sequence} sequence
   * @param {{ wall: () => number, setTimeout: (fn: () => void, ms: number) => any, clearTimeout: (id: any) => void }} time
   * @param {(e: FeedEvent) => void} emit
   */
  constructor(sequence, time, emit) {
    this.#sequence = sequence;
    this.#time = time;
    this.#emit = emit;
  }

  /** @param {FeedEvent['level']} level @param {string} code @param {Record<string, any>} [args] */
  tell(level, code, args = {}) {
    this.#emit({ t: this.#time.wall(), level, code, args });
  }

  /**
   * A connection began. `code` and `args` say what it ends, a switch or an outage; null for a first one.
   * @param {Hello} hello @param {string | null} code @param {Record<string, any>} [args]
   */
  hello(hello, code, args = {}) {
    this.stop();
    this.#snapshot = hello.resume === 'reset' ? 'reset' : hello.resume === 'complete' ? 'added' : 'snapshot';
    if (code === null) return;
    args.resume = hello.resume;
    const { replayed, lost } = this.#sequence.counters;
    this.#resume = { code, args, until: hello.resume === 'complete' ? hello.head : 0, replayed, lost, seq: this.#sequence.seq, idle: 0 };
    if (this.#sequence.seq >= this.#resume.until) this.#told();
    else if (!hello.topics.includes('*')) this.#settle(this.#resume); // of everything each seq comes, however late
  }

  /** A page that was held up runs its timers before it takes what came meanwhile, so one of them tells nothing. @param {{ seq: number, idle: number }} r */
  #settle(r) {
    this.#timer = this.#time.setTimeout(() => {
      const { seq } = this.#sequence;
      r.idle = r.seq === seq ? r.idle + 1 : 0;
      r.seq = seq;
      if (r.idle < 2) this.#settle(r);
      else this.#told();
    }, SETTLE);
  }

  /** A message was booked. @param {Message} m @param {Gap | null} gap that it completed */
  booked(m, gap) {
    if (this.#resume && (this.#sequence.seq >= this.#resume.until || m.T === 'hb')) this.#told();
    if (m.T !== 'snapshot') return;
    const symbols = m.quotes.length;
    if (gap) this.tell('warn', 'gap', { missed: gap.missed, reason: gap.reason, symbols });
    else this.tell(this.#snapshot === 'reset' ? 'warn' : 'info', this.#snapshot, { symbols, at: m.i });
    this.#snapshot = 'added';
  }

  /** Nothing more comes of the connection: a resume that isn't proven yet is never told. */
  stop() {
    this.#time.clearTimeout(this.#timer);
    this.#resume = null;
  }

  #told() {
    const r = this.#resume;
    if (!r) return;
    this.stop();
    const { replayed, lost } = this.#sequence.counters;
    Object.assign(r.args, { replayed: replayed - r.replayed, lost: lost - r.lost });
    this.tell(r.args.lost > 0 ? 'bad' : 'good', r.code, r.args);
  }
}
