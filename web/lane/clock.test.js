import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settled } from '../test/fakeServer.js';
import { Clock } from './clock.js';

/** A server with a clock offset, behind a network with given delays in ms. @param {number} offset */
function far(offset) {
  const state = { now: 1_000_000, out: 5, back: 5, offset, broken: false, slept: 0 };
  /** @type {{ fn: () => void, ms: number }[]} */
  const timers = [];
  const clock = new Clock({
    now: () => state.now,
    wall: () => state.now + state.slept,
    fetch: /** @type {any} */ (async () => {
      if (state.broken) return new Response('', { status: 503 });
      state.now += state.out;
      const received = (state.now + state.offset + state.slept) * 1000;
      state.now += 2; // processing time
      const sent = (state.now + state.offset + state.slept) * 1000;
      state.now += state.back;
      return Response.json({ T: 'time', received, sent });
    }),
    setTimeout: (fn, ms) => timers.push({ fn, ms }),
    clearTimeout: () => {},
  });
  return { state, timers, clock };
}

test('four timestamps give the offset within half the round trip, excluding the server’s processing time', async () => {
  const { state, clock } = far(-3_600_000);
  assert.ok(Number.isNaN(clock.offset) && Number.isNaN(clock.error) && !clock.known);
  assert.ok(await clock.sample());
  assert.ok(Math.abs(clock.offset + 3_600_000) < 1e-6);
  assert.ok(Math.abs(clock.error - 5) < 1e-6);
  assert.ok(Math.abs(clock.latency({ t: (state.now - 3_600_000 - 12) * 1000 }, state.now) - 12) < 1e-3);
});

test('what a delayed stream is behind its feed on purpose is no latency', async () => {
  const { state, clock } = far(0);
  await clock.sample();
  clock.delay = 900_000;
  assert.equal(Math.round(clock.latency({ t: (state.now - 900_007) * 1000 }, state.now)), 7);
});

test('the newest sample with the shortest round trip is used', async () => {
  const { state, clock } = far(50);
  Object.assign(state, { out: 1, back: 41 });
  await clock.sample();
  assert.equal(Math.round(clock.offset), 30, 'asymmetric delays cause half their difference as error');
  Object.assign(state, { out: 2, back: 2 });
  await clock.sample();
  Object.assign(state, { out: 90, back: 10 });
  await clock.sample();
  assert.equal(Math.round(clock.offset), 50);
  assert.ok(clock.error < 2.1);
});

test('a clock that was set is followed at once', async () => {
  const { state, clock } = far(0);
  await clock.sample();
  state.offset = 5_000;
  Object.assign(state, { out: 20, back: 20 });
  await clock.sample();
  assert.equal(Math.round(clock.offset), 5_000);
});

test('the latency of a tick that a feed sent counts from its receipt by the server', async () => {
  const { state, clock } = far(0);
  clock.start();
  for (let s = 0; s < 5; s++) await settled();
  assert.equal(Math.round(clock.latency({ t: (state.now - 900) * 1000, r: (state.now - 4) * 1000 }, state.now)), 4);
  clock.stop();
});

test('it starts with a burst, then slows down; a failed exchange keeps the estimate', async () => {
  const { state, timers, clock } = far(9);
  clock.start();
  clock.start();
  for (let k = 0; k < 7; k++) {
    for (let s = 0; s < 5; s++) await settled();
    timers.at(-1)?.fn();
  }
  assert.deepEqual(timers.slice(0, 7).map((t) => t.ms), [150, 150, 150, 150, 7000, 7000, 7000]);
  clock.stop();
  for (let s = 0; s < 5; s++) await settled();
  const { length } = timers;
  for (let s = 0; s < 5; s++) await settled();
  assert.equal(timers.length, length);
  assert.equal(Math.round(clock.offset), 9);
  state.broken = true;
  assert.equal(await clock.sample(), false);
  assert.equal(Math.round(clock.offset), 9);
});

test("after a sleep in which the browser's clock stopped there is no latency of 0, but none until the next exchange", async () => {
  const { state, clock } = far(0);
  clock.start();
  for (let s = 0; s < 5; s++) await settled();
  const tick = (/** @type {number} */ late) => clock.latency({ t: (state.now + state.slept - late) * 1000 }, state.now);
  assert.equal(Math.round(tick(3)), 3);
  state.slept = 600_000;
  assert.deepEqual([tick(600_000), tick(3), clock.error], [NaN, NaN, NaN], 'due while it slept, and after');
  for (let s = 0; s < 5; s++) await settled();
  assert.equal(Math.round(tick(3)), 3);
  assert.ok(Math.abs(clock.offset - 600_000) < 1e-6);
});

test('an exchange during which the clock stopped is no sample', async () => {
  const { state, clock } = far(0);
  assert.ok(await clock.sample());
  const sleeping = new Clock({
    now: () => state.now, wall: () => state.now + state.slept,
    fetch: /** @type {any} */ (async () => {
      const at = state.now * 1000;
      state.slept = 3_600_000;
      return Response.json({ T: 'time', received: at, sent: at });
    }),
  });
  assert.equal(await sleeping.sample(), false);
  assert.ok(!sleeping.known);
});

test('the wall clock may be slewed or corrected by less than half a second', async () => {
  const { state, clock } = far(0);
  await clock.sample();
  state.slept = 300;
  assert.ok(Number.isFinite(clock.latency({ t: state.now * 1000 }, state.now)));
});
