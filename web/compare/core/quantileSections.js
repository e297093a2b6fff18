import { BUCKETS, bucket } from '../../model/histogram.js';
import { quantile } from './histograms.js';
import { t95 } from './studentT.js';
import { joined, Timeline } from './timeline.js';

const MIN_SECTIONS = 10;
const MIN_ABOVE = 10; // values above the quantile that a section needs

/** @typedef {import('./types.js').Estimate} Estimate */

/**
 * The difference of a quantile between two sides, with a 95 % interval.
 *
 * Quantiles of dependent values have no simple standard error. By sectioning (Asmussen & Glynn, Stochastic Simulation,
 * §III.5) the run is cut into sections; each yields one difference, and their variance estimates the error of the whole
 * run's. As with batch means, sections become longer instead of more numerous.
 */
export class QuantileSections {
  #run;

  /** @param {{ ms?: number }} [options] ms: initial length of a section */
  constructor({ ms } = {}) {
    this.#run = new Timeline(empty, ms);
  }

  /** @param {0 | 1} side @param {number} value NaN is ignored @param {number} t ms of measured time, not decreasing */
  add(side, value, t) {
    if (!Number.isNaN(value)) this.#run.at(t).add(side, value);
  }

  clear() {
    this.#run.clear();
  }

  /** A's quantile − B's. @param {number} q from 0 to 1 @returns {Estimate} error is NaN below 10 sections with enough values */
  difference(q) {
    const value = this.#run.whole().difference(q);
    let sections = this.#run.sections.slice(0, -1);
    const enough = MIN_ABOVE / (1 - q);
    while (sections.length >= 2 * MIN_SECTIONS && sections.some((s) => Math.min(s.counts[0], s.counts[1]) < enough)) {
      sections = joined(sections, empty);
    }
    sections = sections.filter((s) => Math.min(s.counts[0], s.counts[1]) >= enough);
    const n = sections.length;
    if (n < MIN_SECTIONS) return { value, error: NaN };
    const square = sections.reduce((a, s) => a + (s.difference(q) - value) ** 2, 0);
    return { value, error: t95(n - 1) * Math.sqrt(square / (n - 1) / n) };
  }
}

class Section {
  /** @type {[Uint32Array, Uint32Array]} */
  buckets = [new Uint32Array(BUCKETS), new Uint32Array(BUCKETS)];
  /** @type {[number, number]} */
  counts = [0, 0];

  /** @param {0 | 1} side @param {number} value */
  add(side, value) {
    const b = bucket(value);
    const row = this.buckets[side];
    row[b] = /** @type {number} */ (row[b]) + 1;
    this.counts[side]++;
  }

  /** @param {Section} other */
  join(other) {
    for (const side of /** @type {const} */ ([0, 1])) {
      const mine = this.buckets[side];
      other.buckets[side].forEach((n, b) => (mine[b] = /** @type {number} */ (mine[b]) + n));
      this.counts[side] += other.counts[side];
    }
  }

  /** @param {number} q */
  difference(q) {
    return quantile(this.buckets[0], this.counts[0], q) - quantile(this.buckets[1], this.counts[1], q);
  }
}

const empty = () => new Section();
