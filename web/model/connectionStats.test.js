import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';
import { ConnectionStats } from './connectionStats.js';

/** @type {{ url: string, signal: AbortSignal, answer: (c: { wire_bytes: number, ticks: number }) => void }[]} */
let requests;
/** @type {{ lane: 'sse' | 'ws', conn: string } | null} */
let stream;

beforeEach(() => {
  requests = [];
  stream = { lane: 'ws', conn: 'a' };
  mock.reset();
  mock.timers.enable({ apis: ['setInterval'] });
  mock.method(globalThis, 'fetch', (/** @type {string} */ url, /** @type {{ signal: AbortSignal }} */ { signal }) => new Promise((done, fail) => {
    signal.addEventListener('abort', () => fail(signal.reason));
    requests.push({ url, signal, answer: (c) => done(/** @type {any} */ ({ ok: true, json: async () => c })) });
  }));
});

const settled = () => new Promise((done) => setImmediate(done));

test('the counters of the connection in use give the rate', async () => {
  const w = new ConnectionStats(() => stream, () => true);
  w.begin();
  assert.equal(requests[0].url, '/ws/connections/a');
  requests[0].answer({ wire_bytes: 1000, ticks: 10 });
  await settled();
  assert.ok(Number.isNaN(w.rate), 'one reading gives no rate');
  mock.timers.tick(2000);
  requests[1].answer({ wire_bytes: 3000, ticks: 20 });
  await settled();
  assert.equal(w.perTick, 200);
  assert.ok(w.rate > 0);
  stream = null;
  w.changed();
  assert.ok(Number.isNaN(w.rate), 'it ended');
});

test('a request about a connection that ended is cancelled', async () => {
  const w = new ConnectionStats(() => stream, () => true);
  w.begin();
  w.changed();
  assert.equal(requests[0].signal.aborted, false, 'it is still in use');
  stream = null;
  w.changed();
  assert.equal(requests[0].signal.aborted, true);
  assert.ok(Number.isNaN(w.rate));
  await settled();
  mock.timers.tick(2000);
  assert.equal(requests.length, 1, 'no request without a connection');
});

test('the next connection is read at once, and a response about the last one is ignored', async () => {
  const w = new ConnectionStats(() => stream, () => true);
  w.begin();
  stream = { lane: 'sse', conn: 'b' };
  w.changed();
  w.begin();
  assert.equal(requests[0].signal.aborted, true);
  assert.equal(requests[1].url, '/sse/connections/b');
  requests[1].answer({ wire_bytes: 500, ticks: 10 });
  await settled();
  mock.timers.tick(2000);
  requests[2].answer({ wire_bytes: 1000, ticks: 20 });
  await settled();
  assert.equal(w.perTick, 50);
});

test('bytes per tick exclude the snapshot and start over with each connection', async () => {
  const w = new ConnectionStats(() => stream, () => true);
  let n = 0;
  const answer = async (/** @type {number} */ wire_bytes, /** @type {number} */ ticks) => {
    requests[n++]?.answer({ wire_bytes, ticks });
    await settled();
    mock.timers.tick(2000);
    return w.perTick;
  };
  w.begin();
  assert.ok(Number.isNaN(await answer(300, 0)), 'the snapshot may not be sent yet');
  assert.ok(Number.isNaN(await answer(9000, 5)), 'the snapshot\'s share is unknown');
  assert.equal(await answer(10_000, 15), 100);
  assert.equal(await answer(12_000, 25), 150);
  stream = { lane: 'sse', conn: 'b' };
  w.changed();
  w.begin();
  n++; // the request of the timer was cancelled
  assert.ok(Number.isNaN(await answer(5000, 10)));
  assert.equal(await answer(5800, 20), 80);
});

test('a request without a response is replaced by the next', async () => {
  const w = new ConnectionStats(() => stream, () => true);
  w.begin();
  mock.timers.tick(2000);
  assert.deepEqual(requests.map((a) => a.signal.aborted), [true, false]);
  requests[1].answer({ wire_bytes: 500, ticks: 10 });
  await settled();
  assert.equal(w.info?.conn, 'a');
});
