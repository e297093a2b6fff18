import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exported } from './export.js';
import { LatencyHistogram, DifferenceHistogram } from './histograms.js';
import { readRun } from './runFile.js';
import { cut, sample } from '../test/samples.js';
import { Bench } from '../test/testBench.js';

/** The file of a run, as JSON. @param {(file: any) => void} [edit] */
function file(edit = () => {}) {
  const r = sample();
  for (const s of r.sides) s.histogram = new LatencyHistogram().buckets();
  r.pairs.histogram = new DifferenceHistogram().buckets();
  const out = JSON.parse(JSON.stringify({ ...exported(r, cut(), null, { browser: 'B' }), sentence: { state: 'ready', parts: [{ text: 'SSE', lane: 'sse', strong: true }, { text: ' wins' }] } }));
  edit(out);
  return JSON.stringify(out);
}

test('an exported run is read again: figures, histograms in the same buckets, p99 by second, sentence, drills', async () => {
  const bench = new Bench();
  const c = bench.compare({ delay: { a: 0, b: 2 }, topics: ['AAPL', 'MSFT'] });
  c.start();
  await bench.run(18_000);
  await bench.until(c.drill('cut'));
  const now = c.snapshot();
  const source = JSON.stringify(c.export({ url: 'http://x/compare', browser: 'Browser 1' }), null, 1);
  const run = readRun(source);
  assert.deepEqual(run.setup, now.setup);
  assert.equal(run.text, source);
  assert.equal(run.browser, 'Browser 1');
  assert.ok(Math.abs(run.made - Date.now()) < 60_000);
  run.sides.forEach((s, k) => {
    const side = now.sides[/** @type {0 | 1} */ (k)];
    assert.equal(s.name, side.name);
    assert.deepEqual(s.latency, side.latency);
    assert.deepEqual(s.bytes, side.bytes);
    assert.deepEqual(Array.from(s.histogram.counts), Array.from(side.histogram.counts));
    assert.deepEqual(s.series, side.series.map(({ t, p99 }) => ({ t, p99 })));
  });
  assert.deepEqual(Array.from(run.pairs.histogram.counts), Array.from(now.pairs.histogram.counts));
  assert.deepEqual(run.pairs.typical, now.pairs.typical);
  assert.deepEqual(run.differences, now.differences);
  assert.ok(run.sentence.length > 1);
  assert.deepEqual(run.drills.map((d) => [d.drill, d.stream, d.recoveredMs]), c.drills.map((d) => [d.drill, d.stream, d.recoveredMs]));
});

test('an unknown figure stays unknown; unknown members are ignored', () => {
  const run = readRun(file((f) => Object.assign(f, { later: 1 })));
  assert.ok(Number.isNaN(run.differences.p99.error));
  assert.equal(run.sides[0].latency.p50, 1.2);
});

test('framing of a compressed side is unknown, also in a file that has the difference of its bytes', () => {
  const run = readRun(file((f) => {
    Object.assign(f.sides[0].bytes, { wire: 30, framing: -87, id: null });
  }));
  assert.ok(Number.isNaN(run.sides[0].bytes.framing));
  assert.equal(run.sides[1].bytes.framing, 2);
});

test('a file that is not a run is refused with the field that is wrong', () => {
  /** @type {[string | ((f: any) => void), RegExp][]} */
  const cases = [
    ['', /not JSON/],
    ['{"schema":"ticklane.compare.v2"', /not JSON/],
    ['[]', /the file: expected an object, got \[\]/],
    ['null', /the file: expected an object, got null/],
    ['{}', /schema: this page reads ticklane\.compare\.v2, the file has –/],
    ['{"schema":"ticklane.compare.v1"}', /schema: .*"ticklane\.compare\.v1"/],
    ['{"schema":"ticklane.load/2"}', /load report.*Reports/],
    [(f) => delete f.setup, /^setup: expected an object, got –/],
    [(f) => (f.setup.mode = 'some'), /^setup\.mode: “some” is not valid/],
    [(f) => (f.setup.topics = []), /^setup\.topics: expected a list/],
    [(f) => (f.setup.sides = ['sse', 'tcp']), /^setup\.sides\[1\]: expected sse \| ws, got "tcp"/],
    [(f) => (f.setup.delay.b = -1), /^setup\.delay\.b: expected a number of 0 or more/],
    [(f) => (f.made = 'yesterday'), /^made: expected a time, got "yesterday"/],
    [(f) => f.sides.pop(), /^sides: expected a list/],
    [(f) => (f.sides[1].lane = 'sse'), /^sides\[1\]\.lane: expected the lane of setup\.sides, got "sse"/],
    [(f) => (f.sides[1].latency.p50 = '1.2'), /^sides\[1\]\.latency\.p50: expected a number or null, got "1\.2"/],
    [(f) => delete f.sides[0].bytes.wire, /^sides\[0\]\.bytes\.wire: expected a number or null, got –/],
    [(f) => (f.sides[0].histogram = [[1, 2]]), /^sides\[0\]\.histogram\[0\]: expected a list/],
    [(f) => (f.sides[0].histogram = [[2, 1, 5]]), /^sides\[0\]\.histogram\[0\]: expected \[above, up to, count\]/],
    [(f) => (f.sides[0].histogram = [[1, 2, -5]]), /^sides\[0\]\.histogram\[0\]\[2\]: expected a number of 0 or more/],
    [(f) => (f.sides[0].series = [{ t: 1 }]), /^sides\[0\]\.series\[0\]\.p99: /],
    [(f) => (f.pairs.typical = 3), /^pairs\.typical: expected an object, got 3/],
    [(f) => (f.noise.from = 'luck'), /^noise\.from: expected interval \| .*got "luck"/],
    [(f) => (f.sentence.parts[0].text = 7), /^sentence\.parts\[0\]\.text: expected a text/],
    [(f) => (f.drills[2].stream = 'c'), /^drills\[2\]\.stream: expected a \| b \| plain, got "c"/],
    [(f) => (f.browser = 'x'.repeat(2_000)), /^browser: expected a text.*…$/],
  ];
  for (const [edit, message] of cases) assert.throws(() => readRun(typeof edit === 'string' ? edit : file(edit)), { message }, String(message));
});

test('no damage to a file is more than a refusal', () => {
  const whole = JSON.parse(file());
  const values = [null, 0, -1, '', 'x', [], {}, true, [null], [[1]], { a: 1 }];
  /** @param {any} node @param {(edit: (to: any) => void) => void} each */
  const visit = (node, each) => {
    for (const key of Object.keys(node)) {
      const before = node[key];
      each((to) => { node[key] = to; });
      node[key] = before;
      if (before !== null && typeof before === 'object') visit(before, each);
    }
  };
  let refused = 0;
  visit(whole, (edit) => {
    for (const v of values) {
      edit(v);
      try {
        readRun(JSON.stringify(whole));
      } catch (err) {
        refused++;
        assert.equal(/** @type {Error} */ (err).constructor, Error, String(/** @type {Error} */ (err).stack));
      }
    }
  });
  assert.ok(refused > 500, String(refused));
});
