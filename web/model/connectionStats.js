import { getJSON } from '../browser/http.js';

/** @typedef {import('../types.js').Lane} Lane */

const EVERY = 2000; // ms

/**
 * What the lane costs on the wire. A script can't see that, so the server's own counters of this connection are asked
 * for: headers, framing and compression are in them.
 */
export class ConnectionStats {
  #stream;
  #visible;
  /** @type {{ conn: string, at: number, bytes: number } | null} */
  #before = null;
  /** The first answer with ticks, so after the snapshot. @type {{ conn: string, bytes: number, ticks: number } | null} */
  #first = null;
  /** @type {{ conn: string, cut: AbortController } | null} the question on its way */
  #asking = null;
  /** Bytes a second since the last answer; NaN when not known. */
  rate = NaN;
  /** Bytes for each tick handed over, but for those that a connection begins with: a snapshot is no tick. NaN when not known. */
  perTick = NaN;
  /** What the server says of the connection in use. @type {{ conn: string, encoding: string, compression: string } | null} */
  info = null;

  /**
   * @param {() => { lane: Lane, conn: string } | null} stream the connection in use, null while there is none
   * @param {() => boolean} visible whether the page can be seen
   */
  constructor(stream, visible) {
    this.#stream = stream;
    this.#visible = visible;
    setInterval(() => void this.#ask(), EVERY);
  }

  /** To be called when a connection is made, so that the first figure doesn't take two rounds. */
  begin() {
    void this.#ask();
  }

  /** To be called when a connection may have ended: the server no longer knows it, so a question about it is called off, and it costs nothing more. */
  changed() {
    if (!this.#stream()) this.rate = NaN;
    if (this.#asking && this.#asking.conn !== this.#stream()?.conn) this.#asking.cut.abort();
  }

  async #ask() {
    this.#asking?.cut.abort();
    if (!this.#visible()) {
      this.#before = null; // the next figure would be a mean over all of that time
      return;
    }
    const s = this.#stream();
    if (!s) {
      this.#before = null;
      this.rate = NaN;
      return;
    }
    const asking = { conn: s.conn, cut: new AbortController() };
    this.#asking = asking;
    try {
      const c = await getJSON(`/${s.lane}/connections/${encodeURIComponent(s.conn)}`, { signal: asking.cut.signal });
      if (this.#asking !== asking) return;
      const at = performance.now();
      const b = this.#before;
      this.rate = b && b.conn === s.conn && at > b.at ? ((c.wire_bytes - b.bytes) * 1000) / (at - b.at) : NaN;
      this.info = { conn: s.conn, encoding: c.encoding, compression: c.compression };
      if (this.#first?.conn !== s.conn) this.#first = null;
      if (c.ticks > 0) this.#first ??= { conn: s.conn, bytes: c.wire_bytes, ticks: c.ticks };
      const { bytes = NaN, ticks = NaN } = this.#first ?? {};
      this.perTick = c.ticks > ticks ? (c.wire_bytes - bytes) / (c.ticks - ticks) : NaN;
      this.#before = { conn: s.conn, at, bytes: c.wire_bytes };
    } catch {
      if (this.#asking !== asking) return; // another asks already
      this.#before = null;
      this.rate = NaN;
    }
    this.#asking = null;
  }
}
