import { TopicSync } from '../topics.js';

/** @import { CommandError } from '../commandError.js' */
/** @import { Subscription, Timers } from '../../types.js' */

/** The topics of a shared connection: all that its tabs need, and the seq from which each is complete. */
export class SharedTopics {
  #options;
  #host;
  /** @type {TopicSync | null} */
  #sync = null;
  /** The seq from which each topic is complete. @type {Map<string, number>} */
  #since = new Map();
  #all = false; // the tabs need more topics than the server allows, so the connection has all
  /** @type {Promise<void>} changes, one after another */
  #queue = Promise.resolve();

  /**
   * @param {Timers & { commandBytes: number }} options
   * @param {{ send: (action: 'subscribe' | 'unsubscribe', topics: string[]) => Promise<Subscription> | null, gone: () => void }} host as in TopicSync
   */
  constructor(options, host) {
    this.#options = options;
    this.#host = host;
  }

  /** Starts over with these. @param {string[]} topics */
  restart(topics) {
    this.stop();
    this.#since.clear();
    this.#sync = new TopicSync(topics, { ...this.#options, ...this.#host, refused: () => {} });
  }

  stop() {
    this.#sync?.stop();
  }

  /** The topics that a reconnect with a position may request. */
  get resumable() {
    return this.#sync?.resumable ?? [];
  }

  /** Handles a hello. @param {string[]} topics @param {boolean} complete whether it resumed without a gap */
  hello(topics, complete) {
    this.#sync?.hello(topics);
    if (!complete) this.#since.clear();
  }

  /** Handles a snapshot. @param {boolean} reset whether ticks before it are missing */
  snapshot(reset) {
    this.#sync?.snapshot();
    if (reset) this.#since.clear();
  }

  /** @param {string[]} topics of the stream's subscription message @param {boolean} snapshot whether a snapshot of added topics follows */
  subscription(topics, snapshot) {
    this.#sync?.subscription(topics, snapshot);
  }

  /** Records from which seq new topics are complete. @param {number} seq that the stream has reached */
  update(seq) {
    const { resumable } = this;
    for (const topic of this.#since.keys()) if (!resumable.includes(topic)) this.#since.delete(topic);
    for (const topic of resumable) if (!this.#since.has(topic)) this.#since.set(topic, seq);
  }

  /** Reports whether the connection carries a topic. @param {string} topic */
  carries(topic) {
    const { resumable } = this;
    return resumable.includes(topic) || (this.#all && resumable.includes('*'));
  }

  /** Reports whether the connection has carried every tick of these topics above a seq. @param {string[]} topics @param {number} seq */
  complete(topics, seq) {
    return topics.every((t) => (this.#since.get(t) ?? (this.#all ? this.#since.get('*') : undefined) ?? Infinity) <= seq);
  }

  /** Tries single topics again instead of all: fewer may be needed now. */
  narrow() {
    this.#all = false;
  }

  /**
   * Changes the server's topics, after the changes before it.
   * @param {() => string[]} topics called when its turn comes; [] changes nothing
   * @param {(err: CommandError) => void} refused
   * @returns {Promise<void>} fulfilled in either case
   */
  request(topics, refused) {
    this.#queue = this.#queue.then(async () => {
      const needed = topics();
      if (needed.length === 0) return;
      try {
        await this.#sync?.set(this.#all ? ['*'] : needed).catch((err) => {
          if (err.code !== 'too_many_topics') throw err;
          this.#all = true;
          return this.#sync?.set(['*']);
        });
      } catch (err) {
        refused(/** @type {CommandError} */ (err));
      }
    });
    return this.#queue;
  }
}
