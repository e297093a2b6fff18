/** @import { Message } from '../../types.js' */
/** @import { Ring } from './ring.js' */

const BATCHES = 256; // unacknowledged batches above which a tab gets no more
const DEAD = 60_000; // ms that a batch may be unacknowledged

/**
 * Reports whether topics include a symbol. A symbol of unknown sector, for example after a restart with other symbols,
 * counts as in every sector: a tab drops ticks that it does not need.
 * @param {readonly string[]} topics @param {string} symbol @param {(symbol: string) => string | undefined} sector
 */
export function includes(topics, symbol, sector) {
  if (topics.includes('*') || topics.includes(symbol)) return true;
  const own = sector(symbol);
  return own === undefined ? topics.some((t) => t.startsWith('sector:')) : topics.includes(own);
}

/** One tab's stream in the worker: its place in the ring, its topics, and the batches that it has not acknowledged. */
export class TabStream {
  port;
  id;
  /** The position that the tab requested. */
  from;
  /** Those that are in force. @type {string[]} */
  topics;
  /** A change that is not in force yet. @type {{ topics: string[], added: string[], answer: number } | null} */
  change = null;
  /** Whether it has had its hello and takes its ticks from the ring. */
  live = false;
  /** A connection that fetches what the ring no longer holds. @type {import('../connection.js').Connection | null} */
  temporary = null;
  /** Its place in the ring. */
  place = 0;
  /** Local ms of the newest message to it, by a clock that cannot be set. */
  sentAt = 0;
  /** Local ms at which each unacknowledged batch was sent. @type {number[]} */
  #unacknowledged = [];
  #now;
  #all = false;
  #skip = 0; // the seq up to which it has everything

  /**
   * @param {{ postMessage: (m: any) => void }} port @param {number} id @param {string[]} topics @param {string | undefined} from
   * @param {{ now: () => number }} time
   */
  constructor(port, id, topics, from, { now }) {
    this.port = port;
    this.id = id;
    this.from = from;
    this.#now = now;
    this.topics = topics;
    this.#all = topics.includes('*');
  }

  /** @param {string[]} topics */
  setTopics(topics) {
    this.topics = topics;
    this.#all = topics.includes('*');
  }

  /** @param {number} n batches */
  acknowledge(n) {
    this.#unacknowledged.splice(0, n);
  }

  /** Reports whether the tab is frozen or closed without notice. */
  get dead() {
    const oldest = this.#unacknowledged[0];
    return oldest !== undefined && this.#now() - oldest > DEAD;
  }

  /** Sends what is new in the ring. @param {Ring} ring @param {(symbol: string) => string | undefined} sector @returns {boolean} false when the ring no longer has it */
  flush(ring, sector) {
    if (!this.live || this.#unacknowledged.length >= BATCHES) return this.place >= ring.begin;
    if (this.place < ring.begin) return false;
    /** @type {(string | Uint8Array)[]} */
    const data = [];
    /** @type {number[]} */
    const at = [];
    for (const end = ring.end; this.place < end; this.place++) {
      const e = ring.at(this.place);
      if (e.i <= this.#skip) continue;
      if (!this.#all && !includes(this.topics, e.S, sector)) continue;
      if (e.before) for (const d of e.before) {
        data.push(d);
        at.push(e.at);
      }
      data.push(e.data);
      at.push(e.at);
    }
    if (data.length > 0) this.relay(data, at);
    return true;
  }

  /** Continues from the ring, after a seq. @param {Ring} ring @param {number} seq */
  begin(ring, seq) {
    this.live = true;
    this.#skip = seq;
    this.place = ring.after(seq);
  }

  /** Reports whether it has everything in the ring. @param {Ring} ring */
  caughtUp(ring) {
    return this.live && this.place === ring.end;
  }

  /** Sends messages as they arrived. @param {(string | Uint8Array)[]} data @param {number[]} at local ms of each one's arrival */
  relay(data, at) {
    this.sentAt = this.#now();
    this.#unacknowledged.push(this.sentAt);
    this.port.postMessage({ id: this.id, data, at, sent: this.sentAt });
  }

  /** Sends a message of the stream. @param {Message} m */
  send(m) {
    this.relay([JSON.stringify(m)], [this.#now()]);
  }

  /** Sends a control message beside the stream. @param {Record<string, any>} m */
  control(m) {
    this.port.postMessage({ id: this.id, ...m });
  }
}
