/** A sparkline's memory: the last price of each of the newest `slots` stretches of time. Bounded; reading copies. */
export class Spark {
  #values;
  #head = 0; // where the newest slot is
  #length = 0;
  #slot = -Infinity; // number of the newest slot since 1970
  #ms;

  /** @param {number} [slots] @param {number} [ms] length of a slot */
  constructor(slots = 60, ms = 60_000) {
    this.#values = new Float64Array(slots);
    this.#ms = ms;
  }

  get length() {
    return this.#length;
  }

  /** Takes a price. One older than the newest slot is dropped. @param {number} price @param {number} t ms since 1970 */
  add(price, t) {
    const slot = Math.floor(t / this.#ms);
    if (!Number.isFinite(price) || slot < this.#slot) return;
    const last = this.#values[this.#head] ?? price;
    // A quiet stretch keeps the price it had, so that the x axis stays time.
    const skipped = this.#length === 0 ? 0 : Math.min(slot - this.#slot - 1, this.#values.length);
    for (let k = 0; k < skipped; k++) this.#push(last);
    if (slot > this.#slot) this.#push(price);
    else this.#values[this.#head] = price;
    this.#slot = slot;
  }

  /**
   * Starts over from history. What was added since then and is newer stays out: call it before the live ticks, or
   * give it bars up to now. @param {Iterable<{t: number, p: number}>} points ascending, t in ms since 1970
   */
  seed(points) {
    this.#length = 0;
    this.#slot = -Infinity;
    for (const { t, p } of points) this.add(p, t);
  }

  /** Oldest first. @returns {number[]} */
  values() {
    const size = this.#values.length;
    return Array.from({ length: this.#length }, (_, k) => {
      return /** @type {number} */ (this.#values[(this.#head - this.#length + 1 + k + size) % size]);
    });
  }

  /** @param {number} price */
  #push(price) {
    this.#head = (this.#head + 1) % this.#values.length;
    this.#values[this.#head] = price;
    this.#length = Math.min(this.#length + 1, this.#values.length);
  }
}
