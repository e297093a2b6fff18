const MOST = 32; // sections; at that many, neighbours are joined

/**
 * A run cut into sections of equal time, which become longer instead of more: memory is bounded however long a run is.
 *
 * @template {{ join(other: any): void }} S what is gathered in a section
 */
export class Timeline {
  #make;
  #first;
  #ms;
  #end = -Infinity;
  /** @type {S[]} all of them, the newest last; that one still goes on */
  sections = [];

  /** @param {() => S} make an empty section @param {number} [ms] that a first section lasts */
  constructor(make, ms = 1_000) {
    this.#make = make;
    this.#first = this.#ms = ms;
  }

  /** The section of a time. @param {number} t ms of measured time, not falling @returns {S} */
  at(t) {
    if (t >= this.#end) {
      if (this.sections.length === MOST) {
        this.sections = joined(this.sections, this.#make);
        this.#ms *= 2;
      }
      this.sections.push(this.#make());
      this.#end = (Math.floor(t / this.#ms) + 1) * this.#ms;
    }
    return /** @type {S} */ (this.sections.at(-1));
  }

  clear() {
    this.sections = [];
    this.#end = -Infinity;
    this.#ms = this.#first;
  }

  /** All of them as one. @returns {S} */
  whole() {
    const all = this.#make();
    for (const s of this.sections) all.join(s);
    return all;
  }
}

/**
 * Neighbours as one; an odd section at the start, the oldest, goes.
 *
 * @template {{ join(other: any): void }} S
 * @param {S[]} sections @param {() => S} make @returns {S[]}
 */
export function joined(sections, make) {
  const out = [];
  for (let k = sections.length % 2; k < sections.length; k += 2) {
    const s = make();
    s.join(sections[k]);
    s.join(sections[k + 1]);
    out.push(s);
  }
  return out;
}
