import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settled } from '../test/fakeServer.js';
import { ReplayEnd } from './replayEnd.js';

/** @param {{ ended: number | null, fails?: boolean }} server */
function begin(server) {
  const asked = { times: 0 };
  const replay = new ReplayEnd(async () => {
    asked.times++;
    if (server.fails) throw new Error('no answer');
    return server.ended;
  });
  return { replay, asked };
}

test('the server is asked once no tick has come for 3 s, and again every 15 s until the replay has ended', async () => {
  const server = /** @type {{ ended: number | null, fails: boolean }} */ ({ ended: null, fails: true });
  const { replay, asked } = begin(server);
  replay.tick(10_000);
  for (let now = 10_000; now < 13_000; now += 100) replay.check(now);
  assert.equal(asked.times, 0);
  for (let now = 13_000; now < 28_000; now += 100) replay.check(now);
  await settled();
  assert.deepEqual([asked.times, replay.at], [1, 0]);
  server.fails = false;
  replay.check(28_000);
  await settled();
  assert.deepEqual([asked.times, replay.at], [2, 0], 'it is only quiet');
  server.ended = 1_700_000_000_000_000;
  for (let now = 28_100; now < 100_000; now += 100) {
    replay.check(now);
    await settled();
  }
  assert.deepEqual([asked.times, replay.at], [3, 1_700_000_000_000], 'nothing more to ask');
  replay.tick(100_000);
  assert.equal(replay.at, 0, 'a restarted server');
});

test('an answer from before a tick is dropped', async () => {
  const { replay } = begin({ ended: 5 });
  replay.tick(0);
  replay.check(5_000);
  replay.tick(5_001);
  await settled();
  assert.equal(replay.at, 0);
});

test('a feed without an end is never asked about', () => {
  const replay = new ReplayEnd(null);
  replay.check(1e9);
  assert.equal(replay.at, 0);
});
