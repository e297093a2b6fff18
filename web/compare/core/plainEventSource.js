import { Sequence } from '../../lane/sequence.js';
import { EVENTS, parse } from '../../lane/parse.js';

/** @typedef {import('./recoveryWatch.js').RecoveryWatch} RecoveryWatch */

/**
 * A plain EventSource that counts what it receives. Reconnecting is left to the browser, as on a page without our
 * connector.
 */
export class PlainEventSource {
  #source;
  #sequence = new Sequence();
  #opened = false;
  #open = true;
  /** @type {string | undefined} the connection's secret, from its hello */
  conn;
  /** @type {RecoveryWatch | null} */
  watch = null;
  /** Resolves with the first hello; rejected when the browser gives up before it. @type {Promise<void>} */
  ready;

  /**
   * @param {string} url of /sse/subscribe, with its query
   * @param {{ EventSource: any, now: () => number }} platform
   */
  constructor(url, { EventSource, now }) {
    this.#source = new EventSource(url);
    this.ready = new Promise((resolve, reject) => {
      for (const name of EVENTS) {
        this.#source.addEventListener(name, (/** @type {MessageEvent<string>} */ e) => {
          if (this.#open) this.#text(e.data, now());
          if (this.#opened) resolve();
        });
      }
      this.#source.addEventListener('error', () => {
        if (!this.#open) return;
        const gaveUp = this.#source.readyState === 2;
        this.watch?.ended({ lane: 'sse', reason: 'closed', opened: this.#opened, gaveUp });
        this.#opened = false;
        if (gaveUp) reject(new Error('the browser gave up at the first attempt'));
      });
    });
  }

  get counters() {
    return this.#sequence.counters;
  }

  get seq() {
    return this.#sequence.seq;
  }

  close() {
    this.#open = false;
    this.#source.close();
  }

  /** @param {string} text @param {number} received */
  #text(text, received) {
    let m;
    try {
      m = parse(text);
    } catch {
      this.#sequence.counters.malformed++;
      return;
    }
    if (m === null) return;
    if (m.T === 'hello') {
      this.conn = m.conn;
      this.#opened = true;
      const seq = this.#sequence.seq;
      this.#sequence.hello(m, this.#sequence.position); // which the browser sent as Last-Event-ID
      this.watch?.hello(m, seq);
      return;
    }
    const { deliver, replayed } = this.#sequence.take(m);
    if (m.T === 'q' && deliver) this.watch?.tick(m, received, replayed);
  }
}
