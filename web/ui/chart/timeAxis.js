import { defaultHorzScaleBehavior } from 'lightweight-charts';
import { widths } from '../../model/bars.js';
import { barTimes, offsetAt } from '../../model/barTimes.js';
import { markWeight } from '../../model/timeMarks.js';

/** @typedef {import('lightweight-charts').IHorzScaleBehavior<import('lightweight-charts').Time>} Behavior */

/** The chart library's time axis, with marks where hours and days of the chosen time zone begin. */
export class TimeAxis extends defaultHorzScaleBehavior() {
  #interval = '1m';
  #times = barTimes(this.#interval);

  /** Applies the bars' interval and the settings. The chart must then draw its bars again. @param {string} [interval] */
  use(interval = this.#interval) {
    this.#interval = interval;
    this.#times = barTimes(interval);
  }

  /** The time of a bar. @param {number} s since 1970 */
  moment(s) {
    return this.#times.moment.format(s * 1000);
  }

  /** @override @param {Parameters<Behavior['formatTickmark']>[0]} mark */
  formatTickmark({ time, weight }) {
    const { month, day, minute, second } = this.#times;
    return (weight >= 60 ? month : weight >= 50 ? day : weight >= 20 ? minute : second).format(this.#seconds(time) * 1000);
  }

  /** @override @param {Parameters<Behavior['fillWeightsForPoints']>[0]} points @param {number} from index of the first whose weight is unknown */
  fillWeightsForPoints(points, from) {
    const offset = offsetAt(this.#interval);
    for (let k = from; k < points.length; k++) {
      const point = /** @type {(typeof points)[number]} */ (points[k]);
      const at = this.#seconds(point.time);
      const before = points[k - 1];
      const weight = markWeight(before ? this.#seconds(before.time) : at - (widths[this.#interval] ?? 60e6) / 1e6, at, offset);
      point.timeWeight = /** @type {typeof point.timeWeight} */ (weight);
    }
  }

  /** @param {Parameters<Behavior['key']>[0]} time */
  #seconds(time) {
    return Number(this.key(time));
  }
}
