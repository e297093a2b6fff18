import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SparkSeed } from './sparkSeed.js';

/** @param {import('node:test').TestContext} t */
function setup(t) {
  /** @type {string[]} */
  const urls = [];
  /** @type {((ok: boolean) => void)[]} */
  const answers = [];
  t.mock.method(globalThis, 'fetch', async (/** @type {string} */ url) => {
    urls.push(decodeURIComponent(url));
    const ok = await new Promise((resolve) => answers.push(resolve));
    const symbols = new URL(url, 'http://here').searchParams.get('topics')?.split(',') ?? [];
    return { ok, json: async () => ({ lines: symbols.map((symbol) => ({ symbol, t: 60_000_000, c: [1, null, 2] })) }) };
  });
  /** @type {Map<string, any>} */
  const seeded = new Map();
  const store = { get: (/** @type {string} */ s) => (s === 'NEW' ? undefined : {}), seedSpark: (/** @type {string} */ s, /** @type {any} */ p) => seeded.set(s, p) };
  const seed = new SparkSeed(/** @type {any} */ (store), () => {});
  const settled = () => new Promise((r) => setImmediate(r));
  return { urls, answers, seeded, seed, settled };
}

test('all visible symbols are fetched in one request, missing points are skipped', async (t) => {
  const { urls, answers, seeded, seed, settled } = setup(t);
  seed.request(['A', 'B', 'NEW']);
  seed.request(['A', 'B']);
  answers[0]?.(true);
  await settled();
  assert.deepEqual(urls, ['/api/closes?topics=A,B&interval=1m&limit=60']);
  assert.deepEqual([...seeded.keys()], ['A', 'B']);
  assert.deepEqual(seeded.get('A'), [{ t: 60_000, p: 1 }, { t: 180_000, p: 2 }]);
  seed.request(['A', 'B']);
  await settled();
  assert.equal(urls.length, 1);
  seed.invalidate([{ S: 'B' }]);
  seed.request(['A', 'B']);
  assert.equal(urls.at(-1), '/api/closes?topics=B&interval=1m&limit=60');
});

test('during a request only the newest rows wait; rows scrolled past are never requested', async (t) => {
  const { urls, answers, seed, settled } = setup(t);
  seed.request(['A']);
  seed.request(['A', 'B']);
  seed.request(['C', 'D']);
  answers[0]?.(true);
  await settled();
  assert.match(urls[1] ?? '', /topics=C,D&/);
  answers[1]?.(true);
  await settled();
  seed.request(['B']);
  assert.match(urls[2] ?? '', /topics=B&/);
});

test('failed symbols are requested again when they are next visible', async (t) => {
  const { urls, answers, seed, settled } = setup(t);
  seed.request(['A']);
  answers[0]?.(false);
  await settled();
  seed.request(['A']);
  assert.equal(urls.length, 2);
});
