const EVERY = 1_000; // ms
const STATS = 2; // rounds between looks at the whole server

/**
 * Asks the server once a second what it wrote for each side, which a script can't see. One request at a time: with
 * HTTP/1.1 a browser has six connections to a host, and the streams hold some of them.
 */
export class Poll {
  #platform;
  #server;
  #place;
  #cpu;
  /** @type {any} */
  #timer = null;
  #run = 0;

  /**
   * @param {{ setTimeout: (fn: () => void, ms: number) => any, clearTimeout: (id: any) => void }} platform
   * @param {import('./server.js').Server} server
   * @param {() => { sides: [import('./side.js').Side, import('./side.js').Side], stretch: number } | null} place where
   *   the measurement stands; null while time is left out. An answer that comes in another stretch than it was asked
   *   for in doesn't count
   * @param {import('./meters.js').CpuMeter} cpu
   */
  constructor(platform, server, place, cpu) {
    this.#platform = platform;
    this.#server = server;
    this.#place = place;
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
    this.#timer = this.#platform.setTimeout(() => void this.#loop(run, round + 1), EVERY);
  }

  /** @param {number} round */
  async #round(round) {
    const place = this.#place();
    if (!place) return;
    const same = () => this.#place()?.stretch === place.stretch;
    for (const side of place.sides) {
      const { conn } = side.feed;
      if (conn === undefined) continue;
      const c = await this.#server.connection(side.lane, conn).catch(() => null);
      if (c && same()) {
        side.compression = c.compression ?? 'none'; // a server that can't compress doesn't tell
        side.bytes.take({ conn, ticks: c.ticks, writes: c.writes, payload: c.payload_bytes, wire: c.wire_bytes });
      }
    }
    if (round % STATS !== 0) return;
    const stats = await this.#server.stats().catch(() => null);
    if (stats && same()) this.#cpu.take(stats);
  }
}
