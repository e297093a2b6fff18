import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, test } from 'node:test';
import { diagnose } from './diagnosis.js';

/** What the server, or a proxy before it, answers: a status by path, and whether event streams are compressed. @type {{ down: boolean, post: number, get: number, gzip: boolean, seen: string[] }} */
const way = { down: false, post: 404, get: 426, gzip: false, seen: [] };
const server = createServer(({ url = '', method }, res) => {
  way.seen.push(`${method} ${url}`);
  if (way.down) res.writeHead(502);
  else if (url === '/api/time') res.writeHead(200);
  else if (method === 'POST') res.writeHead(way.post);
  else if (url === '/ws/subscribe') res.writeHead(way.get);
  else res.writeHead(200, { 'Content-Type': 'text/event-stream', ...(way.gzip && { 'Content-Encoding': 'identity' }) });
  res.end();
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(null)));
after(() => server.close());
const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
const page = { origin: `http://127.0.0.1:${port}`, fetch: globalThis.fetch };

/** @param {Partial<typeof way>} changes @param {import('./proxyWatch.js').Symptom} symptom @param {string} [compression] */
const found = (changes, symptom, compression) => {
  Object.assign(way, { down: false, post: 404, get: 426, gzip: false, seen: [] }, changes);
  return diagnose(symptom, { ...page, compression });
};

test('a WebSocket that does not open: Host was changed, Upgrade was dropped, or it is no proxy', async () => {
  assert.equal(await found({}, 'websocket'), 'upgrade');
  assert.equal(await found({ post: 403 }, 'websocket'), 'host');
  assert.equal(await found({ post: 421 }, 'websocket'), 'host');
  assert.equal(await found({ get: 401 }, 'websocket'), null);
  assert.equal(await found({ get: 503 }, 'websocket'), null);
});

test('a stream that is held back, and one that is compressed on its way', async () => {
  assert.equal(await found({}, 'silent'), 'buffered');
  assert.equal(await found({}, 'bursts', 'none'), 'buffered');
  assert.equal(await found({ gzip: true }, 'bursts', 'none'), 'compressed');
  assert.equal(await found({ gzip: true }, 'bursts', 'gzip'), 'buffered', 'the server itself compresses');
  assert.ok(!way.seen.some((line) => line.includes('subscribe')), 'no stream is opened then');
});

test('equal cuts are those of a time limit', async () => {
  assert.equal(await found({}, 'cuts'), 'timeout');
});

test('while the server cannot be reached, no proxy is blamed', async () => {
  for (const symptom of /** @type {const} */ (['silent', 'bursts', 'websocket', 'cuts'])) assert.equal(await found({ down: true }, symptom), null);
  assert.equal(await diagnose('silent', { ...page, origin: 'http://127.0.0.1:1' }), null);
});
