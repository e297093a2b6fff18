import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { bare, read, root } from '../test/sources.js';
import { address, getJSON, onUnauthorized, ownName, pageAddress, request, retryAfter } from './http.js';

/** Answers /ok and /refused; sends no headers for /hung and no body's end for /half. */
const server = createServer(({ url }, response) => {
  if (url === '/hung') return;
  const refused = url === '/refused' || url === '/busy';
  response.writeHead(refused ? 404 : 200, { 'Content-Type': 'application/json', ...(url === '/busy' && { 'Retry-After': '7' }) });
  if (url === '/half') response.write('{');
  else response.end(refused ? '{"title":"Not Found","detail":"no symbol X"}' : '{"a":1}');
});
let origin = '';
before(() => new Promise((resolve) => {
  server.listen(0, '127.0.0.1', () => resolve(void (origin = `http://127.0.0.1:${/** @type {any} */ (server.address()).port}`)));
}));
after(() => {
  server.closeAllConnections();
  server.close();
});

test('names in the browser are those of the base path; without one they are as before there was any', () => {
  assert.equal(ownName('ticklane.settings'), 'ticklane.settings');
  assert.deepEqual(['/a', '/a/b'].map((path) => ownName('ticklane.settings', path)), ['/a:ticklane.settings', '/a/b:ticklane.settings']);
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
  await request('/x', { method: 'POST', fetch: /** @type {any} */ (async (/** @type {any} */ ...args) => { seen = args; return new Response(); }) });
  assert.equal(seen[0], '/x');
  assert.equal(seen[1].method, 'POST');
  assert.ok(seen[1].signal instanceof AbortSignal);
});

test('a response without a session is reported, whatever requested it', async (t) => {
  let reported = 0;
  onUnauthorized(() => reported++);
  t.after(() => onUnauthorized(() => {}));
  for (const status of [200, 401, 403, 401]) await request('/x', { fetch: /** @type {any} */ (async () => new Response('', { status })) });
  assert.equal(reported, 2);
});

test("a refusal has the time of the server's Retry-After, in seconds or as a date", async () => {
  await assert.rejects(getJSON(`${origin}/busy`), (/** @type {any} */ err) => err.retryAfter === 7_000 && /no symbol X/.test(err.message));
  const at = (/** @type {string} */ value) => retryAfter(new Response('', { headers: { 'Retry-After': value } }), Date.UTC(2026, 0, 1));
  assert.equal(at('Thu, 01 Jan 2026 00:01:00 GMT'), 60_000);
  for (const value of ['', 'soon', '-3', 'Wed, 31 Dec 2025 00:00:00 GMT']) assert.equal(at(value), 0, value);
});

test("a path is resolved against the origin: the page's address may have credentials, which fetch rejects", async (t) => {
  const { host } = new URL(origin);
  const page = Object.assign(globalThis, { location: new URL(`http://user:secret@${host}/compare?x=1`) });
  t.after(() => Reflect.deleteProperty(page, 'location'));
  assert.equal(address('/api/symbols'), `${origin}/api/symbols`);
  assert.equal(address('ws://other/x'), 'ws://other/x');
  assert.deepEqual(await getJSON('/ok'), { a: 1 });
  assert.equal(pageAddress(), `${origin}/compare?x=1`, 'a copied link has no password');
});

test('a script adds the base path to every address of the server: it uses address, request or getJSON', () => {
  for (const name of readdirSync(join(root, 'web'), { recursive: true }).map(String)) {
    if (/(^|\/)(gen|test)\/|\.test\.js$|\.d\.ts$/.test(name) || !name.endsWith('.js') || name === 'browser/http.js') continue;
    assert.doesNotMatch(bare(read(`web/${name}`)), /(href|src|action|formAction)['"]?\s*[:=,]\s*['"`]\/|location\.origin\}|, location\.origin\)|[^.\w]fetch\(['"`]/, name);
  }
});
