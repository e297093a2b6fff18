import { sentence } from '../../lane/sentences.js';
import { Rate } from '../../model/rate.js';
import { ByteMeter } from './meters.js';
import { LatencyHistogram } from './histograms.js';
import { Series } from './series.js';

/** @typedef {import('./types.js').SideResult} SideResult */
/** @typedef {import('../../types.js').Counters} Counters */
/** @typedef {import('../../types.js').Quote} Quote */

const REMEMBERED = 1 << 14; // ticks whose due time is kept until they are painted

/** One side of a comparison: a feed and its measurements. */
export class Side {
  index;
  lane;
  name;
  feed;
  latency = new LatencyHistogram();
  paint = new LatencyHistogram();
  series = new Series();
  bytes = new ByteMeter();
  rate = new Rate();
  /** The newest tick. @type {Quote | null} */
  newest = null;
  /** Measured ticks and messages. */
  ticks = 0;
  messages = 0;
  /** Encoding of its messages, and compression as the server reports it: none, gzip or permessage-deflate; '' if unknown. */
  encoding;
  compression = '';
  #painted;
  #due = new Float64Array(REMEMBERED); // µs, as in a tick
  #seq = new Float64Array(REMEMBERED);
  /** @type {Counters} */
  #base;

  /**
   * @param {0 | 1} index @param {string} name @param {import('./types.js').Encoding} encoding @param {import('../../lane/feed.js').Feed} feed
   * @param {(side: Side, due: number, time: number) => void} painted due in µs, time as performance.now()
   */
  constructor(index, name, encoding, feed, painted) {
    this.index = index;
    this.lane = feed.lane;
    this.name = name;
    this.encoding = encoding;
    this.feed = feed;
    this.#painted = painted;
    this.#base = { ...feed.counters };
  }

  /** Keeps the due time of a measured tick, or when the server received it, until it is painted. @param {Quote} q */
  remember(q) {
    const k = q.i % REMEMBERED;
    this.#seq[k] = q.i;
    this.#due[k] = q.r ?? q.t;
  }

  /**
   * Records that a tick was shown. Each counts once; ticks that were left out or are too old are ignored.
   * @param {number} i its seq @param {number} time performance.now(), or the frame's own time
   */
  painted(i, time) {
    const k = i % REMEMBERED;
    if (this.#seq[k] !== i) return;
    this.#seq[k] = 0;
    this.#painted(this, /** @type {number} */ (this.#due[k]), time);
  }

  /** Whether every tick was received exactly once and could be parsed. */
  get complete() {
    const { counters } = this.feed;
    return counters.lost === this.#base.lost && counters.doubled === this.#base.doubled && counters.malformed === this.#base.malformed;
  }

  clear() {
    this.latency.clear();
    this.paint.clear();
    this.series.clear();
    this.bytes.clear();
    this.#seq.fill(0);
    this.ticks = this.messages = 0;
    this.#base = { ...this.feed.counters };
  }

  /** An event of the feed as a sentence. @param {import('../../types.js').FeedEvent} e @returns {import('./types.js').ComparisonEvent} */
  event(e) {
    return { t: e.t, side: this.index, lane: this.lane, level: e.level, code: e.code, text: sentence(e) };
  }

  /** @param {number} now local ms @param {number} measured ms @returns {SideResult} */
  result(now, measured) {
    const { counters, state, hello } = this.feed;
    const since = (/** @type {keyof Counters} */ key) => counters[key] - this.#base[key];
    const each = (/** @type {number} */ n) => (measured > 0 ? (n * 1000) / measured : NaN);
    return {
      index: this.index,
      lane: this.lane,
      name: this.name,
      engine: hello?.engine ?? '',
      encoding: this.encoding,
      compression: this.compression,
      state: state.name,
      ...(state.retryAt === undefined ? {} : { retryAt: state.retryAt }),
      ...(state.reason === undefined ? {} : { reason: state.reason }),
      latency: this.latency.distribution(),
      paint: this.paint.distribution(),
      histogram: this.latency.buckets(),
      paintHistogram: this.paint.buckets(),
      ticksPerSecond: each(this.ticks),
      messagesPerSecond: each(this.messages),
      rate: this.rate.perSecond(now),
      bytes: this.bytes.cost(),
      ticks: since('ticks'),
      messages: since('messages'),
      gaps: since('gaps'),
      missed: since('missed'),
      lost: since('lost'),
      doubled: since('doubled'),
      replayed: since('replayed'),
      reconnects: since('reconnects'),
      resets: since('resets'),
      malformed: since('malformed'),
      series: this.series.points(now),
      heat: this.series.heat(now),
    };
  }
}
