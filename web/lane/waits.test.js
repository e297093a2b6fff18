import assert from 'node:assert/strict';
import { test } from 'node:test';
import { begin } from '../test/world.js';

test('the wait has full jitter: a window that doubles from 1 s to 15 s, and starts over after a stable time', () => {
  for (const [random, share] of /** @type {const} */ ([[() => 0, 0], [() => 0.999999, 1]])) {
    const { world, feed } = begin({ random });
    world.pump();
    world.answering = false;
    world.conn.cut();
    /** @type {number[]} */
    const waits = [];
    for (let k = 0; k < 7; k++) {
      waits.push(Math.round(((feed.state.retryAt ?? NaN) - world.time) / 10) * 10);
      world.advance((feed.state.retryAt ?? 0) - world.time);
      world.conn.cut();
    }
    assert.deepEqual(waits, [1, 2, 4, 8, 15, 15, 15].map((s) => s * 1000 * share));
    world.answering = true;
    world.advance((feed.state.retryAt ?? 0) - world.time);
    world.pump();
    world.advance(10_000);
    world.conn.cut();
    assert.equal(Math.round(((feed.state.retryAt ?? NaN) - world.time) / 10) * 10, 1000 * share);
  }
});

test('a stream that breaks right after its hello does not start the wait over', () => {
  const { world, feed } = begin({ random: () => 0.999999 });
  for (let k = 0; k < 5; k++) {
    world.pump();
    world.conn.cut();
    world.advance((feed.state.retryAt ?? 0) - world.time);
  }
  world.pump();
  world.conn.cut();
  assert.equal(Math.round((feed.state.retryAt ?? 0) - world.time), 15_000);
});

test('an overloaded server is asked again after its retry', () => {
  const { world, feed, said } = begin({ lane: 'sse' });
  world.conn.say({ T: 'bye', reason: 'overload', retry: 2_000 });
  assert.equal(feed.state.retryAt, world.time + 2_500);
  assert.deepEqual(said, ['Could not connect over SSE: server overloaded']);
  world.advance(2_500);
  world.pump();
  assert.equal(feed.state.name, 'live');
});

test('a trusted connection that is lost starts with the shortest waits again', () => {
  const { world, feed } = begin({});
  const wait = () => Number(feed.state.retryAt) - world.time;
  feed.trust(); // nothing is open yet
  world.pump();
  world.conn.cut();
  assert.equal(wait(), 500);
  world.advance(500);
  world.pump();
  world.conn.cut();
  assert.equal(wait(), 1_000, 'lost soon after: the window doubles');
  world.advance(1_000);
  world.pump();
  feed.trust();
  world.conn.cut();
  assert.equal(wait(), 500);
});
