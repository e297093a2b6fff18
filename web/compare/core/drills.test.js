import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DRILLS } from './drills.js';
import { median } from './topicTimes.js';
import { Bench } from '../test/testBench.js';

/** @typedef {import('./types.js').DrillAction} DrillAction */

/** Runs one drill. @param {DrillAction} action @param {Partial<import('./types.js').Setup>} [setup] */
async function drill(action, setup) {
  const bench = new Bench();
  const c = bench.compare(setup);
  c.start();
  await bench.run(5_000);
  const rows = await bench.until(c.drill(action));
  const [a, b, plain] = rows;
  assert.ok(a && b && plain);
  assert.deepEqual(rows.map((r) => r.drill), [action, action, action]);
  for (const r of rows) assert.deepEqual([r.lost, r.doubled], [0, 0], r.name);
  return { bench, c, a, b, plain };
}

test('cut: our connector reconnects the lanes, the browser its EventSource after retry:', async () => {
  const { bench, c, a, b, plain } = await drill('cut');
  // Backoff of 500 ms with jitter of one half, then up to one tick interval.
  for (const r of [a, b]) assert.ok(Number(r.recoveredMs) >= 500 && Number(r.recoveredMs) < 560, `${r.name} ${r.recoveredMs}`);
  assert.ok(Number(plain.recoveredMs) >= 1_000 && Number(plain.recoveredMs) < 1_060, String(plain.recoveredMs));
  assert.deepEqual([a.recoveredBy, b.recoveredBy, plain.recoveredBy], ['our connector', 'our connector', 'browser']);
  assert.deepEqual([a.name, b.name, plain.name], ['SSE', 'WebSocket', 'Plain EventSource']);
  for (const r of [a, b]) assert.ok(r.replayed >= 20 && r.replayed <= 28, `${r.name} replayed ${r.replayed}`);
  assert.ok(plain.replayed >= 45 && plain.replayed <= 53, String(plain.replayed));
  assert.deepEqual([a.missed, b.missed, plain.missed], [0, 0, 0]);
  assert.equal(a.note, 'error event; resumed from its position');
  assert.equal(b.note, 'close code 1006; resumed from its position');
  assert.equal(bench.live.length, 2, 'the plain EventSource is closed');
  assert.deepEqual(c.drills, [a, b, plain]);
});

test('end: the note has the close code', async () => {
  const { b, plain } = await drill('end');
  assert.match(b.note, /^close code 1001/);
  assert.equal(plain.recoveredBy, 'browser');
});

for (const action of /** @type {const} */ (['503', '204'])) {
  test(`${action}: a plain EventSource closes for good; our connector recovers`, async () => {
    const { a, b, plain } = await drill(action);
    assert.deepEqual([a.recoveredBy, b.recoveredBy, plain.recoveredBy], ['our connector', 'our connector', 'none']);
    assert.equal(plain.recoveredMs, null);
    assert.equal(plain.missed, null);
    assert.match(plain.note, /1 attempt refused; CLOSED for good$/);
    assert.equal(a.note, 'error event; 1 attempt refused; a browser alone does not reconnect after that; resumed from its position');
    assert.equal(b.note, 'close code 1006; 1 attempt refused; resumed from its position');
    for (const r of [a, b]) assert.ok(Number(r.recoveredMs) >= 1_500 && Number(r.recoveredMs) < 1_600, `${r.name} ${r.recoveredMs}`);
  });
}

test('stall: the connection stays, and ticks are on time again after five seconds', async () => {
  const { bench, a, b, plain } = await drill('stall');
  for (const r of [a, b, plain]) {
    assert.equal(r.recoveredBy, 'not needed');
    assert.ok(Number(r.recoveredMs) >= 4_980 && Number(r.recoveredMs) < 5_100, `${r.name} ${r.recoveredMs}`);
    assert.match(r.note, /^connection kept; silent for up to (4\.9|5\.0)\d\u202fs, ticks up to (4\.9|5\.0)\d\u202fs late$/);
    assert.deepEqual([r.missed, r.replayed], [0, 0]);
  }
  assert.equal(bench.conns.filter((conn) => /^compare-[ab]-/.test(conn.user)).length, 2);
});

test('a drill without effect has a note', async () => {
  const { a, plain } = await drill('slow');
  for (const r of [a, plain]) {
    assert.equal(r.recoveredMs, null);
    assert.equal(r.recoveredBy, 'not needed');
    assert.match(r.note, /^no effect seen/);
  }
});

test('epoch: skipped ticks are reported as missed', async () => {
  const { a, b, plain } = await drill('epoch');
  for (const r of [a, b]) assert.ok(Number(r.missed) >= 20 && Number(r.missed) <= 29, `${r.name} missed ${r.missed}`);
  assert.ok(Number(plain.missed) >= 45 && Number(plain.missed) <= 54, String(plain.missed));
  assert.equal(a.replayed, 0);
  assert.match(b.note, /new epoch: a snapshot replaced the ticks in between$/);
});

test('epoch: with some topics only, missed ticks are unknown', async () => {
  const { a } = await drill('epoch', { topics: ['AAPL', 'MSFT'] });
  assert.equal(a.missed, null);
});

test('a drill is left out of the measurement and emitted', async () => {
  const bench = new Bench();
  const c = bench.compare();
  /** @type {number[]} */
  const events = [];
  c.on('drill', (rows) => events.push(rows.length));
  c.start();
  await bench.run(15_000);
  const before = c.snapshot();
  const running = c.drill('cut');
  await bench.run(100);
  assert.equal(c.state, 'drill');
  await assert.rejects(c.drill('end'), /another drill is running/);
  await bench.until(running);
  await bench.run(200);
  assert.equal(c.state, 'drill', 'queued messages drain first');
  const after = c.snapshot();
  assert.equal(after.pairs.count, before.pairs.count);
  assert.ok(after.leftOut.drill > 1_000);
  assert.equal(after.sides[0].latency.max, before.sides[0].latency.max);
  assert.deepEqual(events, [3]);
  assert.deepEqual([after.sides[0].reconnects, after.sides[1].reconnects], [1, 1]);
  await bench.run(3_000);
  assert.equal(c.state, 'measuring');
  assert.ok(Math.abs(c.snapshot().pairs.mean) < 1e-9, 'no pair spans the cut');
});

test('a drill that fails is rejected with the reason and leaves nothing behind', async () => {
  const bench = new Bench();
  const c = bench.compare();
  await assert.rejects(c.drill('cut'), /both sides must be live/);
  c.start();
  await bench.run(3_000);
  bench.drill = () => Response.json({ title: 'Not Found', detail: 'conn: no live stream' }, { status: 404 });
  await assert.rejects(bench.until(c.drill('cut')), /conn: no live stream/);
  assert.equal(bench.live.length, 2);
  await bench.run(1_500);
  assert.equal(c.state, 'measuring');
  assert.deepEqual(c.drills, []);

  const off = new Bench();
  const plain = off.compare({}, { lab: false });
  plain.start();
  await off.run(3_000);
  await assert.rejects(off.until(plain.drill('cut')), /lab\.enabled/);
  assert.equal(off.requests.filter((a) => a.includes('/api/lab')).length, 0);
});

test('backoff does not grow from drill to drill', async () => {
  const { bench, c } = await drill('503');
  for (let k = 0; k < 2; k++) {
    await bench.run(200);
    for (const r of (await bench.until(c.drill('cut'))).slice(0, 2)) assert.ok(Number(r.recoveredMs) < 560, `${r.name} ${r.recoveredMs}`);
  }
});

test('every drill has a label and a description', () => {
  assert.equal(new Set(DRILLS.map((d) => d.label)).size, 8);
  for (const d of DRILLS) assert.ok(d.about.length > 20, d.action);
});

test('topics are changed by command, POST and new streams', async () => {
  const bench = new Bench();
  const c = bench.compare();
  c.start();
  await bench.run(3_000);
  const times = await bench.until(c.measureTopics());
  assert.equal(c.topicTimes, times);
  assert.equal(times.samples, 7);
  for (const t of [times.command, times.post, times.reconnect.sse, times.reconnect.ws]) assert.ok(t >= 0 && t < 100, JSON.stringify(times));
  assert.equal(bench.requests.filter((a) => a.startsWith('POST /sse/connections/')).length, 7);
  assert.equal(bench.live.length, 2);
});

test('median', () => {
  assert.ok(Number.isNaN(median([])));
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([4, 1, 2, 3]), 2.5);
});

test('a new setup aborts a drill and starts without its results', async () => {
  const bench = new Bench();
  const c = bench.compare();
  c.start();
  await bench.run(5_000);
  const running = assert.rejects(c.drill('stall'), /a new run/);
  await bench.run(1_000);
  await c.change({ ...c.setup, topics: ['AAPL'] });
  await running;
  await bench.run(8_000);
  assert.equal(c.state, 'measuring');
  assert.ok(c.snapshot().measuredMs > 3_000, String(c.snapshot().measuredMs));
  await bench.run(30_000);
  assert.deepEqual(c.drills, []);
  assert.equal((await bench.until(c.drill('cut'))).length, 3, 'the next drill runs');
});
