import { CpuMeter } from './meters.js';
import { SECONDS } from './difference.js';
import { MeasuredTime } from './measuredTime.js';
import { AAStore, noise } from './noise.js';
import { Pairs } from './pairs.js';
import { QuantileSections } from './quantileSections.js';
import { isAA, hasDelay, noiseKey, pace } from './setup.js';

/** @typedef {import('./types.js').Reason} Reason */
/** @typedef {import('./types.js').Result} Result */
/** @typedef {import('./types.js').Setup} Setup */
/** @typedef {import('./side.js').Side} Side */
/** @typedef {import('../../types.js').Message} Message */
/** @typedef {import('../../types.js').Arrival} Arrival */

const LOOK = SECONDS * 1000; // ms of measured time between looks at the difference

/**
 * The figures of one run: which time counts, what each side received in it, and the pairs of equal ticks.
 *
 * One JavaScript thread serves both sides: of two messages that have arrived, the second waits for the first one's
 * handler. The server alternates which lane it notifies first, so neither lane should profit. The largest possible effect,
 * the time of one handler, is measured and counts as noise. An A/A run shows what remains.
 */
export class Measurement {
  /** CPU of the server process per tick. */
  cpu = new CpuMeter();
  #options;
  #time;
  #aa;
  /** The setup that the figures belong to. @type {Setup} */
  setup;
  /** @type {readonly [Side, Side] | readonly []} */
  #sides = [];
  /** Number of the current stretch of time that counts or is left out; nothing is measured across a change. */
  #stretch = 0;
  #measuring = false;
  #warm = false;
  /** Time spent in handling ticks, ms, and their number. */
  #handling = { ms: 0, ticks: 0 };
  #pairs = new Pairs();
  #latencies = new QuantileSections();
  #paints = new QuantileSections();
  /** @type {import('./types.js').Look | null} */
  #look = null;

  /**
   * @param {{
   *   setup: Setup, clock: import('../../lane/clock.js').Clock, timed: boolean, resolution: number, timeOrigin: number,
   *   now: () => number, wall: () => number, storage: Pick<Storage, 'getItem' | 'setItem'> | null,
   * }} options timed: ticks have a due time in the present; resolution: step of the browser's timer, ms; timeOrigin: ms
   *   since 1970 at which performance.now() was 0; storage: keeps the results of A/A runs
   */
  constructor(options) {
    this.#options = options;
    this.setup = options.setup;
    this.#time = new MeasuredTime(options.now);
    this.#aa = new AAStore(options.storage);
  }

  /** Number of the current stretch: an HTTP answer counts only in the stretch in which it was requested. */
  get stretch() {
    return this.#stretch;
  }

  /** Whether anything has been measured since prepare. */
  get warm() {
    return this.#warm;
  }

  /** ms since the start or the last clear. */
  get elapsed() {
    return this.#time.elapsed;
  }

  /** Replaces the sides, before a new run. @param {readonly [Side, Side]} sides */
  prepare(sides) {
    this.#sides = sides;
    this.#warm = false;
  }

  /** Forgets all figures; reasons to leave time out remain. */
  clear() {
    this.#time.clear();
    this.#stretch++;
    for (const side of this.#sides) side.clear();
    this.#pairs.clear();
    this.#latencies.clear();
    this.#paints.clear();
    this.cpu.clear();
    this.#handling = { ms: 0, ticks: 0 };
    this.#look = null;
  }

  /** Leaves time out. @param {Reason} reason until include(), or for `ms` from now, whichever is later @param {number} [ms] */
  exclude(reason, ms) {
    this.#time.begin(reason, ms);
    this.update();
  }

  /** Ends a reason. @param {Reason} reason @param {number} [after] ms from now for which it continues, so that queued messages drain */
  include(reason, after) {
    this.#time.end(reason, after);
    this.update();
  }

  /** Begins a new stretch when time has started or ceased to count. @returns {Reason | null} why time is left out now */
  update() {
    const { reason } = this.#time;
    if ((reason === null) !== this.#measuring) {
      this.#measuring = reason === null;
      if (this.#measuring) this.#warm = true;
      this.#stretch++;
      this.#pairs.forget();
      for (const side of this.#sides) side.bytes.break();
      this.cpu.break();
    }
    return reason;
  }

  /** Records a message of a side. @param {Side} side @param {Message} m @param {Arrival} arrival */
  receive(side, m, arrival) {
    const reason = this.update();
    if (reason === null) side.messages++;
    if (m.T === 'hello') {
      this.#pairs.forget(); // the epoch may be new, and seqs with it
      this.#options.clock.delay = m.delay ?? 0; // the same on both sides, which have the same topics
    }
    if (m.T !== 'q') return;
    const { clock, timed, now } = this.#options;
    const { received, replayed } = arrival;
    side.newest = m;
    side.rate.add(1, received);
    const latency = timed && !replayed ? clock.latency(m, received) : NaN;
    side.series.add(latency, received, reason);
    if (reason !== null || replayed) return;
    const { measured } = this.#time;
    side.ticks++;
    side.latency.add(latency);
    side.remember(m);
    if (side.lane === 'sse') side.bytes.id(side.feed.hello?.epoch ?? '', m.i);
    this.#latencies.add(side.index, latency, measured);
    this.#pairs.add(side.index, m.i, received, measured);
    this.#handling.ms += now() - received;
    this.#handling.ticks++;
  }

  /** Records that a frame showed a tick. @param {Side} side @param {number} due µs @param {number} time performance.now() */
  painted(side, due, time) {
    const { clock, timed, timeOrigin } = this.#options;
    if (this.update() !== null || !timed) return;
    const latency = clock.latency({ t: due }, timeOrigin + time);
    side.paint.add(latency);
    this.#paints.add(side.index, latency, this.#time.measured);
  }

  /** Takes the figures that the verdict rests on when the next look is due, and keeps the result of an A/A run. */
  look() {
    this.#keepAA();
    const { measured } = this.#time;
    if (Math.floor(measured / LOOK) <= Math.floor((this.#look?.measuredMs ?? 0) / LOOK)) return;
    const { count, typical } = this.#pairs.result();
    this.#look = { typical, noise: this.#noise(typical.error), measuredMs: measured, pairs: count };
  }

  /** All figures as a copy. @param {string} label of the pairs @param {boolean} running */
  result(label, running) {
    const reason = this.update();
    const now = this.#options.now();
    const measuredMs = this.#time.measured;
    if (running) for (const side of this.#sides) side.series.mark(now, reason);
    const sides = /** @type {Result['sides']} */ (this.#sides.map((side) => side.result(now, measuredMs)));
    const pairs = { label, ...this.#pairs.result() };
    const { clock, timed, resolution } = this.#options;
    return {
      elapsedMs: this.#time.elapsed,
      measuredMs,
      leftOut: this.#time.left,
      clock: { known: clock.known, offset: clock.offset, error: clock.error },
      timed,
      resolution,
      sound: sides.every((s) => s.lost === 0 && s.doubled === 0 && s.malformed === 0),
      sides,
      pairs,
      differences: {
        p50: this.#latencies.difference(0.5),
        p90: this.#latencies.difference(0.9),
        p99: this.#latencies.difference(0.99),
        paint50: this.#paints.difference(0.5),
        paint99: this.#paints.difference(0.99),
      },
      cpu: this.cpu.result(),
      noise: this.#noise(pairs.typical.error),
      handling: this.#handlingTime,
      aa: this.#noiseRun,
      look: this.#look && structuredClone(this.#look),
    };
  }

  /** Mean time of handling a tick, ms. */
  get #handlingTime() {
    return this.#handling.ticks > 0 ? this.#handling.ms / this.#handling.ticks : NaN;
  }

  /** The newest A/A run of this setup. */
  get #noiseRun() {
    return this.#aa.of(noiseKey(this.setup, 0), noiseKey(this.setup, 1));
  }

  /** @param {number} error of the typical difference */
  #noise(error) {
    const aa = isAA(this.setup) ? null : this.#noiseRun;
    return noise({ error, aa, handling: this.#handlingTime, resolution: this.#options.resolution, phase: pace(this.setup) });
  }

  /** An A/A run of equal, complete sides is the noise of later runs. */
  #keepAA() {
    const complete = this.#sides.every((s) => s.complete);
    if (!isAA(this.setup) || hasDelay(this.setup) || !complete) return;
    const { count, typical: { value, error } } = this.#pairs.result();
    if (Number.isNaN(error)) return;
    this.#aa.keep({ setup: noiseKey(this.setup, 0), lane: this.setup.sides[0], value, error, pairs: count, at: this.#options.wall() });
  }
}
