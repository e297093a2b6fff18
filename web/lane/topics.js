import { CommandError } from './commandError.js';

/** @typedef {import('../types.js').Subscription} Subscription */

const AGAIN = 1_000; // ms until a command that was refused for its rate is tried again
const SLACK = 96; // bytes of a command beside its topics

/**
 * Brings the server's topics to what is wanted, by commands on the open stream.
 *
 * A reconnect asks for the topics that the stream already had, and the change follows as a command: a resume that is
 * complete brings no snapshot, so new topics in its URL would begin without quotes.
 */
export class TopicSync {
  /** @type {string[]} */
  #wanted;
  /** @type {string[]} as the server answered last */
  #acked;
  /** @type {string[]} as the stream said last */
  #told;
  /** @type {string[]} with a snapshot of each */
  #resumable;
  #stream = 0; // counts streams, so that an answer of an earlier one is known
  #snapshotDue = false;
  #dropFirst = false;
  #busy = false;
  #again = false; // something changed while a command was under way
  /** @type {any} */
  #timer = null;
  /** @type {{ resolve: () => void, reject: (e: Error) => void }[]} */
  #waiters = [];
  #host;

  /**
   * @param {string[]} topics
   * @param {{
   *   send: (action: 'subscribe' | 'unsubscribe', topics: string[]) => Promise<Subscription> | null,
   *   adding: (due: boolean) => void,
   *   refused: (e: CommandError, topics: string[]) => void,
   *   gone: () => void,
   *   commandBytes: number,
   *   setTimeout: (fn: () => void, ms: number) => any,
   *   clearTimeout: (id: any) => void,
   * }} host send gives null while no stream is open; adding is told before a snapshot of added topics is due; gone
   *   when the server no longer knows the stream; commandBytes is how large a command may be
   */
  constructor(topics, host) {
    this.#wanted = this.#acked = this.#told = this.#resumable = checked(topics);
    this.#host = host;
  }

  get wanted() {
    return this.#wanted;
  }

  /** What a reconnect that resumes may ask for. */
  get resumable() {
    return this.#resumable;
  }

  /** A stream began with these. @param {string[]} topics */
  hello(topics) {
    this.#stream++;
    this.#acked = this.#told = this.#resumable = topics;
    this.#snapshotDue = false;
    void this.#run();
  }

  /** The stream told its topics. @param {string[]} topics */
  subscription(topics) {
    this.#told = topics;
    if (!this.#snapshotDue) this.#resumable = topics;
  }

  /** The stream brought a snapshot. */
  snapshot() {
    this.#snapshotDue = false;
    this.#resumable = this.#told;
  }

  /**
   * @param {string[]} topics
   * @returns {Promise<void>} fulfilled when the server has them, however many reconnects that takes; rejected with its
   *   CommandError when it refuses them
   */
  want(topics) {
    this.#wanted = checked(topics);
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      void this.#run();
    });
  }

  /** No stream is open, and the server has only some topics now: one that is asked for and isn't there refuses the stream. @param {(topic: string) => boolean} known */
  retain(known) {
    const left = (/** @type {string[]} */ topics) => {
      const some = topics.filter(known);
      return some.length > 0 ? some : ['*'];
    };
    this.#wanted = left(this.#wanted);
    this.#acked = this.#told = this.#resumable = left(this.#resumable);
  }

  /** Lets those who wait know that nothing more will happen. */
  stop() {
    this.#host.clearTimeout(this.#timer);
    this.#settle(new CommandError('closed', 'the feed was stopped'));
  }

  async #run() {
    this.#again = true;
    if (this.#busy) return;
    this.#busy = true;
    this.#host.clearTimeout(this.#timer);
    try {
      while (this.#again) {
        this.#again = false;
        if (await this.#step()) this.#again = true;
      }
    } finally {
      this.#busy = false;
    }
  }

  /** One command. @returns {Promise<boolean>} whether to go on */
  async #step() {
    const wanted = this.#wanted;
    const add = wanted.filter((t) => !this.#acked.includes(t));
    const drop = this.#acked.filter((t) => !wanted.includes(t));
    if (add.length + drop.length === 0) {
      this.#settle(null);
      return false;
    }
    // Added first, so that the set is never empty, unless the server has no room for both.
    const stream = this.#stream;
    const adding = add.length > 0 && !(this.#dropFirst && drop.length > 0);
    if (adding) this.#expect(true);
    const sent = adding ? this.#host.send('subscribe', this.#fit(add)) : this.#host.send('unsubscribe', this.#fit(drop));
    if (!sent) {
      if (adding) this.#expect(false);
      return false; // the next hello goes on
    }
    try {
      const answer = await sent;
      if (stream === this.#stream) this.#acked = answer.topics;
      return true;
    } catch (err) {
      if (stream !== this.#stream) return true; // a new stream began meanwhile, whose hello told its topics
      if (adding) this.#expect(false);
      if (adding && drop.length > 0 && /** @type {CommandError} */ (err).code === 'too_many_topics') {
        this.#dropFirst = true;
        return true;
      }
      return this.#failed(/** @type {CommandError} */ (err), wanted);
    }
  }

  /** As many as one command may carry, at least one; the next takes the rest. @param {string[]} topics */
  #fit(topics) {
    let room = this.#host.commandBytes - SLACK;
    const end = topics.findIndex((t, k) => {
      room -= JSON.stringify(t).length + 1;
      return room < 0 && k > 0;
    });
    return end < 0 ? topics : topics.slice(0, end);
  }

  /** @param {CommandError} err @param {string[]} wanted @returns {boolean} whether to go on */
  #failed(err, wanted) {
    switch (err.code) {
      case 'closed':
        return false;
      case 'unknown_conn':
        this.#host.gone();
        return false;
      case 'rate':
      case 'network':
        this.#timer = this.#host.setTimeout(() => void this.#run(), AGAIN);
        return false;
    }
    this.#host.refused(err, wanted);
    if (this.#wanted !== wanted) return true; // something else is wanted by now
    this.#wanted = this.#acked;
    this.#settle(err);
    return false;
  }

  /** @param {boolean} due */
  #expect(due) {
    this.#snapshotDue = due;
    this.#host.adding(due);
  }

  /** @param {Error | null} err */
  #settle(err) {
    this.#dropFirst = false;
    for (const { resolve, reject } of this.#waiters.splice(0)) err ? reject(err) : resolve();
  }
}

/** @param {string[]} topics @returns {string[]} a copy without doubles @throws {RangeError} */
function checked(topics) {
  if (!Array.isArray(topics) || topics.length === 0 || topics.some((t) => typeof t !== 'string' || t === '')) {
    throw new RangeError('topics: want a list of at least one symbol, sector or "*"');
  }
  return [...new Set(topics)];
}
