// Which topics the page needs from the stream. Parts tell what they need; this alone changes the feed's topics.

/** @typedef {{ symbol: string, sector: string }} Known a symbol that the server has, and its sector */

export const ALL = '*';
/** @param {string} sector */
export const sectorTopic = (sector) => `sector:${sector}`;

const WIDEN = 50; // ms in which several wishes become one command
const NARROW = 1500; // ms for which nobody wants a topic before it is given up: a search is soon cleared again

/**
 * The one owner of the stream's topics. What is missing is asked for at once, what nobody needs any more is given up
 * after a while, so that going to and fro costs nothing.
 */
export class Subscriptions {
  /** @type {Map<string, readonly string[]>} */
  #wishes = new Map();
  /** @type {Map<string, string> | null} sector by symbol; null until the server told */
  #sectors = null;
  #known = new Set([ALL]); // every topic there is
  /** @type {string[]} as the feed was asked for last */
  #asked;
  #has = new Set([ALL]); // as the stream told last
  /** @type {any} */
  #widen = null;
  /** @type {any} */
  #narrow = null;
  /** @type {Set<() => void>} */
  #listeners = new Set();
  #host;

  /**
   * @param {{
   *   set: (topics: string[]) => Promise<void>,
   *   most?: number,
   *   setTimeout?: (fn: () => void, ms: number) => any,
   *   clearTimeout?: (id: any) => void,
   * }} host set changes the feed's topics, which begin with "*"; most is how many the server allows
   */
  constructor(host) {
    this.#host = {
      most: 512, setTimeout: (/** @type {() => void} */ fn, /** @type {number} */ ms) => globalThis.setTimeout(fn, ms),
      clearTimeout: (/** @type {any} */ id) => globalThis.clearTimeout(id), ...host,
    };
    this.#asked = [ALL];
  }

  /** How many topics a stream may have. */
  get most() {
    return this.#host.most;
  }

  /** What there is. Until this is told the stream keeps everything, since an unknown topic is refused. @param {Iterable<Known>} symbols */
  universe(symbols) {
    this.#sectors = new Map();
    this.#known = new Set([ALL]);
    for (const { symbol, sector } of symbols) {
      this.#sectors.set(symbol, sector);
      this.#known.add(symbol).add(sectorTopic(sector));
    }
    // A server that came back without some of them has them in no stream; asking for one would undo the others.
    this.#asked = this.#asked.filter((t) => this.#known.has(t));
    if (this.#asked.length === 0) this.#asked = [ALL];
    this.#plan();
  }

  /** Whether the server has such a topic, as it told last. @param {string} topic */
  knows(topic) {
    return this.#known.has(topic);
  }

  /**
   * What a part of the page needs from now on, instead of what it needed before: symbols, "sector:…" or "*". What the
   * server doesn't have is left out. @param {string} part @param {readonly string[]} topics [] for nothing
   */
  want(part, topics) {
    const before = this.#wishes.get(part);
    if (topics.length === (before?.length ?? 0) && topics.every((t, i) => before?.[i] === t)) return;
    if (topics.length > 0) this.#wishes.set(part, [...topics]);
    else this.#wishes.delete(part);
    this.#plan();
  }

  /** The stream told its topics, in its hello or after a command. @param {readonly string[]} topics */
  told(topics) {
    this.#has = new Set(topics);
    for (const fn of this.#listeners) fn();
  }

  /** Whether the stream brings this symbol. @param {string} symbol */
  has(symbol) {
    return this.#covers(this.#has, symbol);
  }

  /** Called when the stream has other topics than before. @param {() => void} fn */
  on(fn) {
    this.#listeners.add(fn);
  }

  #plan() {
    const target = this.#target();
    if (target === null) return;
    const asked = new Set(this.#asked);
    const { setTimeout, clearTimeout } = this.#host;
    clearTimeout(this.#narrow);
    clearTimeout(this.#widen);
    if (target.some((t) => !this.#covers(asked, t))) this.#widen = setTimeout(() => this.#grow(), WIDEN);
    else if (target.length !== asked.size || target.some((t) => !asked.has(t))) this.#narrow = setTimeout(() => this.#ask(this.#target()), NARROW);
  }

  /** Adds what is missing and keeps the rest for the time being. */
  #grow() {
    const target = this.#target();
    if (target === null) return;
    const both = target.includes(ALL) ? [ALL] : [...new Set([...this.#asked, ...target])];
    this.#ask(both.length > this.#host.most ? target : both);
    this.#plan();
  }

  /** @param {string[] | null} topics */
  #ask(topics) {
    if (topics === null) return;
    this.#asked = topics;
    this.#host.set(topics).catch((/** @type {any} */ err) => {
      // Another server by now, or its limits: everything is never wrong.
      if (err.code === 'closed' || this.#asked !== topics || topics.includes(ALL)) return;
      this.#ask([ALL]);
    });
  }

  /** What all of them need together, the fewest topics that say it; null when nothing is known to be needed. @returns {string[] | null} */
  #target() {
    if (this.#sectors === null) return null;
    const union = new Set([...this.#wishes.values()].flat().filter((t) => this.#known.has(t)));
    if (union.size === 0) return null;
    if (union.has(ALL)) return [ALL];
    const topics = [...union].filter((t) => !this.#sectors?.has(t) || !union.has(sectorTopic(this.#sectors.get(t) ?? '')));
    if (topics.length > this.#host.most) return [ALL];
    if ([...this.#sectors.keys()].every((s) => this.#covers(union, s))) return [ALL];
    return topics.sort();
  }

  /** @param {ReadonlySet<string>} topics @param {string} topic */
  #covers(topics, topic) {
    if (topics.has(ALL) || topics.has(topic)) return true;
    const sector = this.#sectors?.get(topic);
    return sector !== undefined && topics.has(sectorTopic(sector));
  }
}
