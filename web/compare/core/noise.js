/** @typedef {import('./types.js').AAResult} AAResult */
/** @typedef {import('./types.js').Noise} Noise */

const KEY = 'ticklane.compare.aa';
const MOST = 16; // setups

/**
 * How small a typical difference means nothing: the largest of its interval's half width, what an A/A run showed between two
 * equal sides, what handling a tick takes (the other side's may have to wait for it), two steps of the browser's clock,
 * and the least time between writes: each side is written to in its own turn, and the turns may lie that far apart.
 * @param {{ error: number, aa: AAResult | null, handling: number, resolution: number, phase: number }} of ms; error:
 *   half width of the 95 % interval; phase: least time between the writes to a side
 * @returns {Noise}
 */
export function noise({ error, aa, handling, resolution, phase }) {
  /** @type {Noise} */
  let most = { value: error, from: 'interval' };
  if (Number.isNaN(error)) return most;
  const bound = aa ? Math.abs(aa.value) + aa.error : NaN;
  if (bound > most.value) most = { value: bound, from: 'aa' };
  if (handling > most.value) most = { value: handling, from: 'thread' };
  if (2 * resolution > most.value) most = { value: 2 * resolution, from: 'timer' };
  if (phase > most.value) most = { value: phase, from: 'phase' };
  return most;
}

/** Keeps the newest A/A result of each setup in this browser session, of the last few setups. A storage that is full, forbidden or absent does no harm. */
export class AAStore {
  #storage;
  /** @type {AAResult[]} newest last */
  #all;

  /** @param {Pick<Storage, 'getItem' | 'setItem'> | null} storage */
  constructor(storage) {
    this.#storage = storage;
    this.#all = this.#read();
  }

  /** The newest of a setup that is one of these. @param {string[]} setups as by kin() */
  of(...setups) {
    return this.#all.filter((r) => setups.includes(r.setup)).at(-1) ?? null;
  }

  /** @param {AAResult} result */
  keep(result) {
    this.#all = [...this.#all.filter((r) => r.setup !== result.setup), result].slice(-MOST);
    try {
      this.#storage?.setItem(KEY, JSON.stringify(this.#all));
    } catch {
      // It is kept in memory for as long as the page lives.
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

/** sessionStorage, which may be forbidden. @returns {Storage | null} */
export function sessionStore() {
  try {
    return globalThis.sessionStorage ?? null;
  } catch {
    return null;
  }
}

/**
 * The smallest step that performance.now() makes here: browsers make it coarse (100 µs in Chromium, 1 ms elsewhere,
 * 5 µs in an isolated page).
 * @param {() => number} now @returns {number} ms
 */
export function resolution(now) {
  let least = Infinity;
  let before = now();
  const end = before + 5; // ms
  for (let looks = 0; looks < 100_000 && before < end; looks++) {
    const t = now();
    if (t > before) least = Math.min(least, t - before);
    before = t;
  }
  return Number.isFinite(least) ? least : 0;
}
