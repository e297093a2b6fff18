import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { getJSON, request } from './http.js';

/** Answers /ok and /refused; sends no headers for /hung and no body's end for /half. */
const server = createServer(({ url }, response) => {
  if (url === '/hung') return;
  response.writeHead(url === '/refused' ? 404 : 200, { 'Content-Type': 'application/json' });
  if (url === '/half') response.write('{');
  else response.end(url === '/refused' ? '{"title":"Not Found","detail":"no symbol X"}' : '{"a":1}');
});
let origin = '';
before(() => new Promise((resolve) => {
  server.listen(0, '127.0.0.1', () => resolve(void (origin = `http://127.0.0.1:${/** @type {any} */ (server.address()).port}`)));
}));
after(() => {
  server.closeAllConnections();
  server.close();
});

test('getJSON returns the body, or rejects with the description of a refusal', async () => {
  assert.deepEqual(await getJSON(`${origin}/ok`), { a: 1 });
  await assert.rejects(getJSON(`${origin}/refused`), /no symbol X/);
});

test('a request that gets no headers or no end of its body fails after the time limit', async () => {
  for (const path of ['/hung', '/half']) await assert.rejects(getJSON(origin + path, { timeout: 50 }), /no answer in time/, path);
  await assert.rejects(request(`${origin}/hung`, { timeout: 50 }), { name: 'TimeoutError' });
});

test("the caller's signal ends a request before the time limit", async () => {
  const abort = new AbortController();
  const answer = getJSON(`${origin}/hung`, { signal: abort.signal });
  abort.abort();
  await assert.rejects(answer, { name: 'AbortError' });
});

test('the given fetch is used, with a signal', async () => {
  /** @type {any} */
  let seen;
  await request('/x', { method: 'POST', fetch: /** @type {any} */ (async (/** @type {any} */ ...args) => { seen = args; }) });
  assert.equal(seen[0], '/x');
  assert.equal(seen[1].method, 'POST');
  assert.ok(seen[1].signal instanceof AbortSignal);
});
