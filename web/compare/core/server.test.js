import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Server } from './server.js';

test("a refusal for want of a right is a sentence of the page, not the server's", async () => {
  const answer = (/** @type {number} */ status) => /** @type {any} */ (async () => new Response('{"detail":"text of the server"}', { status }));
  const rate = (/** @type {number} */ status) => new Server({ origin: 'http://127.0.0.1', fetch: answer(status), lab: true }).rate(5);
  await assert.rejects(rate(403), { code: 'refused', message: 'your access doesn’t include the lab' });
  await assert.rejects(rate(409), { code: 'http', message: 'text of the server' });
});

test('an answer whose body is cut is a failure of the network', async () => {
  const fetch = /** @type {any} */ (async () => new Response('{"lanes":', { status: 200 }));
  await assert.rejects(new Server({ origin: 'http://127.0.0.1', fetch, lab: true }).stats(), { code: 'network' });
});
