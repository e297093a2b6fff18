/** The points of a sparkline: the last price of each of the newest `slots` intervals of time. */
export class Spark {
  #values;
  #head = 0; // the index of the newest slot
  #length = 0;
  #slot = -Infinity; // number of the newest slot since 1970
  #ms;

  /** @param {number} [slots] @param {number} [ms] the length of a slot */
  constructor(slots = 60, ms = 60_000) {
    this.#values = new Float64Array(slots);
    this.#ms = ms;
  }

  get length() {
    return this.#length;
  }

  /** Adds a price; one older than the newest slot is ignored. @param {number} price @param {number} t ms since 1970 */
  add(price, t) {
    const slot = Math.floor(t / this.#ms);
    if (!Number.isFinite(price) || slot < this.#slot) return;
    const last = this.#values[this.#head] ?? price;
    // An interval without ticks repeats the price before it, so that the x axis is linear in time.
    const skipped = this.#length === 0 ? 0 : Math.min(slot - this.#slot - 1, this.#values.length);
    for (let k = 0; k < skipped; k++) this.#push(last);
    if (slot > this.#slot) this.#push(price);
    else this.#values[this.#head] = price;
    this.#slot = slot;
  }

  /**
   * Replaces all points with history. Call it before the live ticks, or with points up to the present. @param {Iterable<{t: number, p: number}>} points ascending, t in ms since 1970
   */
  seed(points) {
    this.#length = 0;
    this.#slot = -Infinity;
    for (const { t, p } of points) this.add(p, t);
  }

  /** A copy, oldest first. @returns {number[]} */
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
