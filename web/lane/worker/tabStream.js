/** @typedef {import('../../types.js').Message} Message */
/** @typedef {import('./ring.js').Ring} Ring */

const BATCHES = 256; // not yet taken, above which a tab is left to catch up by itself
const DEAD = 60_000; // ms that a tab may leave a batch untaken

/**
 * Whether topics hold a symbol. One whose sector isn't known, as of a server that came back with others, is of every
 * sector: too much is seen, what is missing isn't.
 * @param {readonly string[]} topics @param {string} symbol @param {(symbol: string) => string | undefined} sector
 */
export function holds(topics, symbol, sector) {
  if (topics.includes('*') || topics.includes(symbol)) return true;
  const own = sector(symbol);
  return own === undefined ? topics.some((t) => t.startsWith('sector:')) : topics.includes(own);
}

/** One tab's stream as the shared connection sees it: where it stands in the ring, what it wants, what it has taken. */
export class TabStream {
  port;
  id;
  from;
  /** Granted. @type {string[]} */
  topics;
  /** A change that isn't granted yet. @type {{ topics: string[], added: string[], answer: number } | null} */
  change = null;
  /** Whether it has had its hello; before, and on a connection of its own that catches up, it takes nothing from the ring. */
  live = false;
  /** Its own connection while it fetches what the ring no longer holds. @type {import('../connection.js').Connection | null} */
  detour = null;
  /** Its place in the ring. */
  place = 0;
  /** Local ms of the newest message to it; not by the wall clock, which may be set. */
  saidAt = 0;
  /** Local ms at which each batch that it hasn't taken was sent. @type {number[]} */
  #sent = [];
  #now;
  #all = false;
  #skip = 0;

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
  grant(topics) {
    this.topics = topics;
    this.#all = topics.includes('*');
  }

  /** @param {number} n batches that it took */
  took(n) {
    this.#sent.splice(0, n);
  }

  /** Frozen, or gone without a word. */
  get dead() {
    const oldest = this.#sent[0];
    return oldest !== undefined && this.#now() - oldest > DEAD;
  }

  /** Sends what is new in the ring. @param {Ring} ring @param {(symbol: string) => string | undefined} sector @returns {boolean} false: the ring no longer has it */
  flush(ring, sector) {
    if (!this.live || this.#sent.length >= BATCHES) return this.place >= ring.begin;
    if (this.place < ring.begin) return false;
    /** @type {(string | Uint8Array)[]} */
    const data = [];
    /** @type {number[]} */
    const at = [];
    for (const end = ring.end; this.place < end; this.place++) {
      const e = ring.at(this.place);
      if (e.i <= this.#skip) continue; // had it before it came here
      if (!this.#all && !holds(this.topics, e.S, sector)) continue;
      data.push(e.data);
      at.push(e.at);
    }
    if (data.length > 0) this.relay(data, at);
    return true;
  }

  /** Goes on from the ring, behind a seq. @param {Ring} ring @param {number} seq */
  enter(ring, seq) {
    this.live = true;
    this.#skip = seq;
    this.place = ring.after(seq);
  }

  /** Whether it has all that the ring has. @param {Ring} ring */
  level(ring) {
    return this.live && this.place === ring.end;
  }

  /** @param {(string | Uint8Array)[]} data @param {number[]} at local ms of each one's arrival */
  relay(data, at) {
    this.saidAt = this.#now();
    this.#sent.push(this.saidAt);
    this.port.postMessage({ id: this.id, data, at, sent: this.saidAt });
  }

  /** @param {Message} m */
  say(m) {
    this.relay([JSON.stringify(m)], [this.#now()]);
  }

  /** @param {Record<string, any>} m beside the stream */
  tell(m) {
    this.port.postMessage({ id: this.id, ...m });
  }
}
