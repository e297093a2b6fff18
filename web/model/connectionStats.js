import { getJSON } from '../browser/http.js';

/** @import { Lane } from '../types.js' */

const EVERY = 2000; // ms

/**
 * The bytes of the connection in use, with headers, framing and compression. A script can't measure them, so they are
 * read from the server's counters every 2 s.
 */
export class ConnectionStats {
  #stream;
  #visible;
  /** @type {{ conn: string, at: number, bytes: number } | null} */
  #last = null;
  /** The first reading with ticks, which is after the snapshot. @type {{ conn: string, bytes: number, ticks: number } | null} */
  #first = null;
  /** @type {{ conn: string, abort: AbortController } | null} in progress */
  #request = null;
  #notBefore = 0; // performance.now() before which the server asked not to repeat a request
  /** Bytes per second since the previous reading; NaN when not known. */
  rate = NaN;
  /** Bytes per tick, without the connection's snapshot; NaN when not known. */
  perTick = NaN;
  /** How the connection in use is encoded. @type {{ conn: string, encoding: string, compression: string } | null} */
  info = null;

  /**
   * @param {() => { lane: Lane, conn: string } | null} stream the connection in use, null while there is none
   * @param {() => boolean} visible whether the page can be seen
   */
  constructor(stream, visible) {
    this.#stream = stream;
    this.#visible = visible;
    setInterval(() => void this.#read(), EVERY);
  }

  /** Reads at once. To be called when a connection is established, so that the first figure does not take two intervals. */
  begin() {
    void this.#read();
  }

  /** To be called when a connection may have ended: a request about it is cancelled, since the server no longer knows it. */
  changed() {
    if (!this.#stream()) this.rate = NaN;
    if (this.#request && this.#request.conn !== this.#stream()?.conn) this.#request.abort.abort();
  }

  async #read() {
    this.#request?.abort.abort();
    if (!this.#visible()) {
      this.#last = null; // the next rate would be a mean over the hidden time
      return;
    }
    const s = this.#stream();
    if (performance.now() < this.#notBefore) return;
    if (!s) {
      this.#last = null;
      this.rate = NaN;
      return;
    }
    const request = { conn: s.conn, abort: new AbortController() };
    this.#request = request;
    try {
      const c = await getJSON(`/${s.lane}/connections/${encodeURIComponent(s.conn)}`, { signal: request.abort.signal });
      if (this.#request !== request) return;
      const at = performance.now();
      const b = this.#last;
      this.rate = b && b.conn === s.conn && at > b.at ? ((c.wire_bytes - b.bytes) * 1000) / (at - b.at) : NaN;
      this.info = { conn: s.conn, encoding: c.encoding, compression: c.compression };
      if (this.#first?.conn !== s.conn) this.#first = null;
      if (c.ticks > 0) this.#first ??= { conn: s.conn, bytes: c.wire_bytes, ticks: c.ticks };
      const { bytes = NaN, ticks = NaN } = this.#first ?? {};
      this.perTick = c.ticks > ticks ? (c.wire_bytes - bytes) / (c.ticks - ticks) : NaN;
      this.#last = { conn: s.conn, at, bytes: c.wire_bytes };
    } catch (err) {
      if (this.#request !== request) return; // a newer request has replaced it
      this.#notBefore = performance.now() + (/** @type {{ retryAfter?: number }} */ (err).retryAfter ?? 0);
      this.#last = null;
      this.rate = NaN;
    }
    this.#request = null;
  }
}
