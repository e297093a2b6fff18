import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Stored, parseJSON } from './storage.js';

/** @param {Record<string, string>} values */
const area = (values) => () => ({
  getItem: (/** @type {string} */ key) => values[key] ?? null,
  setItem: (/** @type {string} */ key, /** @type {string} */ text) => { values[key] = text; },
  removeItem: (/** @type {string} */ key) => { delete values[key]; },
});

test('a value is stored as JSON, read through its parser and removed', () => {
  /** @type {Record<string, string>} */
  const values = {};
  const stored = new Stored('k', (x) => x?.n ?? 0, area(values));
  assert.equal(stored.read(), 0);
  assert.equal(stored.write({ n: 7 }), '{"n":7}');
  assert.equal(stored.read(), 7);
  assert.equal(stored.text, '{"n":7}');
  stored.write(undefined);
  assert.deepEqual(values, {});
});

test('text that is not JSON is no value', () => {
  for (const text of [null, '', '{']) assert.equal(parseJSON(text), null);
  assert.equal(new Stored('k', (x) => x, area({ k: '{' })).read(), null);
});

test('forbidden storage: a value is kept until a later one is stored', () => {
  let forbidden = true;
  /** @type {Record<string, string>} */
  const values = { k: '0' };
  const stored = new Stored('k', (x) => x, () => {
    if (forbidden) throw new Error('forbidden');
    return area(values)();
  });
  assert.equal(stored.read(), null);
  stored.write(1);
  assert.equal(stored.read(), 1);
  forbidden = false;
  assert.equal(stored.read(), 1);
  stored.write(2);
  assert.deepEqual([stored.read(), values.k], [2, '2']);
});

test('a change in another tab, a cleared storage and a page that is shown again are reported', (t) => {
  /** @type {Record<string, (e: any) => void>} */
  const handlers = {};
  /** @type {any} */ (globalThis).addEventListener = (/** @type {string} */ name, /** @type {any} */ fn) => { handlers[name] = fn; };
  t.after(() => { delete (/** @type {any} */ (globalThis).addEventListener); });
  let n = 0;
  new Stored('k', (x) => x, area({})).onChange(() => n++);
  handlers.storage?.({ key: 'other' });
  handlers.pageshow?.({ persisted: false });
  assert.equal(n, 0);
  handlers.storage?.({ key: 'k' });
  handlers.storage?.({ key: null });
  handlers.pageshow?.({ persisted: true });
  assert.equal(n, 3);
});
