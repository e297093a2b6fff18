import { Connection } from '../connection.js';

/** @import { Hello, Message } from '../../types.js' */
/** @import { TabStream } from './tabStream.js' */

/**
 * Brings tabs up to the ring that are behind its oldest tick, each over a temporary connection with the tab's position.
 * One at a time: a browser opens at most six connections to a host.
 */
export class CatchUp {
  #lane;
  #options;
  #host;
  /** The first one has the connection. @type {TabStream[]} */
  #queue = [];

  /**
   * @param {import('../../types.js').Lane} lane
   * @param {import('../connection.js').ConnectionOptions} options
   * @param {{ hello: () => Hello | null | undefined, has: (topics: string[], seq: number) => boolean, reached: (tab: TabStream, seq: number) => void, ended: (tab: TabStream, why: string, close?: import('../../types.js').Close) => void }} host
   *   hello is the shared connection's; has reports whether the ring holds every tick of topics above a seq
   */
  constructor(lane, options, host) {
    this.#lane = lane;
    this.#options = options;
    this.#host = host;
  }

  /** @param {TabStream} tab */
  has(tab) {
    return this.#queue.includes(tab);
  }

  /** @param {TabStream} tab @param {Hello} hello of the shared connection */
  add(tab, hello) {
    this.#queue.push(tab);
    if (this.#queue.length === 1) this.#connect(tab, hello);
  }

  /** Removes a tab and closes its temporary connection; the next one starts. @param {TabStream} tab */
  remove(tab) {
    const first = this.#queue[0] === tab;
    this.#queue = this.#queue.filter((t) => t !== tab);
    tab.temporary?.drop();
    tab.temporary = null;
    const next = this.#queue[0];
    const hello = this.#host.hello();
    if (first && next && hello) this.#connect(next, hello);
  }

  /** @param {TabStream} tab @param {Hello} hello of the shared connection */
  #connect(tab, hello) {
    let at = 0; // the seq that the connection has reached
    let due = false; // a snapshot is expected
    tab.temporary = new Connection(this.#lane, { topics: tab.topics, from: tab.from }, this.#options, {
      text: (connection, data, read) => {
        const now = this.#options.now();
        /** @type {Message | null} */
        let m = null;
        try {
          m = read();
        } catch {
          tab.relay([data], [now]);
        }
        if (m === null) return;
        if (m.T === 'bye') {
          this.#host.ended(tab, m.reason, { retry: m.retry });
          return;
        }
        if (m.T === 'hello') {
          connection.established(m, this.#options.wall());
          tab.send({ ...m, conn: hello.conn });
          due = m.resume !== 'complete';
          at = due ? 0 : Number((connection.requested ?? '').split('-')[1]);
          // It changes nothing, but the answer has the seq up to which quiet topics are complete.
          connection.command('subscribe', tab.topics)?.catch(() => {});
        } else if (m.T === 'subscription') at = Math.max(at, m.i);
        else tab.relay([data], [now]);
        if (m.T === 'gap') due = true;
        if (m.T === 'snapshot' && m.part === m.parts) due = false; // a single message has neither
        if (m.T === 'q' || m.T === 'snapshot') at = m.i;
        if (m.T === 'hb') at = m.head ?? at;
        if (due || !this.#host.has(tab.topics, at)) return;
        this.remove(tab);
        this.#host.reached(tab, at);
      },
      closed: (connection, why) => this.#host.ended(tab, why, connection.close),
    });
  }
}
