const INTERVAL = 1_000; // ms
const STATS = 2; // rounds between requests of /api/stats

/**
 * Requests the server's counters of both connections once a second, since a script cannot see bytes on the wire. One
 * request at a time: with HTTP/1.1 a browser opens six connections to a host, and the streams occupy some of them.
 */
export class Poll {
  #platform;
  #server;
  #current;
  #cpu;
  /** @type {any} */
  #timer = null;
  #run = 0;
  #refused = false; // the user may not read the server's statistics

  /**
   * @param {{ setTimeout: (fn: () => void, ms: number) => any, clearTimeout: (id: any) => void }} platform
   * @param {import('./server.js').Server} server
   * @param {() => { sides: [import('./side.js').Side, import('./side.js').Side], stretch: number } | null} current the
   *   sides and the stretch of the measurement; null while time is left out. A response in a later stretch than its
   *   request does not count
   * @param {import('./meters.js').CpuMeter} cpu
   */
  constructor(platform, server, current, cpu) {
    this.#platform = platform;
    this.#server = server;
    this.#current = current;
    this.#cpu = cpu;
  }

  start() {
    void this.#loop(++this.#run, 0);
  }

  stop() {
    this.#run++;
    this.#platform.clearTimeout(this.#timer);
  }

  /** @param {number} run @param {number} round */
  async #loop(run, round) {
    await this.#round(round);
    if (run !== this.#run) return;
    this.#timer = this.#platform.setTimeout(() => void this.#loop(run, round + 1), INTERVAL);
  }

  /** @param {number} round */
  async #round(round) {
    const current = this.#current();
    if (!current) return;
    const same = () => this.#current()?.stretch === current.stretch;
    for (const side of current.sides) {
      const { conn } = side.feed;
      if (conn === undefined) continue;
      const c = await this.#server.connection(side.lane, conn).catch(() => null);
      if (c && same()) {
        side.compression = c.compression ?? 'none'; // absent when the server cannot compress
        side.bytes.take({ conn, ticks: c.ticks, writes: c.writes, payload: c.payload_bytes, wire: c.wire_bytes });
      }
    }
    if (this.#refused || round % STATS !== 0) return;
    const stats = await this.#server.stats().catch((err) => {
      this.#refused = err.code === 'refused';
      return null;
    });
    if (stats && same()) this.#cpu.take(stats);
  }
}
