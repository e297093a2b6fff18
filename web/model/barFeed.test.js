import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BarFeed, PAGE } from './barFeed.js';

/** @import { History } from './history.js' */

const MINUTE = 60e6;
const START = 1_760_000_040e6;

/** A server with its log. Tests decide when its responses and messages arrive. */
class FakeHistory {
  epoch = 'a';
  /** @type {any[]} */
  log = [];
  at = START;
  volume = 1000;
  keep = 720;
  /** @type {{ fn: () => void, at: number }[]} */
  timers = [];
  clock = 0;
  /** @type {{ url: [string, string, number, number | undefined], signal: AbortSignal, answer: (h?: History) => void, fail: () => void }[]} */
  requests = [];
  /** @type {string[]} */
  changes = [];
  sent = 0; // ticks of the log that the chart has been given
  feed = new BarFeed({
    load: (symbol, interval, limit, signal, before) => new Promise((done, fail) => {
      this.requests.push({ url: [symbol, interval, limit, before], signal, answer: (h) => done(h ?? this.history(symbol, interval, limit, before)), fail: () => fail(new Error('down')) });
      signal.addEventListener('abort', () => fail(new Error('aborted')));
    }),
    changed: (what) => { this.changes.push(what); },
    now: () => this.clock,
    setTimeout: (fn, ms) => { const timer = { fn, at: this.clock + ms }; this.timers.push(timer); return timer; },
    clearTimeout: (timer) => { this.timers = this.timers.filter((x) => x !== timer); },
  });

  /** @param {number} p @param {number} µs after the one before @param {string} S */
  trade(p, µs = 10e6, S = 'A') {
    this.at += µs;
    this.volume += 7;
    this.log.push({ T: 'q', S, bp: p, bs: 1, ap: p, as: 1, p, v: this.volume, t: this.at, n: this.log.length + 1, i: this.log.length + 1 });
  }

  /** @param {string} symbol @param {string} interval @param {number} limit @param {number} [before] @returns {History} as the server counts */
  history(symbol, interval, limit, before = Infinity) {
    const width = { '1m': MINUTE, '5m': 5 * MINUTE }[interval] ?? 0;
    /** @type {import('./bars.js').Bar[]} */
    const bars = [];
    let day = null;
    for (const q of this.log.filter(({ S }) => S === symbol)) {
      const traded = day === null ? 0 : q.v - day;
      day = q.v;
      const last = bars.at(-1);
      if (last && q.t < last.t + width) Object.assign(last, { h: Math.max(last.h, q.p), l: Math.min(last.l, q.p), c: q.p, v: last.v + traded });
      else bars.push({ t: Math.floor(q.t / width) * width, o: q.p, h: q.p, l: q.p, c: q.p, v: traded });
    }
    const some = bars.slice(-this.keep).filter(({ t }) => t < before);
    return { epoch: this.epoch, i: this.log.length, day, more: some.length > limit, bars: some.slice(-limit) };
  }

  /** @param {number} [delay] ms */
  hello(delay) {
    this.feed.take(/** @type {any} */ ({ T: 'hello', epoch: this.epoch, delay }));
  }

  /** The stream jumps to the newest, as after a gap. */
  snapshot() {
    this.sent = this.log.length;
    this.feed.take({ T: 'snapshot', i: this.sent, quotes: [] });
  }

  pump(most = Infinity) {
    for (let k = 0; k < most && this.sent < this.log.length; k++) this.feed.take(this.log[this.sent++]);
  }

  restart() {
    this.epoch += 'x';
    this.log = [];
    this.volume = 50;
    this.sent = 0;
  }

  /** @param {number} ms */
  advance(ms) {
    this.clock += ms;
    for (const timer of this.timers.filter((x) => x.at <= this.clock)) {
      this.timers = this.timers.filter((x) => x !== timer);
      timer.fn();
    }
  }

  /** Answers what was requests for, and waits until it is taken. */
  async settle() {
    for (let k = 0; k < 40; k++) {
      for (const a of this.requests.splice(0)) a.answer();
      await new Promise((done) => setImmediate(done));
      if (this.requests.length === 0) {
        if (this.feed.state === 'ready' && this.timers.length === 0) return;
        this.advance(5000);
      }
    }
    assert.fail(`never ready: ${this.feed.state}`);
  }

  same(interval = '1m', limit = 1e9) {
    assert.deepEqual(this.feed.list, this.history('A', interval, limit).bars);
  }
}

const soon = () => new Promise((done) => setImmediate(done));

async function open(n = 100) {
  const server = new FakeHistory();
  for (let k = 0; k < n; k++) server.trade(100 + (k % 9));
  server.hello();
  server.snapshot();
  server.feed.show('A', '1m');
  await server.settle();
  return server;
}

test('history, then ticks: bars and volumes equal the server\'s', async () => {
  const server = await open();
  for (let k = 0; k < 100; k++) {
    server.trade(90 + (k % 30));
    if (k % 5 === 0) server.trade(1, 1e6, 'B');
    server.pump();
    server.same();
  }
});

test('bars that became old enough without ticks are loaded at the first tick of a delayed stream', async () => {
  const server = await open();
  /** @type {[number | undefined, string, number][]} */
  const cases = [[900_000, 'B', 1], [900_000, 'A', 0], [undefined, 'B', 0]];
  for (const [delay, inSnapshot, loads] of cases) {
    server.hello(delay);
    server.feed.take({ T: 'snapshot', i: server.sent, quotes: [/** @type {any} */ ({ S: inSnapshot })] });
    for (let k = 0; k < 30; k++) server.trade(110 + k, 20e6);
    server.sent = server.log.length;
    for (let k = 0; k < 3; k++) {
      server.trade(150 + k, 2e6);
      server.pump();
      assert.equal(server.requests.length, k === 0 ? loads : 0);
      await server.settle();
      if (loads) server.same();
    }
  }
});

test('ticks during a request are counted once, whether or not history includes them', async () => {
  const server = await open();
  for (const held of [0, 3, 10]) {
    server.feed.show('A', '5m');
    for (let k = 0; k < held; k++) server.trade(200 + k);
    const [request] = server.requests.splice(0);
    const early = server.history('A', '5m', PAGE);
    for (let k = held; k < 10; k++) server.trade(200 + k);
    server.pump();
    request?.answer(early);
    await soon();
    server.same('5m');
  }
});

test('a gap during a request: history from before the gap is requested again', async () => {
  const server = await open();
  server.feed.show('A', '1m');
  const early = server.history('A', '1m', PAGE);
  const [request] = server.requests.splice(0);
  server.trade(500);
  server.pump();
  for (let k = 0; k < 20; k++) server.trade(600 + k); // never sent
  server.snapshot();
  server.trade(700);
  server.pump();
  request?.answer(early);
  await soon();
  await server.settle();
  server.same();
});

test('another log during a request: nothing of the old log remains', async () => {
  const server = await open();
  server.feed.show('A', '1m');
  const old = server.history('A', '1m', PAGE);
  const [request] = server.requests.splice(0);
  for (let k = 0; k < 30; k++) server.trade(900);
  server.pump(); // wait, with seqs beyond the new log's
  server.restart();
  for (let k = 0; k < 5; k++) server.trade(10);
  server.hello();
  server.snapshot();
  request?.answer(old);
  await soon();
  for (let k = 0; k < 3; k++) server.trade(11);
  server.pump();
  await server.settle();
  server.same();
});

test('another log with an earlier clock adds no bar before the newest', async () => {
  const server = await open();
  server.restart();
  server.at -= 600e6;
  server.trade(5);
  server.hello();
  server.snapshot();
  server.trade(6);
  server.pump();
  await server.settle();
  server.same();
});

test('history of another log than the stream\'s is requested again', async () => {
  const server = await open();
  server.feed.show('A', '1m');
  for (let k = 0; k < 6; k++) {
    server.requests.shift()?.answer({ ...server.history('A', '1m', PAGE), epoch: 'other' });
    await soon();
    server.advance(300);
  }
  assert.equal(server.feed.state, 'failed');
  assert.equal(server.feed.list.length, 0);
  server.advance(5000);
  await server.settle();
  server.same();
});

test('a failed request has a time of retry, the bars follow ticks, and the retry completes them', async () => {
  const server = await open();
  for (let k = 0; k < 50; k++) server.trade(300);
  server.snapshot();
  server.requests.shift()?.fail();
  await soon();
  assert.equal(server.feed.state, 'failed');
  assert.equal(server.feed.retryAt, server.clock + 5000);
  server.trade(301);
  server.pump();
  assert.equal(server.feed.list.at(-1)?.c, 301);
  server.advance(5000);
  server.trade(302);
  server.pump();
  await server.settle();
  server.same();
});

test('older bars are loaded in pages up to the oldest, and stay when history is loaded again', async () => {
  const server = await open(6 * 700);
  assert.equal(server.feed.list.length, PAGE);
  assert.equal(server.feed.end, false);
  void server.feed.older();
  void server.feed.older(); // in progress
  assert.equal(server.requests.length, 1);
  server.trade(50);
  server.pump();
  await server.settle();
  assert.equal(server.feed.list.length, 2 * PAGE);
  server.snapshot(); // a sleep, and a resume with a gap
  server.trade(51);
  server.pump();
  await server.settle();
  assert.equal(server.feed.list.length, 2 * PAGE, 'older bars stay');
  server.same('1m', 2 * PAGE);
  void server.feed.older();
  await server.settle();
  assert.equal(server.feed.end, true);
  server.same();
  void server.feed.older();
  assert.equal(server.requests.length, 0);
});

test('older bars of another symbol are dropped', async () => {
  const server = await open(6 * 400);
  void server.feed.older();
  const [request] = server.requests.splice(0);
  const older = server.history('A', '1m', PAGE, server.feed.list[0]?.t);
  server.feed.show('A', '5m');
  request?.answer(older);
  await server.settle();
  server.same('5m');
});

test('a hole longer than a page discards the older bars', async () => {
  const server = await open(6 * 400);
  void server.feed.older();
  await server.settle();
  for (let k = 0; k < 6 * 350; k++) server.trade(20);
  server.snapshot();
  await server.settle();
  assert.equal(server.feed.list.length, PAGE);
  assert.equal(server.feed.end, false);
  server.same('1m', PAGE);
});

test('a failed page of older bars is requested again after a delay', async () => {
  const server = await open(6 * 400);
  void server.feed.older();
  server.requests.shift()?.fail();
  await soon();
  void server.feed.older();
  assert.equal(server.requests.length, 0);
  server.clock += 5000;
  void server.feed.older();
  await server.settle();
  server.same();
});

test('after close there are no requests and no calls', async () => {
  const server = await open();
  server.feed.show('A', '1m');
  server.feed.close();
  const changes = server.changes.length;
  server.trade(1);
  server.pump();
  server.snapshot();
  await soon();
  assert.equal(server.changes.length, changes);
  assert.deepEqual([server.timers.length, server.requests.every(({ signal }) => signal.aborted)], [0, true]);
});

test('random events in random order: the bars end as the server\'s', async () => {
  for (let seed = 1; seed <= 60; seed++) {
    let x = seed * 2654435761;
    const random = (/** @type {number} */ n) => { x = (x * 1103515245 + 12345) % 2147483648; return x % n; };
    const server = await open(random(2000));
    server.keep = Infinity;
    let interval = '1m';
    /** @type {(() => void)[]} */
    const late = [];
    for (let step = 0; step < 200; step++) {
      switch (random(14)) {
        case 0: server.snapshot(); break;
        case 1: for (let k = random(100); k > 0; k--) server.trade(random(500)); server.snapshot(); break; // a gap
        case 2: if (random(6) === 0) { server.restart(); server.trade(3); server.hello(); server.snapshot(); } break;
        case 3: if (random(3) === 0) { server.pump(); server.feed.show('A', (interval = random(2) ? '1m' : '5m')); } break;
        case 4: server.requests.shift()?.answer(); break;
        case 5: server.requests.shift()?.fail(); break;
        case 6: { // a response that arrives later
          const a = server.requests.shift();
          if (a) { const h = server.history(...a.url); late.push(() => a.answer(h)); }
          break;
        }
        case 7: late.shift()?.(); break;
        case 8: void server.feed.older(); break;
        case 9: server.advance(random(6000)); break;
        case 10: server.hello(); break;
        default: for (let k = random(9); k > 0; k--) server.trade(random(500), 1 + random(20e6), random(3) ? 'A' : 'B'); server.pump(random(12));
      }
      await soon();
    }
    for (const answer of late) answer();
    await soon();
    server.snapshot();
    await server.settle();
    server.trade(1);
    server.pump();
    server.same(interval, server.feed.list.length);
    const before = server.feed.list.map((b) => b.t);
    assert.deepEqual([...new Set(before)].sort((a, b) => a - b), before, `seed ${seed}: ascending`);
  }
});
