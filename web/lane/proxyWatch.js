/** @import { Arrival, End, Message } from '../types.js' */
/** @typedef {'silent' | 'bursts' | 'websocket' | 'cuts'} Symptom silent: a stream opens, but nothing arrives; bursts: ticks arrive together that were due one after another; websocket: it can't be opened; cuts: streams end after the same time */

const PAUSE = 120; // ms without a message that end a burst
const SPREAD = 120_000; // µs between the due times of a burst's first and last tick from which it is one
const BURSTS = 3; // in a row
const HELD = 6_000_000; // µs that they spread over in all
const TRIES = 2; // streams in a row that didn't open
const CUTS = 3; // streams in a row that lived equally long
const EQUAL = 0.05; // of their time
const SHORTEST = 5_000; // ms of such a time: a server or a network that fails ends streams sooner

/**
 * Finds symptoms of a wrongly configured proxy in the messages of a page and the ends of its streams. A symptom is no proof:
 * diagnosis.js finds the fault by separate requests.
 */
export class ProxyWatch {
  #suspect;
  #now;
  #at = 0; // ms, the newest message
  /** The burst that is arriving: the due times of its ticks, µs, the ms that it has taken, and the pause before it; null before the first pause. @type {{ from: number, to: number, took: number, pause: number } | null} */
  #burst = null;
  #bursts = 0;
  #held = 0;
  #failed = { sse: 0, ws: 0 };
  #openedAt = 0;
  /** @type {number[]} ms that the newest streams lived */
  #lives = [];

  /** @param {(symptom: Symptom) => void} suspect called again while the symptom stays @param {() => number} [now] ms */
  constructor(suspect, now = () => performance.now()) {
    this.#suspect = suspect;
    this.#now = now;
  }

  /** @param {Message} m @param {Arrival} a */
  take(m, a) {
    if (m.T === 'hello') {
      this.#failed[a.lane] = 0;
      this.#openedAt = this.#now();
      this.#begin();
    }
    if (m.T !== 'q' || a.lane !== 'sse') return;
    const pause = a.received - this.#at;
    this.#at = a.received;
    if (a.replayed) this.#begin();
    else if (pause >= PAUSE) {
      this.#end();
      this.#burst = { from: m.t, to: m.t, took: 0, pause };
    } else if (this.#burst) {
      this.#burst.to = m.t;
      this.#burst.took += pause;
    }
  }

  #begin() {
    this.#burst = null;
    this.#bursts = this.#held = 0;
  }

  /** Handles the end of a burst. It was held back if its ticks were due while nothing arrived, and arrived together. */
  #end() {
    if (!this.#burst) return;
    const { from, to, took, pause } = this.#burst;
    const spread = to - from;
    if (spread < SPREAD) return; // a few ticks: no evidence
    if (pause * 1000 < spread * 0.6 || took * 1000 > spread * 0.4) {
      this.#begin();
      return;
    }
    this.#bursts++;
    this.#held += spread;
    if (this.#bursts >= BURSTS && this.#held >= HELD) this.#suspect('bursts');
  }

  /** Handles the end of a stream. @param {End} e */
  closed({ lane, reason, opened }) {
    if (opened) {
      this.#cut(reason);
      return;
    }
    if (reason !== 'closed' && reason !== 'silent') return;
    this.#failed[lane]++;
    if (this.#failed[lane] < TRIES) return;
    if (lane === 'ws') this.#suspect('websocket');
    else if (reason === 'silent') this.#suspect('silent');
  }

  /** @param {string} reason */
  #cut(reason) {
    const life = this.#now() - this.#openedAt;
    if (reason !== 'closed' || life < SHORTEST) {
      this.#lives = [];
      return;
    }
    this.#lives = [...this.#lives, life].slice(-CUTS);
    const most = Math.max(...this.#lives);
    if (this.#lives.length === CUTS && most - Math.min(...this.#lives) <= most * EQUAL) this.#suspect('cuts');
  }
}
