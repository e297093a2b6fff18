// Measures both lanes at the same time: two feeds, the measurement of what they receive, drills, and the lab's settings.
import { Clock } from '../../lane/clock.js';
import { Emitter } from '../../lane/emitter.js';
import { Feed } from '../../lane/feed.js';
import { platform } from '../../lane/platform.js';
import { t } from '../../text.js';
import { claims } from './claims.js';
import { runDrill } from './drills.js';
import { exported, table } from './export.js';
import { Measurement } from './measurement.js';
import { resolution } from './noise.js';
import { Poll } from './poll.js';
import { runProbe } from './probe.js';
import { sentence } from './sentence.js';
import { Server } from './server.js';
import { isAA, query, sideNames } from './setup.js';
import { Side } from './side.js';
import { measureTopics } from './topicTimes.js';

/** @typedef {import('./types.js').Setup} Setup */
/** @typedef {import('./types.js').Result} Result */
/** @typedef {import('./types.js').ServerChange} ServerChange */
/** @typedef {import('./types.js').RunState} RunState */
/** @typedef {import('./types.js').DrillAction} DrillAction */
/** @typedef {import('./types.js').DrillRow} DrillRow */
/** @typedef {import('./types.js').TopicTimes} TopicTimes */
/** @typedef {import('./types.js').ComparisonHandlers} ComparisonHandlers */
/** @typedef {import('./types.js').ComparisonOptions} ComparisonOptions */
/** @typedef {import('../../types.js').Message} Message */
/** @typedef {import('../../types.js').Quote} Quote */

const WARMUP = 2_000; // ms left out after both lanes are live
const DRAIN = 1_000; // ms left out after an interruption, in which queued messages arrive
const UPDATE = 250; // ms between updates

/**
 * A comparison of two lanes, or of a lane with itself.
 *
 * @example
 * const c = new Comparison({ setup: parse(location.search).setup, lab: boot.lab, timed: boot.timed });
 * c.on('update', () => paint(c.snapshot()));
 * c.start();
 */
export class Comparison {
  /** The server's HTTP API, the lab's included. */
  server;
  /** The rows of all drills since the last reset, oldest first. @type {DrillRow[]} */
  drills = [];
  /** Result of measureTopics since the last reset. @type {TopicTimes | null} */
  topicTimes = null;
  /** Result of the probe at the start. @type {import('./types.js').Probe | null} */
  probe = null;
  #options;
  #platform;
  /** @type {Emitter<ComparisonHandlers>} */
  #emitter = new Emitter();
  /** @type {Setup} */
  #setup;
  /** What the link would change on the server. @type {ServerChange} */
  #link;
  #clock;
  #document;
  #measurement;
  #poll;
  /** @type {[Side, Side]} */
  #sides;
  #tag = '';
  /** Two symbols of the market, for measuring topics. @type {Set<string>} */
  #symbols = new Set();
  #running = false;
  /** What is interrupting the measurement. @type {'' | 'drill' | 'topics'} */
  #busy = '';
  #abort = () => {};
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
      url: `${p.origin}/api/time`, fetch: p.fetch, now: p.now, wall: p.wall, setTimeout: p.setTimeout, clearTimeout: p.clearTimeout,
    });
    this.#document = options.document ?? null;
    this.#measurement = new Measurement({
      setup: this.#setup, clock: this.#clock, timed: this.#options.timed, now: p.now, wall: p.wall,
      resolution: options.resolution ?? resolution(() => performance.now()),
      timeOrigin: options.timeOrigin ?? performance.timeOrigin,
      storage: options.storage ?? null,
    });
    this.#sides = this.#createSides();
    this.#measurement.prepare(this.#sides);
    const m = this.#measurement;
    this.#poll = new Poll(p, this.server, () => (m.update() === null ? { sides: this.#sides, stretch: m.stretch } : null), m.cpu);
  }

  get setup() {
    return this.#setup;
  }

  /**
   * What the link would change on the server for every user, until something was chosen here: opening a link must not
   * do it, change() does. @returns {ServerChange | null}
   */
  get pendingChange() {
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

  /** Whether the server has the lab's API: drills, rate, background clients, engines and delays. */
  get lab() {
    return this.server.lab;
  }

  get frozen() {
    return this.#frozen;
  }

  /** @returns {RunState} */
  get state() {
    if (!this.#running) return 'stopped';
    const reason = this.#measurement.update();
    if (reason === 'settling' && !this.#live) return 'connecting';
    return reason ?? 'measuring';
  }

  /**
   * @template {keyof ComparisonHandlers} K
   * @param {K} name @param {ComparisonHandlers[K]} fn @returns {() => void} removes the handler
   */
  on(name, fn) {
    return this.#emitter.on(name, fn);
  }

  /** Connects both sides at the same time and measures from two seconds after both are live. */
  start() {
    if (this.#running) return;
    this.#running = true;
    this.#sides = this.#createSides();
    this.#measurement.prepare(this.#sides);
    this.#measurement.exclude('settling');
    this.reset();
    this.#document?.addEventListener('visibilitychange', this.#onVisibility);
    this.#visibility();
    this.#clock.start();
    for (const side of this.#sides) side.feed.start();
    this.#poll.start();
    void this.#prepareServer();
    this.#update();
  }

  /** Disconnects. The figures stay; the background clients of the setup are stopped. */
  stop() {
    if (!this.#running) return;
    this.#running = false;
    this.#platform.clearTimeout(this.#timer);
    this.#poll.stop();
    this.#clock.stop();
    this.#document?.removeEventListener('visibilitychange', this.#onVisibility);
    this.#measurement.exclude('settling');
    for (const side of this.#sides) side.feed.stop();
    this.#abort();
    if (this.#setup.background && this.lab) void this.server.background({ sse: 0, ws: 0 }, true).catch(() => {});
    this.#emitter.emit('update');
  }

  /** Forgets all figures, drills and topic times; the connections stay open. */
  reset() {
    this.#measurement.clear();
    this.drills = [];
    this.topicTimes = null;
    this.#emitter.emit('update');
  }

  /** Pauses or resumes the measurement, not the streams. The time is left out and reported. @param {boolean} on */
  freeze(on) {
    if (on === this.#frozen) return;
    this.#frozen = on;
    if (on) this.#measurement.exclude('frozen');
    else this.#measurement.include('frozen');
    this.#emitter.emit('update');
  }

  /**
   * Starts a new run with another setup. Sides reconnect unless only rate or background differ.
   * @param {Setup} setup
   * @throws {import('../../lane/command.js').CommandError} when the server rejects the rate or the background
   */
  async change(setup) {
    const before = this.#setup;
    this.#setup = this.#measurement.setup = setup;
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
    this.#measurement.exclude('settling', WARMUP);
    this.reset();
  }

  /** All current results. A copy: later measurements do not change it. @returns {Result} */
  snapshot() {
    const [a, b] = this.#sides;
    const label = isAA(this.#setup) ? 'A − B' : `${a.name} − ${b.name}`;
    return { setup: this.#setup, state: this.state, ...this.#measurement.result(label, this.#running) };
  }

  /**
   * Runs a drill at once on both sides and on a plain EventSource.
   * @param {DrillAction} action
   * @returns {Promise<DrillRow[]>} rejected with an Error whose message is the reason
   */
  async drill(action) {
    const rows = await this.#interrupt('drill', () => runDrill(action, {
      sides: this.#sides, setup: this.#setup, server: this.server, platform: this.#platform, tag: this.#tag,
      late: (tick, received) => (this.#options.timed ? this.#clock.latency(tick, received) : NaN),
    }));
    this.drills.push(...rows);
    this.#emitter.emit('drill', rows);
    return rows;
  }

  /** Measures how long a change of topics takes, on separate streams. @returns {Promise<TopicTimes>} */
  async measureTopics() {
    return (this.topicTimes = await this.#interrupt('topics', () => measureTopics(this.#platform, [...this.#symbols], this.#tag)));
  }

  /**
   * The complete result, for a JSON file.
   * @param {{ url?: string, browser?: string, local?: boolean }} [page] url without its query; browser: its user agent;
   *   local: the server is on this machine
   */
  export(page = {}) {
    const result = this.snapshot();
    return {
      ...exported(result, this.drills, this.topicTimes, page),
      sentence: sentence(result, this.drills, page),
      claims: claims({ result, drills: this.drills, topicTimes: this.topicTimes, probe: this.probe }),
    };
  }

  /** The table of figures as CSV (RFC 4180), with a header line. */
  toCSV() {
    return table(this.snapshot(), this.drills);
  }

  get #live() {
    return this.#sides.every((s) => s.feed.state.name === 'live');
  }

  /** @returns {[Side, Side]} */
  #createSides() {
    const p = this.#platform;
    this.#tag = Math.floor(p.random() * 2 ** 32).toString(16).padStart(8, '0');
    const names = sideNames(this.#setup);
    const create = (/** @type {0 | 1} */ index) => {
      const { topics, mode, interval, sides } = this.#setup;
      const encoding = this.#setup.encoding[index === 0 ? 'a' : 'b'];
      const feed = new Feed({
        ...p, lane: sides[index], topics, mode, encoding, user: `compare-${'ab'[index]}-${this.#tag}`,
        query: this.lab ? query(this.#setup, index) : {}, ...(interval === null ? {} : { interval }),
      });
      const side = new Side(index, names[index], encoding, feed, (...painted) => this.#measurement.painted(...painted));
      feed.on('message', (m, arrival) => {
        if (side !== this.#sides[index]) return;
        this.#collectSymbols(m);
        this.#measurement.receive(side, m, arrival);
      });
      feed.on('event', (e) => this.#emitter.emit('event', side.event(e)));
      feed.on('state', () => this.#connectionChanged());
      return side;
    };
    return [create(0), create(1)];
  }

  /** @param {Message} m */
  #collectSymbols(m) {
    const quotes = m.T === 'snapshot' ? m.quotes : m.T === 'q' ? [m] : [];
    for (let k = 0; k < quotes.length && this.#symbols.size < 2; k++) this.#symbols.add(/** @type {Quote} */ (quotes[k]).S);
  }

  #connectionChanged() {
    if (!this.#running) return;
    if (this.#live) this.#measurement.include('settling', this.#measurement.warm ? DRAIN : WARMUP);
    else this.#measurement.exclude('settling');
  }

  #visibility() {
    if (this.#document?.visibilityState === 'hidden') this.#measurement.exclude('hidden');
    else this.#measurement.include('hidden', DRAIN);
  }

  /** Runs the probe for the claims, and sets rate and background clients as change() requested. */
  async #prepareServer() {
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

  #update() {
    if (!this.#running) return;
    this.#measurement.update();
    this.#measurement.look();
    this.#emitter.emit('update');
    this.#timer = this.#platform.setTimeout(() => this.#update(), UPDATE);
  }

  /**
   * Runs something that disturbs the measurement, one at a time, in time that is left out. A new run aborts it.
   * @template T @param {'drill' | 'topics'} what @param {() => Promise<T>} run @returns {Promise<T>}
   */
  async #interrupt(what, run) {
    if (this.#busy) throw new Error(t(`compare.drill.busy.${this.#busy}`));
    if (!this.#running || !this.#live) throw new Error(t('compare.drill.notlive'));
    this.#busy = what;
    this.#measurement.exclude('drill');
    this.#emitter.emit('update');
    const aborted = new Promise((_, reject) => (this.#abort = () => reject(new Error(t('compare.drill.over')))));
    try {
      return await Promise.race([run(), /** @type {Promise<never>} */ (aborted)]);
    } finally {
      this.#busy = '';
      this.#measurement.include('drill', DRAIN);
      this.#emitter.emit('update');
    }
  }
}
