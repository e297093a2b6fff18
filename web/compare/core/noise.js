import { ownName } from '../../browser/http.js';

/** @typedef {import('./types.js').AAResult} AAResult */
/** @typedef {import('./types.js').Noise} Noise */

const KEY = ownName('ticklane.compare.aa');
const MAX_SETUPS = 16;

/**
 * The size below which a difference is noise: the largest of the interval's half width, the difference that an A/A run
 * showed between equal sides, the time to handle one tick (the other side's may have to wait for it), two steps of the
 * browser's timer, and the write interval: sides are written to independently, up to one interval apart.
 * @param {{ error: number, aa: AAResult | null, handling: number, resolution: number, phase: number }} causes in ms; error:
 *   half width of the 95 % interval; phase: minimum time between writes to a side
 * @returns {Noise}
 */
export function noise({ error, aa, handling, resolution, phase }) {
  /** @type {Noise} */
  let largest = { value: error, from: 'interval' };
  if (Number.isNaN(error)) return largest;
  const bound = aa ? Math.abs(aa.value) + aa.error : NaN;
  if (bound > largest.value) largest = { value: bound, from: 'aa' };
  if (handling > largest.value) largest = { value: handling, from: 'thread' };
  if (2 * resolution > largest.value) largest = { value: 2 * resolution, from: 'timer' };
  if (phase > largest.value) largest = { value: phase, from: 'phase' };
  return largest;
}

/** The newest A/A result of each of the last setups, for this browser session. Works in memory when storage is full, forbidden or absent. */
export class AAStore {
  #storage;
  /** @type {AAResult[]} newest last */
  #all;

  /** @param {Pick<Storage, 'getItem' | 'setItem'> | null} storage */
  constructor(storage) {
    this.#storage = storage;
    this.#all = this.#read();
  }

  /** The newest result of any of these setups. @param {string[]} setups noiseKey()s */
  of(...setups) {
    return this.#all.filter((r) => setups.includes(r.setup)).at(-1) ?? null;
  }

  /** @param {AAResult} result */
  keep(result) {
    this.#all = [...this.#all.filter((r) => r.setup !== result.setup), result].slice(-MAX_SETUPS);
    try {
      this.#storage?.setItem(KEY, JSON.stringify(this.#all));
    } catch {
      // Kept in memory only.
    }
  }

  /** @returns {AAResult[]} */
  #read() {
    try {
      const all = JSON.parse(this.#storage?.getItem(KEY) ?? '[]');
      return all.filter((/** @type {any} */ r) =>
        [r?.value, r?.error, r?.pairs, r?.at].every(Number.isFinite) && (r.lane === 'sse' || r.lane === 'ws') && typeof r.setup === 'string');
    } catch {
      return [];
    }
  }
}

/**
 * The smallest step of performance.now(), which browsers limit (100 µs in Chromium, 1 ms elsewhere, 5 µs in an isolated
 * page).
 * @param {() => number} now @returns {number} ms
 */
export function resolution(now) {
  let step = Infinity;
  let before = now();
  const end = before + 5; // ms
  for (let k = 0; k < 100_000 && before < end; k++) {
    const t = now();
    if (t > before) step = Math.min(step, t - before);
    before = t;
  }
  return Number.isFinite(step) ? step : 0;
}
