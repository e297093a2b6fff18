/** @import { Lane, Timers } from '../types.js' */

const BLOCKED = 2; // failures in a row after which a lane counts as blocked
const SHORT = 10_000; // ms; a stream that ended sooner counts as a failure
const STABLE = 60_000; // ms after which a stream clears its lane's failures
const RETRY = [5_000, 30_000, 60_000, 120_000, 300_000, 600_000]; // ms until the preferred lane is tried again, by failed tries

/** @param {Lane} lane @returns {Lane} */
export const other = (lane) => (lane === 'sse' ? 'ws' : 'sse');

/**
 * Chooses the lane: the preferred one, and the other one while that is blocked, for example by a proxy that refuses the
 * WebSocket upgrade or buffers the event stream. A bye from the server does not count as blocked.
 *
 * While neither lane connects, they are tried alternately. The first that connects is kept, and the preferred one is
 * tried again beside it: soon at first, because a restarted server looks the same, then at growing intervals. Only a
 * minute of uptime resets the intervals, so a lane that connects and then stalls does not cause constant switching.
 */
export class AutoLane {
  preferred;
  /** Why the preferred lane is not in use and the wall ms of its next try; null while it is in use or nothing is connected. @type {{ reason: string, retryAt: number } | null} */
  fallen = null;
  #time;
  #probe;
  /** @type {Record<Lane, number>} */
  #failures = { sse: 0, ws: 0 };
  #reason = ''; // of the preferred lane's last failure
  #tries = 0; // of the preferred lane beside the other one, since it was last stable
  /** @type {any} */
  #timer = null;

  /**
   * @param {Lane} preferred
   * @param {Timers & { wall: () => number }} time
   * @param {(lane: Lane) => void} probe tries a lane while the other one stays connected
   */
  constructor(preferred, time, probe) {
    this.preferred = preferred;
    this.#time = time;
    this.#probe = probe;
  }

  /**
   * Handles the end of a stream, or of a try to open one.
   * @param {Lane} lane @param {{ reason: string, lived: number | null, online: boolean }} how lived: ms since its hello, null when there was none
   * @returns {Lane} the lane to try next
   */
  ended(lane, { reason, lived, online }) {
    this.stop();
    if (lived !== null && lived >= STABLE) {
      this.#failures[lane] = 0;
      if (lane === this.preferred) this.#tries = 0;
    }
    if (!online) return lane;
    const weight = failureWeight(reason, lived);
    this.#failures[lane] += weight;
    if (weight > 0 && lane === this.preferred) this.#reason = reason;
    return this.#failures[lane] >= BLOCKED ? other(lane) : lane;
  }

  /** Handles the hello of a stream. @param {Lane} lane */
  connected(lane) {
    if (this.fallen && lane === this.preferred) this.#tries++; // reset once the stream is stable
    this.stop();
    this.#failures[lane] = Math.min(this.#failures[lane], BLOCKED - 1);
    if (lane !== this.preferred) this.#scheduleTry(this.#reason);
  }

  /** Handles a failed try of the preferred lane. @param {string} reason @param {number} [least] ms before which the server asked not to try again */
  probeFailed(reason, least = 0) {
    this.#tries++;
    this.#scheduleTry(reason, least);
  }

  /** Cancels the next try: no stream is open that it could run beside. */
  stop() {
    this.#time.clearTimeout(this.#timer);
    this.fallen = this.#timer = null;
  }

  /** @param {string} reason @param {number} [least] ms */
  #scheduleTry(reason, least = 0) {
    const ms = Math.max(least, /** @type {number} */ (RETRY[Math.min(this.#tries, RETRY.length - 1)]));
    this.#time.clearTimeout(this.#timer);
    this.fallen = { reason, retryAt: this.#time.wall() + ms };
    this.#timer = this.#time.setTimeout(() => this.#probe(this.preferred), ms);
  }
}

/** How many failures an end counts for. @param {string} reason @param {number | null} lived ms */
function failureWeight(reason, lived) {
  if (reason === 'silent') return lived === null ? BLOCKED : 1; // it may have opened, but no data arrived
  if (reason !== 'closed' && reason !== 'refused') return 0; // the server ended it
  return lived === null || lived < SHORT ? 1 : 0;
}
