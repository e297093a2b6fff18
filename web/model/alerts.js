// Alerts on prices and their changes, as a machine of states: what a symbol's newest quote does to its alerts. Pure.

/** @typedef {import('../types.js').SymbolRecord} SymbolRecord */
/** @typedef {'above' | 'below' | 'day' | 'within'} Kind */
/**
 * @typedef {object} Alert
 * @property {string} id
 * @property {string} S
 * @property {Kind} kind price rises to, price falls to, change since the last close, change within minutes
 * @property {number} level dollars, or per cent with the sign of its direction
 * @property {number} minutes of 'within', else 0
 * @property {boolean} every fires at every crossing, not just once
 * @property {boolean} armed the other side of the level was seen since it fired last, or since it was made
 * @property {boolean} done it fired, and was to fire once
 * @property {number} n how often it fired
 * @property {string} epoch of the log in which it was looked at last
 * @property {number} i up to where
 */

export const kinds = /** @type {const} */ (['above', 'below', 'day', 'within']);

/** @param {Alert} a */
export const rises = ({ kind, level }) => kind === 'above' || (kind !== 'below' && level > 0);

/** How far it must go back before it counts as gone: a price that trembles at the level is one crossing. @param {Alert} a */
const band = ({ kind, level }) => (kind === 'above' || kind === 'below' ? Math.max(0.02, level * 0.001) : Math.max(0.02, Math.abs(level) * 0.1));

/**
 * The alerts of all symbols. A quote costs a look into a map, and for a symbol with alerts a few comparisons.
 *
 * An alert fires when it is armed and its figure stands at or beyond the level. What it saw is known by epoch and seq,
 * so nothing that comes again counts again. A quote of another log is no move: prices there may be anything.
 */
export class Alerts {
  /** @type {Map<string, { alert: Alert, span: Span | null }[]>} */
  #bySymbol = new Map();
  #epoch = ''; // of the log that quotes are of; '' while they may be of the one before
  #next = ''; // told by a hello
  #hooks;

  /** @param {{ fired: (a: Alert, r: SymbolRecord) => void, changed: (a: Alert) => void }} hooks */
  constructor(hooks) {
    this.#hooks = hooks;
  }

  /** The symbols that any of them still waits for. */
  get symbols() {
    return [...this.#bySymbol].filter(([, list]) => list.some((w) => !w.alert.done)).map(([symbol]) => symbol);
  }

  /** @returns {Alert[]} the alerts themselves */
  get list() {
    return [...this.#bySymbol.values()].flat().map((w) => w.alert);
  }

  /** Takes a list instead of the one before; what was seen of the same alerts' prices stays. @param {readonly Alert[]} alerts */
  load(alerts) {
    const spans = new Map([...this.#bySymbol.values()].flat().map((w) => [w.alert.id, w.span]));
    this.#bySymbol.clear();
    for (const alert of alerts) {
      const list = this.#bySymbol.get(alert.S) ?? [];
      list.push({ alert, span: alert.kind === 'within' ? spans.get(alert.id) ?? new Span(alert.minutes) : null });
      this.#bySymbol.set(alert.S, list);
    }
  }

  /**
   * Any message of a feed. Until the first quotes after a hello are here those that are known may be of the log before,
   * whose seqs say nothing of this one's, so nothing is looked at.
   * @param {import('../types.js').Message} m @param {(symbol: string) => SymbolRecord | undefined} get the symbol's quote after the message
   */
  take(m, get) {
    if (m.T === 'hello') {
      this.#next = m.epoch;
      if (m.epoch !== this.#epoch) this.#epoch = '';
    } else if (m.T === 'q') {
      this.#epoch ||= this.#next;
      if (this.#bySymbol.has(m.S)) this.look(get(m.S));
    } else if (m.T === 'snapshot') {
      this.#epoch ||= this.#next;
      for (const { S } of m.quotes) this.look(get(S));
    }
  }

  /** A symbol's newest quote; one that was looked at before changes nothing. @param {SymbolRecord | undefined} r */
  look(r) {
    const list = r && this.#bySymbol.get(r.S);
    if (!list || !this.#epoch) return;
    for (let k = 0; k < list.length; k++) {
      const w = list[k];
      if (w) this.#judge(w.alert, w.span, r);
    }
  }

  /** @param {Alert} a @param {Span | null} span @param {SymbolRecord} r */
  #judge(a, span, r) {
    const other = a.epoch !== this.#epoch;
    if (a.done || (!other && r.i <= a.i)) return;
    if (other) span?.clear();
    const up = rises(a);
    const x = a.kind === 'day' ? r.changePct : span ? span.move(r.p, r.t, up) : r.p;
    if (Number.isNaN(x)) return;
    const beyond = up ? x - a.level : a.level - x;
    a.i = r.i;
    if (other) {
      a.epoch = this.#epoch;
      a.armed = beyond < 0;
      this.#hooks.changed(a);
    } else if (a.armed && beyond >= 0) {
      a.armed = false;
      a.done = !a.every;
      a.n++;
      this.#hooks.fired(a, r);
    } else if (!a.armed && beyond <= -band(a) && (!span || span.whole)) {
      a.armed = true;
      this.#hooks.changed(a);
    }
  }
}

const GRAIN = 1_000_000; // µs; prices of one second are one, with its least and its most

/** The least and the most of the last minutes, by two queues that keep only what can still become either: O(1) for a price. */
export class Span {
  #length;
  #low = new Queue((a, b) => a <= b);
  #high = new Queue((a, b) => a >= b);
  #since = NaN;
  #now = NaN;

  /** @param {number} minutes */
  constructor(minutes) {
    this.#length = minutes * 60;
  }

  /** Whether prices of all these minutes were seen. */
  get whole() {
    return this.#now - this.#since >= this.#length;
  }

  /** Takes a price and tells how far it is from the least, or down from the most. @param {number} p @param {number} t µs @param {boolean} up @returns {number} per cent */
  move(p, t, up) {
    const s = Math.floor(t / GRAIN);
    if (Number.isNaN(this.#since)) this.#since = s;
    this.#now = s;
    this.#low.put(p, s, s - this.#length);
    this.#high.put(p, s, s - this.#length);
    const from = up ? this.#low.first : this.#high.first;
    return (p / from - 1) * 100;
  }

  clear() {
    this.#low.clear();
    this.#high.clear();
    this.#since = this.#now = NaN;
  }
}

/** Values of which each is beaten by the one before it; its arrays are used again, so that a price leaves no garbage. */
class Queue {
  /** @type {number[]} */
  #values = [];
  /** @type {number[]} */
  #times = [];
  #from = 0;
  #beats;

  /** @param {(a: number, b: number) => boolean} beats whether a makes b needless */
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
    // What is beaten by a price of the same second leaves with it, so it never counts.
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
