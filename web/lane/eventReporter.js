import { whole } from './sequence.js';

/** @import { FeedEvent, Gap, Hello, Message, Timers } from '../types.js' */
/** @import { Sequence } from './sequence.js' */

const IDLE = 500; // ms; a resume of quiet topics counts as caught up after two such intervals without a new seq

/**
 * Reports what happens to a feed as events with a time. A resume is reported when the stream has reached the log's head at
 * the hello, with the ticks that were replayed and lost on the way.
 */
export class EventReporter {
  #sequence;
  #time;
  #emit;
  /** @type {{ code: string, args: Record<string, any>, until: number, replayed: number, lost: number, seq: number, idle: number } | null} */
  #resume = null;
  /** @type {any} */
  #timer = null;
  /** The event that the next snapshot is reported as. @type {'snapshot' | 'reset' | 'added'} */
  #snapshot = 'snapshot';

  /**
   * @param {Sequence} sequence
   * @param {Timers & { wall: () => number }} time
   * @param {(e: FeedEvent) => void} emit
   */
  constructor(sequence, time, emit) {
    this.#sequence = sequence;
    this.#time = time;
    this.#emit = emit;
  }

  /** @param {FeedEvent['level']} level @param {string} code @param {Record<string, any>} [args] */
  report(level, code, args = {}) {
    this.#emit({ t: this.#time.wall(), level, code, args });
  }

  /**
   * Handles the hello of a connection.
   * @param {Hello} hello @param {string | null} code of the event to report after the resume: a switch or a reconnect; null for a first connection
   * @param {Record<string, any>} [args] of that event
   */
  hello(hello, code, args = {}) {
    this.stop();
    this.#snapshot = hello.resume === 'reset' ? 'reset' : hello.resume === 'complete' ? 'added' : 'snapshot';
    if (code === null) return;
    args.resume = hello.resume;
    const { replayed, lost } = this.#sequence.counters;
    this.#resume = { code, args, until: hello.resume === 'complete' ? hello.head : 0, replayed, lost, seq: this.#sequence.seq, idle: 0 };
    if (this.#sequence.seq >= this.#resume.until) this.#resumed();
    else if (!whole(hello)) this.#awaitIdle(this.#resume); // a stream of all topics reaches every seq
  }

  /** Needs two idle intervals: a page that was suspended runs its timers before it handles queued messages. @param {{ seq: number, idle: number }} r */
  #awaitIdle(r) {
    this.#timer = this.#time.setTimeout(() => {
      const { seq } = this.#sequence;
      r.idle = r.seq === seq ? r.idle + 1 : 0;
      r.seq = seq;
      if (r.idle < 2) this.#awaitIdle(r);
      else this.#resumed();
    }, IDLE);
  }

  /** Handles a message that the sequence has counted. @param {Message} m @param {Gap | null} gap that it completed */
  message(m, gap) {
    if (this.#resume && (this.#sequence.seq >= this.#resume.until || m.T === 'hb')) this.#resumed();
    if (m.T !== 'snapshot') return;
    const symbols = m.quotes.length;
    if (gap) this.report('warn', 'gap', { missed: gap.missed, reason: gap.reason, symbols });
    else this.report(this.#snapshot === 'reset' ? 'warn' : 'info', this.#snapshot, { symbols, at: m.i });
    this.#snapshot = 'added';
  }

  /** Discards a resume that has not been reported yet: its connection ended. */
  stop() {
    this.#time.clearTimeout(this.#timer);
    this.#resume = null;
  }

  #resumed() {
    const r = this.#resume;
    if (!r) return;
    this.stop();
    const { replayed, lost } = this.#sequence.counters;
    Object.assign(r.args, { replayed: replayed - r.replayed, lost: lost - r.lost });
    this.report(r.args.lost > 0 ? 'bad' : 'good', r.code, r.args);
  }
}
