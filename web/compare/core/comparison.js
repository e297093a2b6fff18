// Measures both lanes at the same time and pairs them tick by tick.
//
// One JavaScript thread serves both: of two messages that are here at once, the second waits for the first one's
// handler. The server alternates between the lanes which one it wakes first, so this should favour none; what it could
// do at most, the time of a handler, is measured and counts as noise. An A/A run shows what is left of it.
import { Clock } from '../../lane/clock.js';
import { Emitter } from '../../lane/emitter.js';
import { Feed } from '../../lane/feed.js';
import { platform } from '../../lane/platform.js';
import { t } from '../../text.js';
import { CpuMeter } from './meters.js';
import { claims } from './claims.js';
import { runDrill } from './drills.js';
import { exported, table } from './export.js';
import { SECONDS } from './difference.js';
import { Server } from './server.js';
import { MeasuredTime } from './measuredTime.js';
import { AAStore, noise, resolution, sessionStore } from './noise.js';
import { Pairs } from './pairs.js';
import { Poll } from './poll.js';
import { runProbe } from './probe.js';
import { QuantileSections } from './quantileSections.js';
import { sentence } from './sentence.js';
import { isAA, isPlanted, kin, pace, query, sideNames } from './setup.js';
import { Side } from './side.js';
import { measureTopics } from './topicTimes.js';

/** @typedef {import('./types.js').Setup} Setup */
/** @typedef {import('./types.js').Result} Result */
/** @typedef {import('./types.js').Asked} Asked */
/** @typedef {import('./types.js').Reason} Reason */
/** @typedef {import('./types.js').RunState} RunState */
/** @typedef {import('./types.js').DrillAction} DrillAction */
/** @typedef {import('./types.js').DrillRow} DrillRow */
/** @typedef {import('./types.js').TopicTimes} TopicTimes */
/** @typedef {import('./types.js').ComparisonHandlers} ComparisonHandlers */
/** @typedef {import('./types.js').ComparisonOptions} ComparisonOptions */
/** @typedef {import('../../types.js').Message} Message */
/** @typedef {import('../../types.js').Arrival} Arrival */
/** @typedef {import('../../types.js').Quote} Quote */

const WARMUP = 2_000; // ms after both lanes are live
const DRAIN = 1_000; // ms after a reason is over, in which what piled up comes
const PULSE = 250; // ms between updates
const LOOK = SECONDS * 1000; // ms of measured time between looks at the difference

/**
 * A comparison of two lanes, or of a lane with itself.
 *
 * @example
 * const c = new Comparison({ setup: parse(location.search).setup, lab: boot.lab, timed: boot.timed });
 * c.on('update', () => paint(c.snapshot()));
 * c.start();
 */
export class Comparison {
  /** The lab's and the server's HTTP interfaces. */
  server;
  /** Every row of a drill since the last reset, oldest first. @type {DrillRow[]} */
  drills = [];
  /** What measureTopics found since the last reset. @type {TopicTimes | null} */
  topicTimes = null;
  /** What was tried once at the start. @type {import('./types.js').Probe | null} */
  probe = null;
  #options;
  #platform;
  /** @type {Emitter<ComparisonHandlers>} */
  #emitter = new Emitter();
  /** @type {Setup} */
  #setup;
  /** What the first setup would change for everybody. */
  #link;
  #clock;
  #document;
  #aa;
  #resolution;
  #origin;
  #time;
  /** Counts stretches of measured time, so that nothing is measured across the end of one. */
  #stretch = 0;
  #measuring = false;
  #warm = false; // measured since the start
  /** What handling a tick takes, ms in all, and how many. */
  #handling = { ms: 0, ticks: 0 };
  #pairs = new Pairs();
  #latencies = new QuantileSections();
  #paints = new QuantileSections();
  #cpu = new CpuMeter();
  /** @type {import('./types.js').Look | null} */
  #look = null;
  #poll;
  /** @type {[Side, Side]} */
  #sides;
  #running = false;
  #busy = ''; // a drill or another measurement that is under way
  #abort = () => {}; // gives it up: its streams are gone
  #frozen = false;
  /** @type {any} */
  #timer = null;
  #onVisibility = () => this.#visibility();

  /** @param {ComparisonOptions} options */
  constructor(options) {
    this.#options = { lab: false, timed: true, ...options };
    this.#platform = { ...platform(), ...options.platform };
    const p = this.#platform;
    const { rate, background } = options.setup;
    this.#link = { rate, background };
    this.#setup = { ...options.setup, rate: null, background: null };
    this.server = new Server({ origin: p.origin, fetch: p.fetch, lab: this.#options.lab });
    this.#clock = options.clock ?? new Clock({
      url: `${p.origin}/api/time`, fetch: p.fetch, now: p.now, setTimeout: p.setTimeout, clearTimeout: p.clearTimeout,
    });
    const doc = options.document !== undefined ? options.document : globalThis.document;
    this.#document = doc ?? null;
    this.#aa = new AAStore(options.storage !== undefined ? options.storage : sessionStore());
    this.#origin = options.timeOrigin ?? performance.timeOrigin;
    this.#resolution = options.resolution ?? resolution(() => performance.now());
    this.#time = new MeasuredTime(p.now);
    this.#sides = this.#makeSides();
    this.#poll = new Poll(p, this.server, () => this.#reason() === null ? { sides: this.#sides, stretch: this.#stretch } : null, this.#cpu);
  }

  get setup() {
    return this.#setup;
  }

  /**
   * What the first setup asked for that changes the server for everybody, as long as nobody has asked for it here: a link
   * that is opened must not do it by itself. change() does. @returns {Asked | null}
   */
  get asked() {
    const rate = this.#setup.rate === null ? this.#link.rate : null;
    const background = this.#setup.background === null ? this.#link.background : null;
    return this.lab && (rate !== null || background) ? { rate, background } : null;
  }

  get sides() {
    return this.#sides;
  }

  get running() {
    return this.#running;
  }

  /** Whether the lab's API is there: drills, pace, background clients, engines and delays. */
  get lab() {
    return this.server.lab;
  }

  /**
   * @template {keyof ComparisonHandlers} K
   * @param {K} name @param {ComparisonHandlers[K]} fn @returns {() => void} takes the handler off again
   */
  on(name, fn) {
    return this.#emitter.on(name, fn);
  }

  /** Connects both sides at the same time and measures from two seconds after both are live. */
  start() {
    if (this.#running) return;
    this.#running = true;
    this.#sides = this.#makeSides();
    this.#warm = false;
    this.#time.begin('settling');
    this.reset();
    this.#document?.addEventListener('visibilitychange', this.#onVisibility);
    this.#visibility();
    this.#clock.start();
    for (const side of this.#sides) side.feed.start();
    this.#poll.start();
    void this.#prepare();
    this.#pulse();
  }

  /** Disconnects. The figures stay; the extra clients that the setup asked for are sent home. */
  stop() {
    if (!this.#running) return;
    this.#running = false;
    this.#platform.clearTimeout(this.#timer);
    this.#poll.stop();
    this.#clock.stop();
    this.#document?.removeEventListener('visibilitychange', this.#onVisibility);
    this.#time.begin('settling');
    for (const side of this.#sides) side.feed.stop();
    this.#abort();
    if (this.#setup.background && this.lab) void this.server.background({ sse: 0, ws: 0 }, true).catch(() => {});
    this.#emitter.emit('update');
  }

  /** Forgets all figures, drills and topic times; the connections stay. */
  reset() {
    this.#time.clear();
    this.#stretch++;
    for (const side of this.#sides) side.clear();
    this.#pairs.clear();
    this.#latencies.clear();
    this.#paints.clear();
    this.#cpu.clear();
    this.#handling = { ms: 0, ticks: 0 };
    this.#look = null;
    this.drills = [];
    this.topicTimes = null;
    this.#emitter.emit('update');
  }

  /** Halts the measurement, not the streams. What is left out is counted and told. @param {boolean} on */
  freeze(on) {
    if (on === this.#frozen) return;
    this.#frozen = on;
    if (on) this.#time.begin('frozen');
    else this.#time.end('frozen');
    this.#reason();
    this.#emitter.emit('update');
  }

  get frozen() {
    return this.#frozen;
  }

  /**
   * Goes on with another setup, measuring anew. Sides reconnect unless only pace or background differ.
   * @param {Setup} setup
   * @throws {import('../../lane/commandError.js').CommandError} when the server refuses the pace or the background
   */
  async change(setup) {
    const before = this.#setup;
    this.#setup = setup;
    const streams = (/** @type {Setup} */ s) => JSON.stringify({ ...s, rate: 0, background: 0 });
    if (!this.#running) return;
    if (streams(before) !== streams(setup)) {
      if (before.background && !setup.background && this.lab) void this.server.background({ sse: 0, ws: 0 }).catch(() => {});
      this.#setup = { ...setup, background: null };
      this.stop();
      this.#setup = setup;
      this.start();
      return;
    }
    if (this.lab && setup.rate !== null && setup.rate !== before.rate) await this.server.rate(setup.rate);
    if (this.lab && JSON.stringify(setup.background) !== JSON.stringify(before.background)) {
      await this.server.background(setup.background ?? { sse: 0, ws: 0 });
    }
    this.#time.begin('settling', WARMUP);
    this.reset();
  }

  /** @returns {RunState} */
  get state() {
    if (!this.#running) return 'stopped';
    const reason = this.#reason();
    if (reason === 'settling' && !this.#live) return 'connecting';
    return reason ?? 'measuring';
  }

  /** Everything known now. A copy: it doesn't change. @returns {Result} */
  snapshot() {
    const now = this.#platform.now();
    const reason = this.#reason();
    const measuredMs = this.#time.measured;
    for (const side of this.#sides) if (this.#running) side.series.mark(now, reason);
    const [a, b] = this.#sides;
    const sides = /** @type {Result['sides']} */ ([a.result(now, measuredMs), b.result(now, measuredMs)]);
    const pairs = { label: isAA(this.#setup) ? 'A − B' : `${a.name} − ${b.name}`, ...this.#pairs.result() };
    return {
      setup: this.#setup,
      state: this.state,
      elapsedMs: this.#time.elapsed,
      measuredMs,
      leftOut: this.#time.left,
      clock: { known: this.#clock.known, offset: this.#clock.offset, error: this.#clock.error },
      timed: this.#options.timed,
      resolution: this.#resolution,
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
      cpu: this.#cpu.result(),
      noise: this.#noise(pairs.typical.error),
      handling: this.#handlingTime,
      aa: this.#noiseRun,
      look: this.#look && structuredClone(this.#look),
    };
  }

  /**
   * Runs a drill on both sides, and on an EventSource without our connector, at once.
   * @param {DrillAction} action
   * @returns {Promise<DrillRow[]>} rejected with an Error that says why it could not be run
   */
  async drill(action) {
    const rows = await this.#alone('drill', () => runDrill(action, {
      sides: this.#sides, setup: this.#setup, server: this.server, platform: this.#platform, tag: this.#tag,
      late: (tick, received) => (this.#options.timed ? this.#clock.latency(tick, received) : NaN),
    }));
    this.drills.push(...rows);
    this.#emitter.emit('drill', rows);
    return rows;
  }

  /** Measures what a change of topics takes, on streams of its own. @returns {Promise<TopicTimes>} */
  async measureTopics() {
    return (this.topicTimes = await this.#alone('topics', () => measureTopics(this.#platform, [...this.#symbols], this.#tag)));
  }

  /** The whole result, for a file. */
  export() {
    const result = this.snapshot();
    return {
      ...exported(result, this.drills, this.topicTimes),
      sentence: sentence(result, this.drills),
      claims: claims({ result, drills: this.drills, topicTimes: this.topicTimes, probe: this.probe }),
    };
  }

  /** The table of figures as CSV (RFC 4180), with a heading. */
  toCSV() {
    return table(this.snapshot(), this.drills);
  }

  // --- inside ---------------------------------------------------------------------------------------------------

  #tag = '';
  /** Two symbols of the market, for measuring topics. @type {Set<string>} */
  #symbols = new Set();

  /** @returns {[Side, Side]} */
  #makeSides() {
    const p = this.#platform;
    this.#tag = Math.floor(p.random() * 2 ** 32).toString(16).padStart(8, '0');
    const names = sideNames(this.#setup);
    const side = (/** @type {0 | 1} */ index) => {
      const { topics, mode, interval, sides } = this.#setup;
      const encoding = this.#setup.encoding[index === 0 ? 'a' : 'b'];
      const feed = new Feed({
        ...p, lane: sides[index], topics, mode, encoding, user: `compare-${'ab'[index]}-${this.#tag}`,
        query: this.lab ? query(this.#setup, index) : {}, ...(interval === null ? {} : { interval }),
      });
      const s = new Side(index, names[index], encoding, feed, (...painted) => this.#painted(...painted));
      feed.on('message', (m, arrival) => this.#message(s, m, arrival));
      feed.on('event', (e) => this.#emitter.emit('event', s.event(e)));
      feed.on('state', () => this.#state());
      return s;
    };
    return [side(0), side(1)];
  }

  get #live() {
    return this.#sides.every((s) => s.feed.state.name === 'live');
  }

  /** A feed's state changed. */
  #state() {
    if (!this.#running) return;
    if (this.#live) this.#time.end('settling', this.#warm ? DRAIN : WARMUP);
    else this.#time.begin('settling');
    this.#reason();
  }

  #visibility() {
    if (this.#document?.visibilityState === 'hidden') this.#time.begin('hidden');
    else this.#time.end('hidden', DRAIN);
    this.#reason();
  }

  /** Why time is left out now, and the end of a stretch when that has changed. @returns {Reason | null} */
  #reason() {
    const { reason } = this.#time;
    if ((reason === null) !== this.#measuring) {
      this.#measuring = reason === null;
      if (this.#measuring) this.#warm = true;
      this.#stretch++;
      this.#pairs.forget();
      for (const side of this.#sides) side.bytes.break();
      this.#cpu.break();
    }
    return reason;
  }

  /** @param {Side} side @param {Message} m @param {Arrival} a */
  #message(side, m, a) {
    if (side !== this.#sides[side.index]) return;
    const reason = this.#reason();
    if (reason === null) side.messages++;
    const quotes = m.T === 'snapshot' ? m.quotes : m.T === 'q' ? [m] : [];
    for (let k = 0; k < quotes.length && this.#symbols.size < 2; k++) this.#symbols.add(/** @type {Quote} */ (quotes[k]).S);
    if (m.T === 'hello') this.#pairs.forget(); // it may be another log
    if (m.T !== 'q') return;
    side.newest = m;
    side.rate.add(1, a.received);
    const latency = this.#options.timed && !a.replayed ? this.#clock.latency(m, a.received) : NaN;
    side.series.add(latency, a.received, reason);
    if (reason !== null || a.replayed) return;
    const measured = this.#time.measured;
    side.ticks++;
    side.latency.add(latency);
    side.remember(m);
    if (side.lane === 'sse') side.bytes.id(side.feed.hello?.epoch ?? '', m.i);
    this.#latencies.add(side.index, latency, measured);
    this.#pairs.add(side.index, m.i, a.received, measured);
    this.#handling.ms += this.#platform.now() - a.received;
    this.#handling.ticks++;
  }

  /** @param {Side} side @param {number} due µs @param {number} time performance.now() */
  #painted(side, due, time) {
    if (this.#reason() !== null || !this.#options.timed) return;
    const latency = this.#clock.latency({ t: due }, this.#origin + time);
    side.paint.add(latency);
    this.#paints.add(side.index, latency, this.#time.measured);
  }

  /** Tries what the claims need, and brings the server to what change() has asked for: pace and background clients. */
  async #prepare() {
    void runProbe(this.server, this.#platform, this.#tag).then((probe) => (this.probe = probe));
    if (!this.lab) return;
    const { rate, background } = this.#setup;
    try {
      if (rate !== null) await this.server.rate(rate);
      if (background) await this.server.background(background);
    } catch (err) {
      const text = t('compare.lab.refused', { why: /** @type {Error} */ (err).message });
      this.#emitter.emit('event', { t: this.#platform.wall(), side: null, lane: null, level: 'warn', code: 'lab', text });
    }
  }

  #pulse() {
    if (!this.#running) return;
    this.#reason();
    this.#keepAA();
    this.#lookAgain();
    this.#emitter.emit('update');
    this.#timer = this.#platform.setTimeout(() => this.#pulse(), PULSE);
  }

  /** Takes the figures that the verdict rests on, when the time of the next look has come. */
  #lookAgain() {
    const { measured } = this.#time;
    if (Math.floor(measured / LOOK) <= Math.floor((this.#look?.measuredMs ?? 0) / LOOK)) return;
    const { count, typical } = this.#pairs.result();
    this.#look = { typical, noise: this.#noise(typical.error), measuredMs: measured, pairs: count };
  }

  /** What handling a tick takes, ms. */
  get #handlingTime() {
    return this.#handling.ticks > 0 ? this.#handling.ms / this.#handling.ticks : NaN;
  }

  /** The newest A/A run of this very setup. */
  get #noiseRun() {
    return this.#aa.of(kin(this.#setup, 0), kin(this.#setup, 1));
  }

  /** @param {number} error of the typical difference */
  #noise(error) {
    const aa = isAA(this.#setup) ? null : this.#noiseRun;
    return noise({ error, aa, handling: this.#handlingTime, resolution: this.#resolution, phase: pace(this.#setup) });
  }

  /** An A/A run of equal sides is the noise that later runs are held against. */
  #keepAA() {
    const { sides } = this.#setup;
    const whole = this.#sides.every((s) => s.whole);
    if (!isAA(this.#setup) || isPlanted(this.#setup) || !whole) return;
    const { count, typical: { value, error } } = this.#pairs.result();
    if (Number.isNaN(error)) return;
    this.#aa.keep({ setup: kin(this.#setup, 0), lane: sides[0], value, error, pairs: count, at: this.#platform.wall() });
  }

  /**
   * Runs what disturbs the measurement, one at a time, in time that is left out.
   * @template T @param {'drill' | 'topics'} what @param {() => Promise<T>} run @returns {Promise<T>}
   */
  async #alone(what, run) {
    if (this.#busy) throw new Error(t(`compare.drill.busy.${this.#busy}`));
    if (!this.#running || !this.#live) throw new Error(t('compare.drill.notlive'));
    this.#busy = what;
    this.#time.begin('drill');
    this.#reason();
    this.#emitter.emit('update');
    const over = new Promise((_, reject) => (this.#abort = () => reject(new Error(t('compare.drill.over')))));
    try {
      return await Promise.race([run(), /** @type {Promise<never>} */ (over)]);
    } finally {
      this.#busy = '';
      this.#time.end('drill', DRAIN);
      this.#emitter.emit('update');
    }
  }
}
