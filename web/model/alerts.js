// Alerts on prices and their changes: what a symbol's newest quote does to its alerts.

import { decimals, negative } from './instruments.js';
import { changePercent, fromUnits, isExact, MOST, round } from './units.js';

/** @import { SymbolRecord } from '../types.js' */
/** @typedef {'above' | 'below' | 'day' | 'within'} Kind */
/**
 * @typedef {object} Alert
 * @property {string} id
 * @property {string} S
 * @property {Kind} kind above: price rises to; below: price falls to; day: change since the last close; within: change within minutes
 * @property {number} level a price, or per cent with the sign of its direction
 * @property {number} minutes of 'within', else 0
 * @property {boolean} every fires at every crossing, not only once
 * @property {boolean} armed the figure was on the other side of the level since the alert last fired, or was created
 * @property {boolean} done it fires once and has fired
 * @property {number} n how often it has fired
 * @property {string} epoch of the newest quote it was checked with
 * @property {number} i seq of that quote
 */

export const kinds = /** @type {const} */ (['above', 'below', 'day', 'within']);

/** Reports whether an alert's figure must rise to its level. @param {Pick<Alert, 'kind' | 'level'>} a */
export const rises = ({ kind, level }) => kind === 'above' || (kind !== 'below' && level > 0);

/**
 * The level beyond which an alert is armed again after it fired: the figure must be below it when the alert rises, else
 * above it. It is a tenth of a per cent from a price, a tenth from a percentage, and at least two units of the last decimal, so
 * that a price around the level is one crossing.
 * @param {Pick<Alert, 'S' | 'kind' | 'level'>} a @returns {number} a price, or per cent rounded to a hundredth
 */
export function rearmLevel(a) {
  const { S, kind, level } = a;
  const places = levelPlaces(a);
  const band = Math.max(fromUnits(2, places), Math.abs(level) * (isPriced(a) ? 0.001 : 0.1));
  if (!rises(a)) return round(level + band, places);
  return Math.max(kind === 'above' && !negative(S) ? fromUnits(1, places) : -Infinity, round(level - band, places));
}

/** Reports whether an alert's level is a price, not a percentage. @param {{ kind: string }} a */
export const isPriced = ({ kind }) => kind === 'above' || kind === 'below';

/** The decimals that a level may have. @param {{ S: string, kind: string }} a */
export const levelPlaces = (a) => (isPriced(a) ? decimals(a.S) : 2);

/** @typedef {'level' | 'percent' | 'decimals'} LevelError level, percent: out of range; decimals: more than levelPlaces */

/** Parses a level; NaN for what is no number. @param {string} text */
export const parseLevel = (text) => (text.trim() === '' ? NaN : Number(text));

/** Why a level is invalid; '' when it is valid. @param {{ S: string, kind: string, level: number }} a @returns {LevelError | ''} */
export function levelError(a) {
  const places = levelPlaces(a);
  if (isPriced(a)) {
    const least = negative(a.S) ? -fromUnits(MOST, places) : fromUnits(1, places);
    if (!(a.level >= least && a.level <= fromUnits(MOST, places))) return 'level';
  } else if (!(Math.abs(a.level) >= 0.01 && Math.abs(a.level) <= 50)) {
    return 'percent';
  }
  return isExact(a.level, places) ? '' : 'decimals';
}

/** The figure that an alert compares with its level; NaN for one within minutes, which needs past prices. @param {Pick<Alert, 'kind'>} a @param {SymbolRecord} r */
const figure = ({ kind }, r) => (kind === 'day' ? r.changePct : kind === 'within' ? NaN : r.p);

/** Reports whether a quote is at or beyond the level of an alert; never for one within minutes. @param {Pick<Alert, 'kind' | 'level'>} a @param {SymbolRecord | undefined} r */
export function reached(a, r) {
  if (!r) return false;
  const x = figure(a, r);
  return rises(a) ? x >= a.level : x <= a.level;
}

/** @typedef {'done' | 'unknown' | 'armed' | 'waiting'} State done: has fired and fires once; unknown: not checked yet; armed: fires at its level; waiting: is armed beyond its rearmLevel */

/** @param {Alert} a @returns {State} */
export const stateOf = (a) => (a.done ? 'done' : !a.epoch ? 'unknown' : a.armed ? 'armed' : 'waiting');

/**
 * The alerts of all symbols. A quote costs a map lookup, and a few comparisons for a symbol with alerts.
 *
 * An alert fires when it is armed and its figure is at or beyond the level. Epoch and seq identify the quotes that it was
 * checked with, so a quote that is delivered again is ignored. The first quote of another log never fires an alert: its
 * prices are unrelated.
 */
export class Alerts {
  /** @type {Map<string, { alert: Alert, span: Span | null }[]>} */
  #bySymbol = new Map();
  #epoch = ''; // of the quotes; '' while they may belong to the previous log
  #next = ''; // of the last hello
  #hooks;

  /** @param {{ fired: (a: Alert, r: SymbolRecord) => void, changed: (a: Alert) => void }} hooks */
  constructor(hooks) {
    this.#hooks = hooks;
  }

  /** The log of the quotes that alerts are checked with; '' while they may belong to the previous log. */
  get epoch() {
    return this.#epoch;
  }

  /** The symbols of alerts that are not done. */
  get symbols() {
    return [...this.#bySymbol].filter(([, list]) => list.some((w) => !w.alert.done)).map(([symbol]) => symbol);
  }

  /** @returns {Alert[]} the alerts themselves, not copies */
  get list() {
    return [...this.#bySymbol.values()].flat().map((w) => w.alert);
  }

  /** Replaces the alerts. Those with the same id keep their recent prices. @param {readonly Alert[]} alerts */
  load(alerts) {
    const spans = new Map([...this.#bySymbol.values()].flat().map((w) => [w.alert.id, w.span]));
    this.#bySymbol.clear();
    for (const alert of alerts) {
      const span = spans.get(alert.id);
      const list = this.#bySymbol.get(alert.S) ?? [];
      list.push({ alert, span: alert.kind !== 'within' ? null : span?.minutes === alert.minutes ? span : new Span(alert.minutes) });
      this.#bySymbol.set(alert.S, list);
    }
  }

  /**
   * Handles a message of the feed. Between a hello and the first quotes after it, known quotes may belong to the previous
   * log, whose seqs are unrelated, so no alert is checked.
   * @param {import('../types.js').Message} m @param {(symbol: string) => SymbolRecord | undefined} get the symbol's quote after the message
   */
  take(m, get) {
    if (m.T === 'hello') {
      this.#next = m.epoch;
      if (m.epoch !== this.#epoch) this.#epoch = '';
    } else if (m.T === 'q') {
      this.#epoch ||= this.#next;
      if (this.#bySymbol.has(m.S)) this.check(get(m.S));
    } else if (m.T === 'snapshot') {
      this.#epoch ||= this.#next;
      for (const { S } of m.quotes) this.check(get(S));
    }
  }

  /** Checks a symbol's alerts with its newest quote; the same quote again changes nothing. @param {SymbolRecord | undefined} r */
  check(r) {
    const list = r && this.#bySymbol.get(r.S);
    if (!list || !this.#epoch) return;
    for (let k = 0; k < list.length; k++) {
      const w = list[k];
      if (w) this.#checkOne(w.alert, w.span, r);
    }
  }

  /** @param {Alert} a @param {Span | null} span @param {SymbolRecord} r */
  #checkOne(a, span, r) {
    const other = a.epoch !== this.#epoch;
    if (a.done || (!other && r.i <= a.i)) return;
    if (other) span?.clear();
    const up = rises(a);
    const x = span ? span.move(r.p, r.t, up) : figure(a, r);
    if (Number.isNaN(x)) return;
    const beyond = up ? x >= a.level : x <= a.level;
    a.i = r.i;
    if (other) {
      a.epoch = this.#epoch;
      a.armed = !beyond;
      this.#hooks.changed(a);
    } else if (a.armed && beyond) {
      a.armed = false;
      a.done = !a.every;
      a.n++;
      this.#hooks.fired(a, r);
    } else if (!a.armed && (up ? x < rearmLevel(a) : x > rearmLevel(a)) && (!span || span.whole)) {
      a.armed = true;
      this.#hooks.changed(a);
    }
  }
}

const SECOND = 1_000_000; // µs; the prices of a second are stored as its lowest and highest

/** The lowest and highest price of the last minutes, in two monotonic queues: amortised O(1) per price. */
export class Span {
  #length;
  #low = new Queue((a, b) => a <= b);
  #high = new Queue((a, b) => a >= b);
  #since = NaN;
  #now = NaN;

  /** @param {number} minutes */
  constructor(minutes) {
    this.minutes = minutes;
    this.#length = minutes * 60;
  }

  /** Reports whether it has prices of all these minutes. */
  get whole() {
    return this.#now - this.#since >= this.#length;
  }

  /** Adds a price and returns its distance from the lowest price when up, else from the highest. @param {number} p @param {number} t µs @param {boolean} up @returns {number} per cent */
  move(p, t, up) {
    const s = Math.floor(t / SECOND);
    if (Number.isNaN(this.#since)) this.#since = s;
    this.#now = s;
    this.#low.put(p, s, s - this.#length);
    this.#high.put(p, s, s - this.#length);
    const from = up ? this.#low.first : this.#high.first;
    return changePercent(p - from, from);
  }

  clear() {
    this.#low.clear();
    this.#high.clear();
    this.#since = this.#now = NaN;
  }
}

/** A monotonic queue: each value is beaten by the one before it. It reuses its arrays to avoid garbage. */
class Queue {
  /** @type {number[]} */
  #values = [];
  /** @type {number[]} */
  #times = [];
  #from = 0;
  #beats;

  /** @param {(a: number, b: number) => boolean} beats reports whether a makes b irrelevant */
  constructor(beats) {
    this.#beats = beats;
  }

  get first() {
    return /** @type {number} */ (this.#values[this.#from]);
  }

  /** @param {number} value @param {number} time @param {number} oldest */
  put(value, time, oldest) {
    const [values, times] = [this.#values, this.#times];
    while (values.length > this.#from && this.#beats(value, /** @type {number} */ (values[values.length - 1]))) {
      values.pop();
      times.pop();
    }
    // A value beaten by a price of the same second would expire with it, so it is dropped at once.
    if (values.length === this.#from || times[times.length - 1] !== time) {
      values.push(value);
      times.push(time);
    }
    while (/** @type {number} */ (times[this.#from]) < oldest) this.#from++;
    if (this.#from > 64 && this.#from * 2 > values.length) {
      values.splice(0, this.#from);
      times.splice(0, this.#from);
      this.#from = 0;
    }
  }

  clear() {
    this.#values = [];
    this.#times = [];
    this.#from = 0;
  }
}
