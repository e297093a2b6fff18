import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, test } from 'node:test';
import { diagnose } from './diagnosis.js';

const DURATION = 0.4; // s of the stream that shows whether it is held back
const HELLO = 'event: hello\ndata: {}\n\n';

/** What the server, or a proxy before it, answers: a status by path, and how event streams are passed on. */
const usual = { down: false, post: 404, get: 426, sse: 200, held: false, gzip: false };
let way = usual;
const server = createServer(({ url = '', method }, res) => {
  const end = (/** @type {number} */ status) => res.writeHead(status).end();
  if (way.down) end(502);
  else if (url === '/api/time') end(200);
  else if (method === 'POST') end(way.post);
  else if (url === '/ws/subscribe') end(way.get);
  else if (way.sse !== 200) end(way.sse);
  else {
    assert.equal(url, '/sse/subscribe?user=diagnosis&topics=AAPL&snapshot=false&duration=0.4s');
    const head = () => res.writeHead(200, { 'Content-Type': 'text/event-stream', ...(way.gzip && { 'Content-Encoding': 'identity' }) });
    const { held } = way;
    if (!held) head().write(HELLO);
    setTimeout(() => (held ? head() : res).end(HELLO), DURATION * 1000);
  }
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(null)));
after(() => server.close());
const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
const page = { origin: `http://127.0.0.1:${port}`, fetch: globalThis.fetch, symbol: 'AAPL', duration: DURATION };

/** @param {Partial<typeof usual>} changes @param {import('./proxyWatch.js').Symptom} symptom */
const found = (changes, symptom) => {
  way = { ...usual, ...changes };
  return diagnose(symptom, page);
};

test('a WebSocket that does not open: Host was changed, Upgrade was dropped, or it is no proxy', async () => {
  assert.equal(await found({}, 'websocket'), 'upgrade');
  assert.equal(await found({ post: 403 }, 'websocket'), 'host');
  assert.equal(await found({ post: 421 }, 'websocket'), 'host');
  assert.equal(await found({ get: 401 }, 'websocket'), null);
  assert.equal(await found({ get: 503 }, 'websocket'), null);
});

test('a stream that is held back until its end, compressed or not', async () => {
  for (const symptom of /** @type {const} */ (['silent', 'bursts'])) {
    assert.equal(await found({ held: true }, symptom), 'buffered');
    assert.equal(await found({ held: true, gzip: true }, symptom), 'compressed');
    assert.equal(await found({ gzip: true }, symptom), null, 'compressed, but on time');
    assert.equal(await found({ sse: 503 }, symptom), null);
  }
});

test('equal cuts are those of a time limit', async () => {
  assert.equal(await found({}, 'cuts'), 'timeout');
});

test('while the server cannot be reached, no proxy is blamed', async () => {
  for (const symptom of /** @type {const} */ (['silent', 'bursts', 'websocket', 'cuts'])) assert.equal(await found({ down: true }, symptom), null);
  assert.equal(await diagnose('silent', { ...page, origin: 'http://127.0.0.1:1' }), null);
});
