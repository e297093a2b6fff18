// The comparison in Chinese: complete sentences in that language's word order; files stay English.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { use } from '../../text.js';
import { upgrade } from './loadReport.js';
import { claims } from './claims.js';
import { DRILLS } from './drills.js';
import { exported, table } from './export.js';
import { sentence, sentenceText } from './sentence.js';
import { parse, sideNames } from './setup.js';
import { verdict } from '../ui/conditions.js';
import { notes } from '../ui/status.js';
import { elapsed } from '../ui/formats.js';
import { cut, probe, row, sample, topicTimes } from '../test/samples.js';

const catalogue = (/** @type {string} */ lang) => JSON.parse(readFileSync(new URL(`../../../views/text/${lang}.json`, import.meta.url), 'utf8'));
before(() => use(catalogue('zh-CN'), 'zh-CN'));
after(() => use(catalogue('en'), 'en'));

const place = { wall: 1_180_000, local: true };
const NAMES = /\b(?:SSE|WebSocket|EventSource|HTTP|GET|POST|API|JSON|RST|CLOSED|KiB|ms|s|B|min|p50|p99|A|json|protobuf|fetch|cookie|headers|Authorization|text\/event-stream|http\/1\.1|X-Accel-Buffering: no|retry:|data:|UTC)(?![A-Za-z])/g;
/** What is left of a text without names. @param {string} text */
const latin = (text) => text.replace(NAMES, '').match(/[A-Za-z]{2,}/g) ?? [];

test('a Chinese sentence has its strong parts and lanes in place', () => {
  const s = sentence(sample(), cut(), place);
  assert.equal(
    sentenceText(s),
    '在本机、每秒 200 笔的条件下，两条通道速度无差异：同一笔行情的到达时间相差 0.02 ms（噪声 ± 0.40 ms）。SSE 的字节开销高 32%。'
    + '断线后，SSE 由本项目的连接器在 0.41\u202fs后恢复，WebSocket 由本项目的连接器在 0.38\u202fs后恢复，原生 EventSource 自行在 1.02\u202fs后恢复；'
    + '各路均无丢失（仅一次断线；本项目的连接器随机等待至多 1 秒）。',
  );
  assert.deepEqual(s.parts.filter((p) => p.strong).map((p) => [p.text, p.lane]), [
    ['两条通道速度无差异', undefined], ['SSE', 'sse'], ['字节开销高 32%', undefined], ['SSE', 'sse'], ['WebSocket', 'ws'], ['原生 EventSource', 'sse'],
  ]);
  const r = sample();
  Object.assign(r.pairs.typical, { value: 2.04, error: 0.1 });
  r.noise.value = 0.15;
  assert.match(sentenceText(sentence(r, [], place)), /，WebSocket 快 2\.0 ms ± 0\.1。SSE/);
  r.setup = parse('?delay=2,3').setup;
  assert.match(sentenceText(sentence(r, [], { ...place, local: false })), /^在当前网络、每秒 200 笔且为 SSE 注入 2 ms、为 WebSocket 注入 3 ms 延迟的条件下，/);
});

test('every text of the comparison is translated', () => {
  const young = sample();
  Object.assign(young, { look: null, aa: null, leftOut: { settling: 0, hidden: 9_000, frozen: 9_000, drill: 9_000 } });
  const void_ = sample();
  void_.sound = false;
  void_.sides[1].lost = 3;
  const drills = [...cut(), row({ drill: '503', stream: 'plain', recoveredMs: null }), row({ drill: 'buffer', stream: 'a' })];
  const said = [young, void_, sample()].flatMap((r) => {
    const s = sentence(r, drills, place);
    const judged = [{ result: r, drills, topicTimes: topicTimes(), probe: probe() }, { result: r, drills: [], topicTimes: null, probe: null }].flatMap((e) => claims(e));
    return [sentenceText(s), ...s.small, ...notes(r, parse('?rate=0&mode=x&encoding=y&topics=&interval=-1').problems), ...judged.flatMap((c) => [c.claim, c.measured, c.press])];
  });
  said.push(...DRILLS.flatMap((d) => [d.label, d.about]), elapsed(134_000), ...sideNames(parse('?compress=on,off').setup));
  const allowed = /^(?:rate|mode|encoding|topics|interval|sector|technology|all|latest)$/; // what an address holds
  for (const text of said) assert.deepEqual(latin(text).filter((w) => !allowed.test(w)), [], text);
  assert.equal(parse('?rate=0').problems[0], 'rate 的值“0”无效，请使用每秒 0.1 到 1000000 笔之间的数。');
});

test('differences between load reports are in Chinese', () => {
  const report = () => upgrade(JSON.parse(readFileSync(new URL('../../../docs/reports/standard.json', import.meta.url), 'utf8')));
  assert.equal(verdict([report(), report()]), '配置、机器和版本均相同，各列可以直接比较。');
  const other = report();
  Object.assign(other, { status: 'interrupted', kind: 'drill storm' });
  Object.assign(other.setup, { rounds: 9, later: 1 });
  other.variants[1].engine = 'stream';
  assert.equal(verdict([report(), other]), '测试条件不同：第二份已中断，一份是对比测试，另一份是重连风暴演练，轮数不同，later 不同，B 侧引擎不同。各列不宜直接比较。');
  const strange = report();
  for (const part of [strange.setup, strange.target, strange.machine]) for (const key of Object.keys(part)) part[key] = 'else';
  Object.assign(strange, { status: 'broken', kind: 'drill slow' });
  for (const s of strange.variants) Object.assign(s, { lane: 'x', engine: 'x', encoding: 'x', compression: 'x', settings: ['x'], path: 'x' });
  assert.deepEqual(latin(verdict([report(), strange])).filter((w) => w !== 'Go'), []);
});

test('exported files are in English', () => {
  const r = sample();
  r.setup = parse('?compress=on,off').setup;
  [r.sides[0].name, r.sides[1].name] = sideNames(r.setup);
  assert.equal(r.sides[0].name, 'SSE 压缩');
  assert.match(table(r, []), /^metric,unit,SSE compressed,WebSocket uncompressed,difference,/);
  assert.doesNotMatch(table(r, []) + JSON.stringify(exported(r, [], null)), /\p{Script=Han}/u);
});
