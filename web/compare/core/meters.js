/** @typedef {import('./types.js').ByteCost} ByteCost */
/** @typedef {{ conn: string, ticks: number, writes: number, payload: number, wire: number }} Reading */

/** The bytes on the wire, as a share of the messages, below which they are compressed. Framing adds to messages. */
const COMPRESSED = 0.9;

/**
 * Bytes per tick, from the differences between the server's counters of one connection. HTTP header, hello, snapshot
 * and drills are not included.
 */
export class ByteMeter {
  /** @type {Reading | null} */
  #before = null;
  #ticks = 0;
  #writes = 0;
  #payload = 0;
  #wire = 0;
  #idBytes = 0;
  #ids = 0;
  #compressed = false; // some ticks were; a server may compress only while several clients read the same topics

  /** @param {Reading} r */
  take(r) {
    const b = this.#before;
    this.#before = r;
    if (!b || b.conn !== r.conn || r.ticks < b.ticks) return;
    this.#ticks += r.ticks - b.ticks;
    this.#writes += r.writes - b.writes;
    this.#payload += r.payload - b.payload;
    this.#wire += r.wire - b.wire;
    this.#compressed ||= r.wire - b.wire < COMPRESSED * (r.payload - b.payload);
  }

  /** Starts a new stretch: bytes between the last reading and the next do not count. */
  break() {
    this.#before = null;
  }

  /** Counts the `id:` line of a tick: "id: <epoch>-<i>\n". @param {string} epoch @param {number} i */
  id(epoch, i) {
    this.#idBytes += 'id: -\n'.length + epoch.length + String(i).length;
    this.#ids++;
  }

  clear() {
    this.#before = null;
    this.#ticks = this.#writes = this.#payload = this.#wire = this.#idBytes = this.#ids = 0;
    this.#compressed = false;
  }

  /** @returns {ByteCost} */
  cost() {
    const each = (/** @type {number} */ sum) => (this.#ticks > 0 ? sum / this.#ticks : NaN);
    return {
      ticks: this.#ticks,
      payload: each(this.#payload),
      wire: each(this.#wire),
      framing: this.#compressed ? NaN : each(this.#wire - this.#payload),
      id: this.#compressed ? NaN : this.#ids === 0 ? 0 : this.#idBytes / this.#ids,
      writes: each(this.#writes),
    };
  }
}

/** Server CPU per tick delivered to any client, from the differences between answers of /api/stats. */
export class CpuMeter {
  /** @type {{ cpu: number, ticks: number } | null} */
  #before = null;
  #cpu = 0;
  #ticks = 0;
  connections = { sse: NaN, ws: NaN };

  /** @param {any} stats answer of /api/stats */
  take(stats) {
    const { sse, ws } = stats.lanes;
    const now = { cpu: stats.process.cpu_seconds, ticks: sse.ticks + ws.ticks };
    this.connections = { sse: sse.connections, ws: ws.connections };
    const b = this.#before;
    this.#before = now;
    if (!b || now.ticks < b.ticks || now.cpu < b.cpu) return; // the server restarted
    this.#cpu += now.cpu - b.cpu;
    this.#ticks += now.ticks - b.ticks;
  }

  break() {
    this.#before = null;
  }

  clear() {
    this.#before = null;
    this.#cpu = this.#ticks = 0;
  }

  /** perTick in µs, NaN before the second reading. */
  result() {
    return { perTick: this.#ticks > 0 ? (this.#cpu * 1e6) / this.#ticks : NaN, ticks: this.#ticks, connections: { ...this.connections } };
  }
}
