import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settled, FakeServer } from '../test/fakeServer.js';
import { RefusedError } from './http.js';
import { Retry } from './retry.js';

test('a failing task is repeated after 1 s, then after twice as long each time, at most a minute, until it succeeds', async () => {
  const server = new FakeServer();
  let failing = true;
  /** @type {number[]} */
  const tries = [];
  const retry = new Retry(async () => {
    tries.push(server.time);
    if (failing) throw new Error('no answer in time');
  }, server.options);
  await retry.start();
  for (const wait of [1, 2, 4, 8, 16, 32, 60, 60]) {
    assert.deepEqual(retry.failure, { reason: 'no answer in time', at: server.time + wait * 1000 });
    server.advance(wait * 1000 - 1);
    const before = tries.length;
    server.advance(1);
    await settled();
    assert.equal(tries.length, before + 1, `after ${wait} s`);
  }
  failing = false;
  await retry.start();
  assert.equal(retry.failure, null);
  assert.equal(server.timers.size, 0, 'no further try');
});

test("a try never comes before the server's Retry-After, and one at a time runs", async () => {
  const server = new FakeServer();
  let runs = 0;
  const retry = new Retry(async () => {
    runs++;
    throw new RefusedError('too many requests', 9_000);
  }, server.options);
  await Promise.all([retry.start(), retry.start()]);
  assert.equal(runs, 1);
  assert.equal(retry.failure?.at, server.time + 9_000);
});
