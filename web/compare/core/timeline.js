const MAX_SECTIONS = 32; // neighbours are joined beyond it

/**
 * A run in sections of equal length, which become longer instead of more numerous, so that memory is bounded.
 *
 * @template {{ join(other: any): void }} S data of a section
 */
export class Timeline {
  #make;
  #first;
  #ms;
  #end = -Infinity;
  /** @type {S[]} newest last, which is incomplete */
  sections = [];

  /** @param {() => S} make creates an empty section @param {number} [ms] initial length of a section */
  constructor(make, ms = 1_000) {
    this.#make = make;
    this.#first = this.#ms = ms;
  }

  /** The section at a time. @param {number} t ms of measured time, not decreasing @returns {S} */
  at(t) {
    if (t >= this.#end) {
      if (this.sections.length === MAX_SECTIONS) {
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

  /** All sections joined. @returns {S} */
  whole() {
    const all = this.#make();
    for (const s of this.sections) all.join(s);
    return all;
  }
}

/**
 * Joins neighbours; the oldest section is dropped when their number is odd.
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
