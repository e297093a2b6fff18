import { CommandError } from './commandError.js';

/** @import { Subscription, Timers } from '../types.js' */

const RETRY = 1_000; // ms until a command is sent again that was refused for its rate or got no answer
const OVERHEAD = 96; // bytes of a command without its topics

/**
 * Changes the server's topics to the desired ones, by commands on the open stream.
 *
 * A reconnect requests the topics that the stream already had; a change follows as a command. A complete resume brings no
 * snapshot, so new topics in its URL would start without quotes.
 */
export class TopicSync {
  /** @type {string[]} */
  #desired;
  /** @type {string[]} of the server's last answer */
  #acked;
  /** @type {string[]} of the stream's last message about them */
  #streamed;
  /** @type {string[]} those whose snapshot has arrived */
  #resumable;
  #stream = 0; // counts streams, to recognise an answer to an earlier one
  #snapshotDue = false;
  #dropFirst = false;
  #busy = false;
  #changed = false; // something changed while a command was in progress
  /** @type {any} */
  #timer = null;
  /** @type {{ resolve: () => void, reject: (e: Error) => void }[]} */
  #waiters = [];
  #host;

  /**
   * @param {string[]} topics
   * @param {Timers & {
   *   send: (action: 'subscribe' | 'unsubscribe', topics: string[]) => Promise<Subscription> | null,
   *   refused: (e: CommandError, topics: string[]) => void,
   *   gone: () => void,
   *   commandBytes: number,
   * }} host send returns null while no stream is open; gone is called when the server no longer knows the stream;
   *   commandBytes limits the size of a command
   */
  constructor(topics, host) {
    this.#desired = this.#acked = this.#streamed = this.#resumable = checked(topics);
    this.#host = host;
  }

  /** The topics that were requested last; the server may not have them yet. */
  get desired() {
    return this.#desired;
  }

  /** The topics that a reconnect with a position may request. */
  get resumable() {
    return this.#resumable;
  }

  /** Handles the topics of a stream's hello. @param {string[]} topics */
  hello(topics) {
    this.#stream++;
    this.#acked = this.#streamed = this.#resumable = topics;
    this.#snapshotDue = false;
    void this.#run();
  }

  /** Handles the stream's subscription message. @param {string[]} topics @param {boolean} snapshot whether a snapshot of added topics follows */
  subscription(topics, snapshot) {
    this.#streamed = topics;
    this.#snapshotDue ||= snapshot;
    if (!this.#snapshotDue) this.#resumable = topics;
  }

  /** Handles a snapshot of the stream. */
  snapshot() {
    this.#snapshotDue = false;
    this.#resumable = this.#streamed;
  }

  /**
   * @param {string[]} topics
   * @returns {Promise<void>} fulfilled when the server has them, across reconnects; rejected with its CommandError when
   *   it refuses them
   */
  set(topics) {
    this.#desired = checked(topics);
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      void this.#run();
    });
  }

  /** Drops topics that the server no longer has, while no stream is open: the server refuses a stream with an unknown topic. @param {(topic: string) => boolean} known */
  retain(known) {
    const left = (/** @type {string[]} */ topics) => {
      const some = topics.filter(known);
      return some.length > 0 ? some : ['*'];
    };
    this.#desired = left(this.#desired);
    this.#acked = this.#streamed = this.#resumable = left(this.#resumable);
  }

  /** Rejects the pending changes. */
  stop() {
    this.#host.clearTimeout(this.#timer);
    this.#finishWaiters(new CommandError('closed', 'the feed was stopped'));
  }

  async #run() {
    this.#changed = true;
    if (this.#busy) return;
    this.#busy = true;
    this.#host.clearTimeout(this.#timer);
    try {
      while (this.#changed) {
        this.#changed = false;
        if (await this.#step()) this.#changed = true;
      }
    } finally {
      this.#busy = false;
    }
  }

  /** Sends one command. @returns {Promise<boolean>} whether another may be needed */
  async #step() {
    const desired = this.#desired;
    const add = desired.filter((t) => !this.#acked.includes(t));
    const drop = this.#acked.filter((t) => !desired.includes(t));
    if (add.length + drop.length === 0) {
      this.#finishWaiters(null);
      return false;
    }
    // Topics are added first, so that the set is never empty, unless both exceed the server's limit.
    const stream = this.#stream;
    const adding = add.length > 0 && !(this.#dropFirst && drop.length > 0);
    const sent = adding ? this.#host.send('subscribe', this.#fit(add)) : this.#host.send('unsubscribe', this.#fit(drop));
    if (!sent) return false; // continued after the next hello
    try {
      const answer = await sent;
      if (stream === this.#stream) this.#acked = answer.topics;
      return true;
    } catch (err) {
      if (stream !== this.#stream) return true; // the hello of a newer stream has set the topics
      if (adding && drop.length > 0 && /** @type {CommandError} */ (err).code === 'too_many_topics') {
        this.#dropFirst = true;
        return true;
      }
      return this.#failed(/** @type {CommandError} */ (err), desired);
    }
  }

  /** As many topics as one command may carry, at least one. @param {string[]} topics */
  #fit(topics) {
    let room = this.#host.commandBytes - OVERHEAD;
    const end = topics.findIndex((t, k) => {
      room -= JSON.stringify(t).length + 1;
      return room < 0 && k > 0;
    });
    return end < 0 ? topics : topics.slice(0, end);
  }

  /** @param {CommandError} err @param {string[]} desired @returns {boolean} whether another command may be needed */
  #failed(err, desired) {
    switch (err.code) {
      case 'closed':
        return false;
      case 'unknown_conn':
        this.#host.gone();
        return false;
      case 'rate':
      case 'network':
        this.#timer = this.#host.setTimeout(() => void this.#run(), Math.max(RETRY, err.retryAfter));
        return false;
    }
    this.#host.refused(err, desired);
    if (this.#desired !== desired) return true; // changed meanwhile
    this.#desired = this.#acked;
    this.#finishWaiters(err);
    return false;
  }

  /** Resolves the pending changes, or rejects them. @param {Error | null} err */
  #finishWaiters(err) {
    this.#dropFirst = false;
    for (const { resolve, reject } of this.#waiters.splice(0)) err ? reject(err) : resolve();
  }
}

/** @param {string[]} topics @returns {string[]} a copy without duplicates @throws {RangeError} */
function checked(topics) {
  if (!Array.isArray(topics) || topics.length === 0 || topics.some((t) => typeof t !== 'string' || t === '')) {
    throw new RangeError('topics: need a list of at least one symbol, sector or "*"');
  }
  return [...new Set(topics)];
}
