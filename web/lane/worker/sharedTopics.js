import { TopicSync } from '../topics.js';

/** @import { CommandError } from '../commandError.js' */
/** @import { Subscription, Timers } from '../../types.js' */

const ALL = '*';

/** @param {readonly string[]} topics @param {string} topic */
const covers = (topics, topic) => topics.includes(topic) || topics.includes(ALL);

/**
 * The topics of a shared connection: all that its tabs need, and the seq from which each is complete. Of as many topics as
 * the server allows, or more, it becomes all topics: one is left free so that "*" can be added before the others are
 * removed, and the other way round, without a tick in between.
 */
export class SharedTopics {
  #options;
  #host;
  /** @type {TopicSync | null} */
  #sync = null;
  /** The seq from which each topic is complete. @type {Map<string, number>} */
  #since = new Map();
  #most; // topics that the server allows
  /** @type {Promise<void>} changes, one after another */
  #queue = Promise.resolve();

  /**
   * @param {Timers & { commandBytes: number, mostTopics: number }} options
   * @param {{ send: (action: 'subscribe' | 'unsubscribe', topics: string[]) => Promise<Subscription> | null, gone: () => void }} host as in TopicSync
   */
  constructor(options, host) {
    this.#options = options;
    this.#most = options.mostTopics;
    this.#host = host;
  }

  /** Starts over with these. @param {string[]} topics */
  restart(topics) {
    this.stop();
    this.#since.clear();
    this.#sync = new TopicSync(this.fit(topics), { ...this.#options, ...this.#host, refused: () => {} });
  }

  stop() {
    this.#sync?.stop();
  }

  /** Topics, or all topics when they are too many. @param {string[]} topics */
  fit(topics) {
    return topics.length >= this.#most ? [ALL] : topics;
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

  /** Reports whether these are the topics that the connection has. @param {string[]} topics */
  unchanged(topics) {
    const { resumable } = this;
    return topics.length === resumable.length && topics.every((topic) => resumable.includes(topic));
  }

  /** Reports whether the connection carries a topic, and is not about to drop it. @param {string} topic */
  carries(topic) {
    return covers(this.resumable, topic) && covers(this.#sync?.desired ?? [], topic);
  }

  /** Reports whether the connection has carried every tick of these topics above a seq. @param {string[]} topics @param {number} seq */
  complete(topics, seq) {
    const since = (/** @type {string} */ t) => this.#since.get(t) ?? Infinity;
    return topics.every((t) => Math.min(since(t), since(ALL)) <= seq);
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
        await this.#sync?.set(this.fit(needed)).catch((err) => {
          if (err.code !== 'too_many_topics') throw err;
          this.#most = needed.length; // the server was restarted with a lower limit
          return this.#sync?.set([ALL]);
        });
      } catch (err) {
        refused(/** @type {CommandError} */ (err));
      }
    });
    return this.#queue;
  }
}
