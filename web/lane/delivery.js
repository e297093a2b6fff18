import { EventReporter } from './eventReporter.js';
import { Sequence } from './sequence.js';

/** @import { Bye, Hello, Lane, Message, Timers } from '../types.js' */
/** @import { Connection } from './connection.js' */
/** @typedef {import('./emitter.js').Emitter<import('../types.js').FeedHandlers>} Emitter */
/** @typedef {{ received: number, bytes: number }} Size received in local ms; bytes of the message */

/** Delivers a feed's messages: reads and counts them, tracks the position, and emits each once, with events for what happened. */
export class Delivery {
  sequence;
  events;
  #emitter;
  #wall;
  /** Wall ms at which the last connection was lost; 0 when none was. */
  lostAt = 0;
  /** Wall ms at which the last lane switch began. */
  switchedAt = 0;

  /**
   * @param {string | undefined} from the position to start from
   * @param {Timers & { wall: () => number }} time
   * @param {Emitter} emitter
   */
  constructor(from, time, emitter) {
    this.#wall = time.wall;
    this.#emitter = emitter;
    this.sequence = new Sequence(from);
    this.events = new EventReporter(this.sequence, time, (e) => emitter.emit('event', e));
    this.sequence.onLost = (ticks, at) => this.events.report('bad', 'lost', { ticks, at });
  }

  /** Reads a message; one that can't be read is counted, reported and dropped. @param {string | Uint8Array} data @param {() => Message | null} read @returns {Message | null} */
  read(data, read) {
    const { counters } = this.sequence;
    counters.messages++;
    counters.bytes += data.length;
    try {
      return read();
    } catch (err) {
      counters.malformed++;
      this.events.report('bad', 'malformed', { reason: /** @type {Error} */ (err).message });
      return null;
    }
  }

  /** Emits a message that has no place in the log. @param {Connection} connection @param {Hello | Bye} m @param {Size} size */
  emit(connection, m, size) {
    this.#emitter.emit('message', m, { ...size, replayed: false, lane: connection.lane });
  }

  /** Counts what a hello ended, a lane switch or an outage, and reports it. @param {Hello} hello @param {Lane} lane @param {Lane | null} from the lane switched from @param {number} at its seq */
  connected(hello, lane, from, at) {
    const { counters } = this.sequence;
    const seconds = (/** @type {number} */ since) => (this.#wall() - since) / 1000;
    if (from !== null) {
      counters.switches++;
      this.events.hello(hello, 'switched', { from, to: lane, at, seconds: seconds(this.switchedAt) });
    } else if (this.lostAt > 0) {
      counters.reconnects++;
      this.events.hello(hello, 'reconnected', { lane, seconds: seconds(this.lostAt) });
    } else {
      this.events.hello(hello, null);
    }
    this.lostAt = 0;
  }

  /** Emits a message unless it is a duplicate. @param {Connection} connection @param {Exclude<Message, Hello | Bye>} m @param {Size} size */
  take(connection, m, size) {
    const { deliver, replayed, gap } = this.sequence.take(m);
    if (deliver) this.#emitter.emit('message', m, { ...size, replayed, lane: connection.lane });
    if (!connection.over) this.events.message(m, gap); // else a handler stopped the feed
  }
}
