import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BarFeed, PAGE } from './barFeed.js';

/** @typedef {import('./history.js').History} History */

const MINUTE = 60e6;
const START = 1_760_000_040e6;

/** A server with its log. Tests decide when its responses and messages arrive. */
class Town {
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
  asked = [];
  /** @type {string[]} */
  told = [];
  sent = 0; // ticks of the log that the chart has been given
  feed = new BarFeed({
    fetch: (symbol, interval, limit, signal, before) => new Promise((done, fail) => {
      this.asked.push({ url: [symbol, interval, limit, before], signal, answer: (h) => done(h ?? this.history(symbol, interval, limit, before)), fail: () => fail(new Error('down')) });
      signal.addEventListener('abort', () => fail(new Error('aborted')));
    }),
    changed: (what) => { this.told.push(what); },
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

  hello() {
    this.feed.take(/** @type {any} */ ({ T: 'hello', epoch: this.epoch }));
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

  /** Answers what was asked for, and waits until it is taken. */
  async settle() {
    for (let k = 0; k < 40; k++) {
      for (const a of this.asked.splice(0)) a.answer();
      await new Promise((done) => setImmediate(done));
      if (this.asked.length === 0) {
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
  const town = new Town();
  for (let k = 0; k < n; k++) town.trade(100 + (k % 9));
  town.hello();
  town.snapshot();
  town.feed.show('A', '1m');
  await town.settle();
  return town;
}

test('history, then ticks: bars and volumes equal the server\'s', async () => {
  const town = await open();
  for (let k = 0; k < 100; k++) {
    town.trade(90 + (k % 30));
    if (k % 5 === 0) town.trade(1, 1e6, 'B');
    town.pump();
    town.same();
  }
});

test('ticks during a request are counted once, whether or not history includes them', async () => {
  const town = await open();
  for (const held of [0, 3, 10]) {
    town.feed.show('A', '5m');
    for (let k = 0; k < held; k++) town.trade(200 + k);
    const [asked] = town.asked.splice(0);
    const early = town.history('A', '5m', PAGE);
    for (let k = held; k < 10; k++) town.trade(200 + k);
    town.pump();
    asked?.answer(early);
    await soon();
    town.same('5m');
  }
});

test('a gap during a request: history from before the gap is requested again', async () => {
  const town = await open();
  town.feed.show('A', '1m');
  const early = town.history('A', '1m', PAGE);
  const [asked] = town.asked.splice(0);
  town.trade(500);
  town.pump();
  for (let k = 0; k < 20; k++) town.trade(600 + k); // never sent
  town.snapshot();
  town.trade(700);
  town.pump();
  asked?.answer(early);
  await soon();
  await town.settle();
  town.same();
});

test('another log during a request: nothing of the old log remains', async () => {
  const town = await open();
  town.feed.show('A', '1m');
  const old = town.history('A', '1m', PAGE);
  const [asked] = town.asked.splice(0);
  for (let k = 0; k < 30; k++) town.trade(900);
  town.pump(); // wait, with seqs beyond the new log's
  town.restart();
  for (let k = 0; k < 5; k++) town.trade(10);
  town.hello();
  town.snapshot();
  asked?.answer(old);
  await soon();
  for (let k = 0; k < 3; k++) town.trade(11);
  town.pump();
  await town.settle();
  town.same();
});

test('another log with an earlier clock adds no bar before the newest', async () => {
  const town = await open();
  town.restart();
  town.at -= 600e6;
  town.trade(5);
  town.hello();
  town.snapshot();
  town.trade(6);
  town.pump();
  await town.settle();
  town.same();
});

test('history of another log than the stream\'s is requested again', async () => {
  const town = await open();
  town.feed.show('A', '1m');
  for (let k = 0; k < 6; k++) {
    town.asked.shift()?.answer({ ...town.history('A', '1m', PAGE), epoch: 'other' });
    await soon();
    town.advance(300);
  }
  assert.equal(town.feed.state, 'failed');
  assert.equal(town.feed.list.length, 0);
  town.advance(5000);
  await town.settle();
  town.same();
});

test('a failed request has a time of retry, the bars follow ticks, and the retry completes them', async () => {
  const town = await open();
  for (let k = 0; k < 50; k++) town.trade(300);
  town.snapshot();
  town.asked.shift()?.fail();
  await soon();
  assert.equal(town.feed.state, 'failed');
  assert.equal(town.feed.retryAt, town.clock + 5000);
  town.trade(301);
  town.pump();
  assert.equal(town.feed.list.at(-1)?.c, 301);
  town.advance(5000);
  town.trade(302);
  town.pump();
  await town.settle();
  town.same();
});

test('older bars are loaded in pages up to the oldest, and stay when history is loaded again', async () => {
  const town = await open(6 * 700);
  assert.equal(town.feed.list.length, PAGE);
  assert.equal(town.feed.end, false);
  void town.feed.older();
  void town.feed.older(); // in progress
  assert.equal(town.asked.length, 1);
  town.trade(50);
  town.pump();
  await town.settle();
  assert.equal(town.feed.list.length, 2 * PAGE);
  town.snapshot(); // a sleep, and a resume with a gap
  town.trade(51);
  town.pump();
  await town.settle();
  assert.equal(town.feed.list.length, 2 * PAGE, 'older bars stay');
  town.same('1m', 2 * PAGE);
  void town.feed.older();
  await town.settle();
  assert.equal(town.feed.end, true);
  town.same();
  void town.feed.older();
  assert.equal(town.asked.length, 0);
});

test('older bars of another symbol are dropped', async () => {
  const town = await open(6 * 400);
  void town.feed.older();
  const [asked] = town.asked.splice(0);
  const older = town.history('A', '1m', PAGE, town.feed.list[0]?.t);
  town.feed.show('A', '5m');
  asked?.answer(older);
  await town.settle();
  town.same('5m');
});

test('a hole longer than a page discards the older bars', async () => {
  const town = await open(6 * 400);
  void town.feed.older();
  await town.settle();
  for (let k = 0; k < 6 * 350; k++) town.trade(20);
  town.snapshot();
  await town.settle();
  assert.equal(town.feed.list.length, PAGE);
  assert.equal(town.feed.end, false);
  town.same('1m', PAGE);
});

test('a failed page of older bars is requested again after a delay', async () => {
  const town = await open(6 * 400);
  void town.feed.older();
  town.asked.shift()?.fail();
  await soon();
  void town.feed.older();
  assert.equal(town.asked.length, 0);
  town.clock += 5000;
  void town.feed.older();
  await town.settle();
  town.same();
});

test('after close there are no requests and no calls', async () => {
  const town = await open();
  town.feed.show('A', '1m');
  town.feed.close();
  const told = town.told.length;
  town.trade(1);
  town.pump();
  town.snapshot();
  await soon();
  assert.equal(town.told.length, told);
  assert.deepEqual([town.timers.length, town.asked.every(({ signal }) => signal.aborted)], [0, true]);
});

test('random events in random order: the bars end as the server\'s', async () => {
  for (let seed = 1; seed <= 60; seed++) {
    let x = seed * 2654435761;
    const random = (/** @type {number} */ n) => { x = (x * 1103515245 + 12345) % 2147483648; return x % n; };
    const town = await open(random(2000));
    town.keep = Infinity;
    let interval = '1m';
    /** @type {(() => void)[]} */
    const late = [];
    for (let step = 0; step < 200; step++) {
      switch (random(14)) {
        case 0: town.snapshot(); break;
        case 1: for (let k = random(100); k > 0; k--) town.trade(random(500)); town.snapshot(); break; // a gap
        case 2: if (random(6) === 0) { town.restart(); town.trade(3); town.hello(); town.snapshot(); } break;
        case 3: if (random(3) === 0) { town.pump(); town.feed.show('A', (interval = random(2) ? '1m' : '5m')); } break;
        case 4: town.asked.shift()?.answer(); break;
        case 5: town.asked.shift()?.fail(); break;
        case 6: { // a response that arrives later
          const a = town.asked.shift();
          if (a) { const h = town.history(...a.url); late.push(() => a.answer(h)); }
          break;
        }
        case 7: late.shift()?.(); break;
        case 8: void town.feed.older(); break;
        case 9: town.advance(random(6000)); break;
        case 10: town.hello(); break;
        default: for (let k = random(9); k > 0; k--) town.trade(random(500), 1 + random(20e6), random(3) ? 'A' : 'B'); town.pump(random(12));
      }
      await soon();
    }
    for (const answer of late) answer();
    await soon();
    town.snapshot();
    await town.settle();
    town.trade(1);
    town.pump();
    town.same(interval, town.feed.list.length);
    const before = town.feed.list.map((b) => b.t);
    assert.deepEqual([...new Set(before)].sort((a, b) => a - b), before, `seed ${seed}: ascending`);
  }
});
