/** @typedef {import('../types.js').Lane} Lane */

const BAD = 2; // bad ends in a row, without a proof between them, that make a lane count as blocked
const SHORT = 10_000; // ms; a stream that was cut sooner ended badly
const PROOF = 60_000; // ms that a stream must live to clear its lane
const AGAIN = [5_000, 30_000, 60_000, 120_000, 300_000, 600_000]; // ms until the preferred lane is tried again, by how often that failed

/** @param {Lane} lane @returns {Lane} */
export const other = (lane) => (lane === 'sse' ? 'ws' : 'sse');

/**
 * Chooses the lane when either will do: the preferred one, and the other while that is blocked, as by a proxy that
 * refuses WebSocket's upgrade or keeps back an event stream. What a server says itself (bye) is no sign of that.
 *
 * While nothing answers at all, the lanes take turns. Whichever opens is kept, and the preferred one is tried again
 * beside it: soon at first, since a server that was away looks the same, then ever more seldom. Only a minute of life
 * starts those waits over, so a lane that opens and then falls silent doesn't make the page go to and fro.
 */
export class AutoLane {
  preferred;
  /** Why the preferred lane isn't in use, and the wall ms at which it is tried again; null while it is or nothing is known. @type {{ reason: string, retryAt: number } | null} */
  fallen = null;
  #time;
  #probe;
  /** @type {Record<Lane, number>} */
  #bad = { sse: 0, ws: 0 };
  #reason = ''; // of the preferred lane's last bad end
  #failed = 0; // tries of the preferred lane beside the other, that nothing has proven good
  /** @type {any} */
  #timer = null;

  /**
   * @param {Lane} preferred
   * @param {{ wall: () => number, setTimeout: (fn: () => void, ms: number) => any, clearTimeout: (id: any) => void }} time
   * @param {(lane: Lane) => void} probe tries a lane beside the one in use
   */
  constructor(preferred, time, probe) {
    this.preferred = preferred;
    this.#time = time;
    this.#probe = probe;
  }

  /**
   * A stream ended, or couldn't be opened. Returns the lane of the next try.
   * @param {Lane} lane @param {{ reason: string, lived: number | null, online: boolean }} how lived: ms since its hello, null when there was none
   * @returns {Lane}
   */
  ended(lane, { reason, lived, online }) {
    this.stop();
    if (lived !== null && lived >= PROOF) {
      this.#bad[lane] = 0;
      if (lane === this.preferred) this.#failed = 0;
    }
    if (!online) return lane; // neither can be had
    const cost = badness(reason, lived);
    this.#bad[lane] += cost;
    if (cost > 0 && lane === this.preferred) this.#reason = reason;
    return this.#bad[lane] >= BAD ? other(lane) : lane;
  }

  /** A stream said hello. @param {Lane} lane */
  greeted(lane) {
    if (this.fallen && lane === this.preferred) this.#failed++; // it opened; a minute of life takes that back
    this.stop();
    this.#bad[lane] = Math.min(this.#bad[lane], BAD - 1);
    if (lane !== this.preferred) this.#wait(this.#reason);
  }

  /** The try of the preferred lane beside the other failed. @param {string} reason */
  missed(reason) {
    this.#failed++;
    this.#wait(reason);
  }

  /** No stream is open, so none is tried beside it. */
  stop() {
    this.#time.clearTimeout(this.#timer);
    this.fallen = this.#timer = null;
  }

  /** @param {string} reason */
  #wait(reason) {
    const ms = /** @type {number} */ (AGAIN[Math.min(this.#failed, AGAIN.length - 1)]);
    this.#time.clearTimeout(this.#timer);
    this.fallen = { reason, retryAt: this.#time.wall() + ms };
    this.#timer = this.#time.setTimeout(() => this.#probe(this.preferred), ms);
  }
}

/** How much an end speaks for a lane being blocked. @param {string} reason @param {number | null} lived ms */
function badness(reason, lived) {
  if (reason === 'silent') return lived === null ? BAD : 1; // opened, perhaps, but nothing comes through
  if (reason !== 'closed' && reason !== 'refused') return 0; // the server's own words
  return lived === null || lived < SHORT ? 1 : 0;
}
