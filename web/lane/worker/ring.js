/**
 * @typedef {object} Entry
 * @property {number} i the tick's seq
 * @property {string} S
 * @property {string | Uint8Array} data as it arrived
 * @property {number} at local ms of its arrival
 * @property {(string | Uint8Array)[]} [before] the messages of its tick that arrived before it
 */

/** The newest ticks of a shared connection, as they arrived. A place is absolute: it stays the same when old entries are dropped. */
export class Ring {
  /** @type {Entry[]} */
  #entries = [];
  #start = 0; // the place of #entries[0]
  #first = 0; // the place of the oldest valid entry
  #most;
  /** The ring holds every tick of the connection above this seq. */
  from = 0;

  /** @param {number} most entries */
  constructor(most) {
    this.#most = most;
  }

  /** The place of the oldest entry. */
  get begin() {
    return this.#first;
  }

  /** The place of the next entry. */
  get end() {
    return this.#start + this.#entries.length;
  }

  /** Drops all entries; those pushed from now on are complete after `seq`. @param {number} seq */
  restart(seq) {
    this.#start = this.#first = this.end;
    this.#entries = [];
    this.from = seq;
  }

  /** @param {Entry} e */
  push(e) {
    this.#entries.push(e);
    if (this.end - this.#first <= this.#most) return;
    this.from = this.at(this.#first++).i;
    if (this.#first - this.#start < this.#most) return;
    this.#entries = this.#entries.slice(this.#first - this.#start); // once every #most ticks
    this.#start = this.#first;
  }

  /** @param {number} place @returns {Entry} */
  at(place) {
    return /** @type {Entry} */ (this.#entries[place - this.#start]);
  }

  /** The place of the first tick above a seq. @param {number} seq */
  after(seq) {
    let low = this.#first;
    let high = this.end;
    while (low < high) {
      const mid = (low + high) >>> 1;
      if (this.at(mid).i > seq) high = mid;
      else low = mid + 1;
    }
    return low;
  }
}
