import { settled, FakeServer } from '../../test/fakeServer.js';
import { Comparison } from '../core/comparison.js';
import { defaults } from '../core/setup.js';

/** @typedef {import('../../types.js').Lane} Lane */

const HELD = 5_000; // ms for which a stall delays a stream

/** A fake server with the lab's API, and a page for a comparison. Ticks arrive after the delay of their lane. */
export class Bench extends FakeServer {
  /** ms from due to arrival. @type {Record<Lane, number>} */
  delay = { sse: 3, ws: 3 };
  every = 20; // ms between ticks
  /** Handled requests: "METHOD path body". @type {string[]} */
  requests = [];
  /** @type {Map<string, string>} */
  stored = new Map();
  page = Object.assign(new EventTarget(), { visibilityState: 'visible' });
  #nextTick = 0;
  #symbol = 0;

  /** @param {Partial<import('../core/types.js').Setup>} [setup] @param {Partial<import('../core/types.js').ComparisonOptions>} [options] */
  compare(setup = {}, options = {}) {
    return new Comparison({
      setup: { ...defaults(), ...setup }, lab: true, timed: true, resolution: 0.005, timeOrigin: 0, document: this.page,
      storage: { getItem: (k) => this.stored.get(k) ?? null, setItem: (k, v) => void this.stored.set(k, v) },
      platform: { ...this.options, fetch: /** @type {any} */ ((/** @type {any} */ url, /** @type {any} */ init) => this.handle(url, init)) },
      ...options,
    });
  }

  /** Advances time, with ticks on each lane. @param {number} ms */
  async run(ms) {
    const until = this.time + ms;
    while (this.time < until) {
      this.advance(1);
      if (this.every > 0 && this.time >= this.#nextTick) {
        this.#nextTick = this.time + this.every;
        this.tick(['AAPL', 'MSFT', 'NVDA'][this.#symbol++ % 3] ?? '');
      }
      for (const c of this.live) {
        const injected = Number.parseFloat(c.url.searchParams.get('delay') ?? '0');
        const due = this.ticks[c.pos];
        if (!c.established || c.due.length > 0 || (due && this.time * 1000 - due.t >= (this.delay[c.lane] + injected) * 1000)) c.pump();
      }
      await settled();
    }
  }

  /** Runs until a promise has settled. @template T @param {Promise<T>} promise @returns {Promise<T>} */
  async until(promise) {
    let open = true;
    promise.then(() => (open = false), () => (open = false));
    for (let k = 0; k < 60_000 && open; k += 50) await this.run(50);
    return promise;
  }

  /** @param {string | URL} url @param {any} [init] @returns {Promise<Response>} */
  async handle(url, init = {}) {
    const { pathname } = new URL(url);
    this.requests.push(`${init.method ?? 'GET'} ${pathname} ${init.body ?? ''}`.trim());
    const body = init.body ? JSON.parse(init.body) : {};
    if (pathname === '/api/time') return Response.json({ T: 'time', received: this.time * 1000, sent: this.time * 1000 });
    if (pathname === '/api/stats') return Response.json(this.stats());
    if (pathname === '/sse/subscribe') {
      return new Response('id: a1-1\ndata: {"T":"q","S":"AAPL"}\n\n', { headers: { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' } });
    }
    if (pathname.startsWith('/static/')) return new Response('// a page\nlet x;\nx++;\n');
    if (pathname === '/api/lab/drill') return this.drill(body);
    if (pathname.startsWith('/api/lab/')) return Response.json(body);
    const conn = this.conns.find((c) => pathname === `/${c.lane}/connections/${c.name}`);
    if (conn?.open && init.method === 'POST') return Response.json(conn.command(body));
    if (!conn?.open) return Response.json({ title: 'Not Found' }, { status: 404 });
    const wire = conn.lane === 'sse' ? 157 : 119;
    return Response.json({ ticks: conn.pos, messages: conn.pos, writes: conn.pos, payload_bytes: conn.pos * 117, wire_bytes: conn.pos * wire + 900 });
  }

  stats() {
    const lane = { ticks: this.head, connections: 1 };
    return { process: { cpu_seconds: this.head * 20e-6 }, lanes: { sse: lane, ws: lane } };
  }

  /** @param {{ action: string, conns: string[] }} body */
  drill({ action, conns }) {
    const found = conns.map((name) => this.live.find((c) => c.name === name));
    for (const conn of found) {
      if (!conn) return Response.json({ title: 'Not Found', detail: 'conn: no live stream' }, { status: 404 });
      const client = `${conn.lane} ${conn.user}`;
      if (action === '503' || action === '204') this.refusing.add(client);
      if (action === 'epoch') this.resetting.add(client);
      if (action === 'stall' || action === 'buffer') conn.heldUntil = this.time + HELD;
      else if (action !== 'slow') conn.cut({ code: action === 'end' ? 1001 : 1006 });
    }
    return Response.json({ action, conns: found.length });
  }
}
