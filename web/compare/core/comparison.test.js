import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sentence, sentenceText } from './sentence.js';
import { defaults, parse } from './setup.js';
import { Bench } from '../test/testBench.js';

/** @param {Partial<import('./types.js').Setup>} [setup] @param {number} [ms] @param {Partial<import('./types.js').ComparisonOptions>} [options] */
async function run(setup = {}, ms = 18_000, options = {}) {
  const bench = new Bench();
  const c = bench.compare(setup, options);
  c.start();
  await bench.run(ms);
  return { bench, c };
}

test('equal lanes: ticks are paired, no difference, bytes of each', async () => {
  const { bench, c } = await run();
  const r = c.snapshot();
  assert.equal(r.state, 'measuring');
  assert.ok(r.pairs.count >= 790 && r.pairs.count <= 801, String(r.pairs.count)); // 50 a second for 16 s
  assert.equal(r.pairs.mean, 0);
  assert.equal(r.pairs.label, 'SSE − WebSocket');
  assert.ok(r.pairs.batches >= 10 && r.pairs.error === 0);
  assert.ok(r.sound && r.pairs.unpaired === 0);
  for (const s of r.sides) {
    assert.ok(Math.abs(s.latency.p50 - 3) < 0.2, String(s.latency.p50));
    assert.ok(Math.abs(s.ticksPerSecond - 50) < 1 && Math.abs(s.rate - 50) < 1);
    assert.deepEqual([s.lost, s.doubled, s.gaps, s.reconnects], [0, 0, 0, 0]);
    assert.ok(s.bytes.ticks >= 450, String(s.bytes.ticks));
    assert.ok(s.series.length >= 12 && s.heat.rows.length === s.series.length);
  }
  const [sse, ws] = r.sides;
  assert.ok(Math.abs(sse.bytes.wire - 157) < 1e-9 && Math.abs(ws.bytes.wire - 119) < 1e-9, 'without HTTP header, hello and snapshot');
  assert.ok(Math.abs(sse.bytes.framing - 40) < 1e-9 && Math.abs(ws.bytes.framing - 2) < 1e-9);
  assert.ok(sse.bytes.id > 'id: a1-1\n'.length && sse.bytes.id < 'id: a1-9999\n'.length && ws.bytes.id === 0);
  assert.ok(Math.abs(r.cpu.perTick - 10) < 0.01);
  assert.match(sentenceText(sentence(r, c.drills, { wall: bench.time, local: true })), /neither lane is faster.* SSE costs 32 % more bytes/);
  assert.equal(r.noise.from, 'timer', 'without variance, the timer step is the noise');
});

test('an injected delay of 2 ms is measured on its side', async () => {
  const { bench, c } = await run({ delay: { a: 0, b: 2 } });
  const r = c.snapshot();
  assert.ok(Math.abs(r.pairs.mean + 2) < 1e-9, String(r.pairs.mean));
  assert.ok(Math.abs(r.differences.p50.value + 2) < 0.2 && r.differences.p50.error < 0.2, JSON.stringify(r.differences.p50));
  assert.match(sentenceText(sentence(r, [], { wall: bench.time, local: true })), /^With 2 ms of delay injected on WebSocket, on this machine, .* SSE is faster by 2\.00 ms ± 0\.01/);
});

test('lab parameters are not sent without a lab', async () => {
  const { bench, c } = await run({ delay: { a: 0, b: 2 }, engine: { a: 'shard', b: '' }, rate: 200 }, 5_000, { lab: false });
  assert.ok(bench.conns.every((conn) => !conn.url.searchParams.has('delay') && !conn.url.searchParams.has('engine')));
  assert.equal(bench.requests.filter((a) => a.includes('/api/lab')).length, 0);
  assert.equal(c.lab, false);
});

test('with a write interval, smaller differences are noise', async () => {
  const { bench, c } = await run({ interval: 100, delay: { a: 0, b: 8 } });
  assert.deepEqual(c.snapshot().noise, { value: 100, from: 'phase' });
  const s = sentence(c.snapshot(), [], { wall: bench.time, local: true });
  assert.match(sentenceText(s), /differences below 100 ms cannot be measured\./);
  assert.match(s.small.join(), /written every 100 ms, not in step/);
});

test('an A/A run is the noise of A/B runs of the same setup in this session', async () => {
  const bench = new Bench();
  const aa = bench.compare({ sides: ['ws', 'ws'], interval: 0 });
  aa.start();
  await bench.run(15_000);
  assert.deepEqual(aa.sides.map((s) => s.name), ['WebSocket A', 'WebSocket B']);
  assert.equal(aa.snapshot().pairs.label, 'A − B');
  assert.equal(aa.snapshot().noise.from, 'timer', 'an A/A run is not its own noise');
  aa.stop();
  assert.equal(bench.compare({ interval: 0 }).snapshot().aa?.lane, 'ws');
  assert.ok(Number(bench.compare({ interval: 0 }).snapshot().aa?.pairs) > 500);
  for (const other of [{ interval: 100 }, { interval: 0, rate: 500 }, { interval: 0, topics: ['AAPL'] }, { interval: 0, engine: { a: '', b: 'shard' } }]) {
    assert.equal(bench.compare({}, {}).snapshot().aa, null);
    const c = bench.compare();
    await c.change({ ...c.setup, ...other });
    assert.equal(c.snapshot().aa, null, JSON.stringify(other));
  }
});

test('sides that differ, or a run that lost ticks, are not kept as noise', async () => {
  const first = new Bench();
  const unequal = first.compare({ sides: ['sse', 'sse'], delay: { a: 0, b: 1 } });
  unequal.start();
  await first.run(15_000);
  assert.equal(unequal.snapshot().aa, null, 'different delays');
  assert.equal(unequal.snapshot().pairs.label, 'SSE +0 ms − SSE +1 ms');

  const bench = new Bench();
  const c = bench.compare({ sides: ['sse', 'sse'] });
  c.start();
  await bench.run(4_000);
  const victim = bench.live.find((conn) => conn.user.startsWith('compare-b-'));
  assert.ok(victim);
  bench.tick('AAPL');
  victim.pos++;
  await bench.run(15_000);
  assert.deepEqual([c.snapshot().sound, c.snapshot().aa], [false, null]);
});

test('the difference is judged at fixed times', async () => {
  const { bench, c } = await run({}, 16_000);
  assert.equal(c.snapshot().look, null, 'after 14 s');
  assert.match(sentenceText(sentence(c.snapshot(), [])), /^Measuring: about [12] s more/);
  await bench.run(1_500);
  const first = c.snapshot().look;
  assert.ok(first && first.measuredMs >= 15_000 && first.measuredMs < 15_300, JSON.stringify(first));
  bench.delay = { sse: 3, ws: 40 };
  await bench.run(13_000);
  assert.deepEqual(c.snapshot().look, first);
  await bench.run(2_000);
  assert.ok(Number(c.snapshot().look?.pairs) > 1_400);
  c.reset();
  assert.equal(c.snapshot().look, null);
});

test('hidden and frozen time is left out of latencies, not of completeness', async () => {
  const { bench, c } = await run();
  const before = c.snapshot();
  bench.page.visibilityState = 'hidden';
  bench.page.dispatchEvent(new Event('visibilitychange'));
  bench.delay = { sse: 400, ws: 900 }; // what a hidden tab does to timing
  await bench.run(4_000);
  assert.equal(c.state, 'hidden');
  bench.delay = { sse: 3, ws: 3 };
  bench.page.visibilityState = 'visible';
  bench.page.dispatchEvent(new Event('visibilitychange'));
  await bench.run(500);
  assert.equal(c.state, 'hidden', 'queued messages drain first');
  await bench.run(600);
  c.freeze(true);
  await bench.run(3_000);
  assert.equal(c.state, 'frozen');
  const after = c.snapshot();
  assert.ok(Math.abs(after.leftOut.hidden - 5_000) < 60 && Math.abs(after.leftOut.frozen - 3_000) < 60, JSON.stringify(after.leftOut));
  assert.ok(after.pairs.count - before.pairs.count < 10);
  assert.ok(after.sides[0].latency.max < 10);
  assert.ok(after.sides[0].ticks - before.sides[0].ticks > 350, 'ticks count in time that is left out');
  assert.ok(after.sides[0].series.some((p) => p.leftOut === 'hidden') && after.sides[0].series.some((p) => p.leftOut === null));
  c.freeze(false);
  await bench.run(500);
  assert.equal(c.state, 'measuring');
  assert.ok(Math.abs(c.snapshot().pairs.mean) < 1e-9);
});

test('a lost tick makes the run unsound', async () => {
  const { bench, c } = await run();
  const victim = bench.live.find((conn) => conn.lane === 'ws' && conn.user.startsWith('compare-b-'));
  assert.ok(victim);
  bench.tick('AAPL');
  victim.pos++;
  await bench.run(500);
  const r = c.snapshot();
  assert.deepEqual([r.sound, r.sides[0].lost, r.sides[1].lost], [false, 0, 1]);
  c.reset();
  assert.equal(c.snapshot().sound, true, 'after a reset');
  assert.equal(c.snapshot().pairs.count, 0);
  await bench.run(1_000);
  assert.equal(c.snapshot().state, 'measuring', 'connections stay open');
});

test('paint times are separate from arrivals, each tick once', async () => {
  const { bench, c } = await run({}, 4_000);
  const [a, b] = c.sides;
  for (let k = 0; k < 40; k++) {
    await bench.run(20);
    for (const side of [a, b]) {
      const i = Number(side.newest?.i);
      side.painted(i, bench.time + 8);
      side.painted(i, bench.time + 900);
      side.painted(i + 5_000, bench.time);
    }
  }
  const { sides } = c.snapshot();
  for (const s of sides) {
    assert.ok(s.paint.count >= 39 && s.paint.count <= 41, String(s.paint.count));
    assert.ok(s.paint.p50 > 10 && s.paint.max < 40, JSON.stringify(s.paint));
    assert.ok(s.latency.p50 < 4);
  }
});

test('a replay at full speed has no latencies, but pairs', async () => {
  const { c } = await run({ delay: { a: 1, b: 0 } }, 15_000, { timed: false });
  const r = c.snapshot();
  assert.equal(r.sides[0].latency.count, 0);
  assert.ok(Number.isNaN(r.sides[0].latency.p50) && Number.isNaN(r.differences.p50.value));
  assert.ok(Math.abs(r.pairs.mean - 1) < 1e-9);
});

test('opening a link does not change the server; it offers the change', async () => {
  const { bench, c } = await run({ rate: 200, background: { sse: 5, ws: 7 } }, 4_000);
  const lab = () => bench.requests.filter((a) => a.includes('/api/lab'));
  assert.deepEqual(lab(), []);
  assert.deepEqual(c.pendingChange, { rate: 200, background: { sse: 5, ws: 7 } });
  assert.deepEqual([c.setup.rate, c.setup.background], [null, null]);
  await c.change({ ...c.setup, topics: ['AAPL'] });
  await bench.run(1_000);
  assert.deepEqual(lab(), [], 'nor after another change');
  await c.change({ ...c.setup, rate: 300 });
  assert.deepEqual(c.pendingChange, { rate: null, background: { sse: 5, ws: 7 } }, 'a choice made here takes precedence over the link');
  c.stop();
  assert.deepEqual(lab(), ['POST /api/lab/rate {"rate":300}'], 'background clients of others stay');
  assert.equal(new Bench().compare({ rate: 200 }, { lab: false }).pendingChange, null);
});

test('rate and background clients follow the setup and stop with it', async () => {
  const { bench, c } = await run({}, 4_000);
  const lab = () => bench.requests.filter((a) => a.includes('/api/lab')).map((a) => a.replace('POST /api/lab/', ''));
  await c.change({ ...c.setup, rate: 200, background: { sse: 5, ws: 7 } });
  assert.equal(c.pendingChange, null);
  assert.deepEqual(lab(), ['rate {"rate":200}', 'background {"sse":5,"ws":7}']);
  const conns = bench.conns.length;
  await c.change({ ...c.setup, rate: 300 });
  assert.equal(lab().at(-1), 'rate {"rate":300}');
  assert.equal(bench.conns.length, conns, 'no side reconnects');
  assert.equal(c.snapshot().pairs.count, 0);
  assert.equal(c.state, 'settling');
  await c.change({ ...c.setup, topics: ['AAPL'] });
  await bench.run(1_000);
  assert.deepEqual(bench.live.map((conn) => conn.topics), [['AAPL'], ['AAPL']]);
  assert.deepEqual(lab().slice(3), ['rate {"rate":300}', 'background {"sse":5,"ws":7}']);
  c.stop();
  assert.equal(lab().at(-1), 'background {"sse":0,"ws":0}');
  assert.equal(bench.live.length, 0);
  assert.equal(c.state, 'stopped');
});

test('a rejection by the lab is reported, and the run continues', async () => {
  const bench = new Bench();
  const c = bench.compare();
  const handle = bench.handle.bind(bench);
  bench.handle = async (url, init) =>
    String(url).endsWith('/rate') ? Response.json({ detail: 'the feed is a replay' }, { status: 409 }) : handle(url, init);
  /** @type {import('./types.js').ComparisonEvent[]} */
  const events = [];
  c.on('event', (e) => events.push(e));
  c.start();
  await bench.run(4_000);
  await assert.rejects(c.change({ ...c.setup, rate: 200 }), /the feed is a replay/);
  await c.change({ ...c.setup, topics: ['AAPL', 'MSFT', 'NVDA'] });
  await bench.run(4_000);
  assert.equal(c.state, 'measuring');
  assert.deepEqual(events.filter((e) => e.code === 'lab').map((e) => [e.text, e.level, e.side]), [['The lab rejected the request: the feed is a replay', 'warn', null]]);
  assert.ok(events.some((e) => e.side === 1 && e.lane === 'ws' && /^Snapshot of/.test(e.text)));
});

test('there are four updates per second until the run stops', async () => {
  const { bench, c } = await run({}, 3_000);
  let updates = 0;
  c.on('update', () => updates++);
  await bench.run(2_000);
  assert.ok(updates >= 7 && updates <= 9, String(updates));
  c.stop();
  const last = updates;
  await bench.run(2_000);
  assert.equal(updates, last);
  assert.equal([...bench.timers].filter((t) => t.at < Infinity && bench.time + 60_000 > t.at).length, 0, 'no timer is left');
});

test('a snapshot is a copy, the export is valid JSON, the table is CSV', async () => {
  const { bench, c } = await run();
  const before = c.snapshot();
  const count = before.pairs.count;
  await bench.run(1_000);
  assert.equal(before.pairs.count, count);
  assert.equal(before.pairs.histogram.counts[0], 0);
  const back = JSON.parse(JSON.stringify(c.export()));
  assert.equal(back.schema, 'ticklane.compare.v2');
  assert.equal(back.pairs.histogram.reduce((/** @type {number} */ n, /** @type {number[]} */ b) => n + Number(b[2]), 0), back.pairs.count);
  assert.equal(back.sides.length, 2);
  assert.equal(back.sentence.state, 'ready');
  assert.equal(back.claims.length, 14);
  assert.doesNotMatch(JSON.stringify(back), /"conn"/, 'an export has no connection secret');
  const lines = c.toCSV().split('\r\n');
  assert.equal(lines[0], 'metric,unit,SSE,WebSocket,difference,95 % +/-');
  assert.equal(lines.at(-1), '');
  const rows = new Map(lines.slice(1, -1).map((l) => [l.split(',')[0], l.split(',')]));
  assert.deepEqual(rows.get('wire')?.slice(1, 5), ['B/tick', '157', '119', '38']);
  assert.equal(rows.get('lost')?.[2], '0');
  for (const line of lines.slice(1, -1)) assert.equal(line.replace(/"[^"]*"/g, '').split(',').length, 6, line);
});

test('a link reproduces the streams', async () => {
  const { setup, problems } = parse('?topics=AAPL,MSFT&sides=sse,sse&interval=100&engine=shard,stream&delay=0,2');
  assert.deepEqual(problems, []);
  const { bench } = await run(setup, 3_000);
  const queries = bench.live.map((conn) => Object.fromEntries(conn.url.searchParams));
  assert.deepEqual(queries.map(({ user, ...q }) => q), [
    { topics: 'AAPL,MSFT', mode: 'all', interval: '100ms', engine: 'shard' },
    { topics: 'AAPL,MSFT', mode: 'all', interval: '100ms', engine: 'stream', delay: '2ms' },
  ]);
  assert.notEqual(queries[0]?.user, queries[1]?.user);
  assert.deepEqual(defaults().sides, ['sse', 'ws']);
});
