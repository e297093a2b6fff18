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
  const [a, b, bare] = rows;
  assert.ok(a && b && bare);
  assert.deepEqual(rows.map((r) => r.drill), [action, action, action]);
  for (const r of rows) assert.deepEqual([r.lost, r.doubled], [0, 0], r.name);
  return { bench, c, a, b, bare };
}

test('a cut: our connector brings the lanes back, the browser its own EventSource, after retry:', async () => {
  const { bench, c, a, b, bare } = await drill('cut');
  // Full jitter of one half: 500 ms; then up to a tick's wait.
  for (const r of [a, b]) assert.ok(Number(r.recoveredMs) >= 500 && Number(r.recoveredMs) < 560, `${r.name} ${r.recoveredMs}`);
  assert.ok(Number(bare.recoveredMs) >= 1_000 && Number(bare.recoveredMs) < 1_060, String(bare.recoveredMs));
  assert.deepEqual([a.recoveredBy, b.recoveredBy, bare.recoveredBy], ['our connector', 'our connector', 'browser']);
  assert.deepEqual([a.name, b.name, bare.name], ['SSE', 'WebSocket', 'Plain EventSource']);
  for (const r of [a, b]) assert.ok(r.replayed >= 20 && r.replayed <= 28, `${r.name} replayed ${r.replayed}`);
  assert.ok(bare.replayed >= 45 && bare.replayed <= 53, String(bare.replayed));
  assert.deepEqual([a.missed, b.missed, bare.missed], [0, 0, 0]);
  assert.equal(a.note, 'error event; resumed from its position');
  assert.equal(b.note, 'close code 1006; resumed from its position');
  assert.equal(bench.live.length, 2, 'the EventSource beside the lanes is closed');
  assert.deepEqual(c.drills, [a, b, bare]);
});

test('a clean end looks like its close code', async () => {
  const { b, bare } = await drill('end');
  assert.match(b.note, /^close code 1001/);
  assert.equal(bare.recoveredBy, 'browser');
});

for (const action of /** @type {const} */ (['503', '204'])) {
  test(`an answer ${action} ends an EventSource for good; our connector comes back`, async () => {
    const { a, b, bare } = await drill(action);
    assert.deepEqual([a.recoveredBy, b.recoveredBy, bare.recoveredBy], ['our connector', 'our connector', 'none']);
    assert.equal(bare.recoveredMs, null);
    assert.equal(bare.missed, null);
    assert.match(bare.note, /1 attempt refused; CLOSED for good$/);
    assert.equal(a.note, 'error event; 1 attempt refused, after which a browser alone gives up; resumed from its position');
    assert.equal(b.note, 'close code 1006; 1 attempt refused; resumed from its position');
    for (const r of [a, b]) assert.ok(Number(r.recoveredMs) >= 1_500 && Number(r.recoveredMs) < 1_600, `${r.name} ${r.recoveredMs}`);
  });
}

test('a stall: the connection stays, and ticks are on time again after five seconds', async () => {
  const { bench, a, b, bare } = await drill('stall');
  for (const r of [a, b, bare]) {
    assert.equal(r.recoveredBy, 'not needed');
    assert.ok(Number(r.recoveredMs) >= 4_980 && Number(r.recoveredMs) < 5_100, `${r.name} ${r.recoveredMs}`);
    assert.match(r.note, /^connection kept; silent for up to (4\.9|5\.0)\d\u202fs, ticks up to (4\.9|5\.0)\d\u202fs late$/);
    assert.deepEqual([r.missed, r.replayed], [0, 0]);
  }
  assert.equal(bench.conns.filter((conn) => /^compare-[ab]-/.test(conn.user)).length, 2);
});

test('a drill without effect says so', async () => {
  const { a, bare } = await drill('slow');
  for (const r of [a, bare]) {
    assert.equal(r.recoveredMs, null);
    assert.equal(r.recoveredBy, 'not needed');
    assert.match(r.note, /^no effect seen/);
  }
});

test('another epoch is told, with the ticks between as missed', async () => {
  const { a, b, bare } = await drill('epoch');
  for (const r of [a, b]) assert.ok(Number(r.missed) >= 20 && Number(r.missed) <= 29, `${r.name} missed ${r.missed}`);
  assert.ok(Number(bare.missed) >= 45 && Number(bare.missed) <= 54, String(bare.missed));
  assert.equal(a.replayed, 0);
  assert.match(b.note, /new epoch: a snapshot replaced the ticks in between$/);
});

test('of some topics, what a reset missed can not be counted', async () => {
  const { a } = await drill('epoch', { topics: ['AAPL', 'MSFT'] });
  assert.equal(a.missed, null);
});

test('a drill is left out of the measurement, and told in its events', async () => {
  const bench = new Bench();
  const c = bench.compare();
  /** @type {number[]} */
  const told = [];
  c.on('drill', (rows) => told.push(rows.length));
  c.start();
  await bench.run(15_000);
  const before = c.snapshot();
  const running = c.drill('cut');
  await bench.run(100);
  assert.equal(c.state, 'drill');
  await assert.rejects(c.drill('end'), /another drill is running/);
  await bench.until(running);
  await bench.run(200);
  assert.equal(c.state, 'drill', 'what piled up drains first');
  const after = c.snapshot();
  assert.equal(after.pairs.count, before.pairs.count);
  assert.ok(after.leftOut.drill > 1_000);
  assert.equal(after.sides[0].latency.max, before.sides[0].latency.max);
  assert.deepEqual(told, [3]);
  assert.deepEqual([after.sides[0].reconnects, after.sides[1].reconnects], [1, 1]);
  await bench.run(3_000);
  assert.equal(c.state, 'measuring');
  assert.ok(Math.abs(c.snapshot().pairs.mean) < 1e-9, 'no pair spans the cut');
});

test('a drill that can not be run is refused with the reason, and nothing stays behind', async () => {
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
  assert.equal(off.asked.filter((a) => a.includes('/api/lab')).length, 0);
});

test('one drill after the other: the waits of the last do not count', async () => {
  const { bench, c } = await drill('503');
  for (let k = 0; k < 2; k++) {
    await bench.run(200);
    for (const r of (await bench.until(c.drill('cut'))).slice(0, 2)) assert.ok(Number(r.recoveredMs) < 560, `${r.name} ${r.recoveredMs}`);
  }
});

test('every drill has a label and says what it does', () => {
  assert.equal(new Set(DRILLS.map((d) => d.label)).size, 8);
  for (const d of DRILLS) assert.ok(d.about.length > 20, d.action);
});

test('topics are changed by command, by POST and by new streams', async () => {
  const bench = new Bench();
  const c = bench.compare();
  c.start();
  await bench.run(3_000);
  const times = await bench.until(c.measureTopics());
  assert.equal(c.topicTimes, times);
  assert.equal(times.samples, 7);
  for (const t of [times.command, times.post, times.reconnect.sse, times.reconnect.ws]) assert.ok(t >= 0 && t < 100, JSON.stringify(times));
  assert.equal(bench.asked.filter((a) => a.startsWith('POST /sse/connections/')).length, 7);
  assert.equal(bench.live.length, 2);
});

test('the median is the middle', () => {
  assert.ok(Number.isNaN(median([])));
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([4, 1, 2, 3]), 2.5);
});

test('another setup in the middle of a drill: the drill is over, and nothing of it is in the new run', async () => {
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
  assert.equal((await bench.until(c.drill('cut'))).length, 3, 'the next one may begin');
});
