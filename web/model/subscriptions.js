import { timers } from '../browser/timers.js';

/** @import { Timers } from '../types.js' */

/** @typedef {{ symbol: string, sector: string }} Known a symbol of the server, and its sector */

export const ALL = '*';
/** @param {string} sector */
export const sectorTopic = (sector) => `sector:${sector}`;

const ADD = 50; // ms in which several changes become one command
const REMOVE = 1500; // ms until an unused topic is removed: a search, for example, is soon cleared

/**
 * Determines the stream's topics from what the parts of the page need. Missing topics are added at once, unused ones are
 * removed after a while.
 */
export class Subscriptions {
  /** @type {Map<string, readonly string[]>} */
  #required = new Map();
  /** @type {Map<string, string> | null} sector by symbol; null until the symbols are known */
  #sectors = null;
  #known = new Set([ALL]); // all valid topics
  /** @type {string[]} those of the last request */
  #requested;
  #confirmed = new Set([ALL]); // those of the stream
  /** @type {any} */
  #addTimer = null;
  /** @type {any} */
  #removeTimer = null;
  /** @type {Set<() => void>} */
  #listeners = new Set();
  #host;

  /**
   * @param {Partial<Timers> & { set: (topics: string[]) => Promise<void>, most?: number }} host set changes the feed's topics, which start as "*"; most is the server's limit
   */
  constructor(host) {
    this.#host = { most: 512, ...timers, ...host };
    this.#requested = [ALL];
  }

  /** The server's limit of topics per stream. */
  get most() {
    return this.#host.most;
  }

  /** Sets the server's symbols. Until then the stream has all topics, since an unknown topic would be refused. @param {Iterable<Known>} symbols */
  setSymbols(symbols) {
    this.#sectors = new Map();
    this.#known = new Set([ALL]);
    for (const { symbol, sector } of symbols) {
      this.#sectors.set(symbol, sector);
      this.#known.add(symbol).add(sectorTopic(sector));
    }
    // A restarted server may lack some: a request with one of them would be refused as a whole.
    this.#requested = this.#requested.filter((t) => this.#known.has(t));
    if (this.#requested.length === 0) this.#requested = [ALL];
    this.#plan();
  }

  /** Reports whether the server has a topic. @param {string} topic */
  knows(topic) {
    return this.#known.has(topic);
  }

  /**
   * Replaces the topics that a part of the page needs: symbols, "sector:…" or "*". Unknown ones are ignored.
   * @param {string} part @param {readonly string[]} topics
   */
  require(part, topics) {
    const before = this.#required.get(part);
    if (topics.length === (before?.length ?? 0) && topics.every((t, i) => before?.[i] === t)) return;
    if (topics.length > 0) this.#required.set(part, [...topics]);
    else this.#required.delete(part);
    this.#plan();
  }

  /** Sets the stream's topics, from its hello or a subscription message. @param {readonly string[]} topics */
  confirm(topics) {
    this.#confirmed = new Set(topics);
    for (const fn of this.#listeners) fn();
  }

  /** Reports whether the stream has a symbol. @param {string} symbol */
  has(symbol) {
    return this.#covers(this.#confirmed, symbol);
  }

  /** @param {() => void} fn called when the stream's topics have changed */
  on(fn) {
    this.#listeners.add(fn);
  }

  #plan() {
    const target = this.#target();
    if (target === null) return;
    const requested = new Set(this.#requested);
    const { setTimeout, clearTimeout } = this.#host;
    clearTimeout(this.#removeTimer);
    clearTimeout(this.#addTimer);
    if (target.some((t) => !this.#covers(requested, t))) this.#addTimer = setTimeout(() => this.#add(), ADD);
    else if (target.length !== requested.size || target.some((t) => !requested.has(t))) this.#removeTimer = setTimeout(() => this.#request(this.#target()), REMOVE);
  }

  /** Adds the missing topics and keeps the unused ones for now. */
  #add() {
    const target = this.#target();
    if (target === null) return;
    const both = target.includes(ALL) ? [ALL] : [...new Set([...this.#requested, ...target])];
    this.#request(both.length > this.#host.most ? target : both);
    this.#plan();
  }

  /** @param {string[] | null} topics */
  #request(topics) {
    if (topics === null) return;
    this.#requested = topics;
    this.#host.set(topics).catch((/** @type {any} */ err) => {
      // The server was restarted or has lower limits: all topics are always allowed.
      if (err.code === 'closed' || this.#requested !== topics || topics.includes(ALL)) return;
      this.#request([ALL]);
    });
  }

  /** The fewest topics that cover what all parts need; null while nothing is needed. @returns {string[] | null} */
  #target() {
    if (this.#sectors === null) return null;
    const union = new Set([...this.#required.values()].flat().filter((t) => this.#known.has(t)));
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
