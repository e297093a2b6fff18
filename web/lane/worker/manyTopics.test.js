// More topics over several tabs than the server allows for the stream that they share.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeBrowser, range, sound } from '../../test/fakeBrowser.js';
import { random, settled } from '../../test/fakeServer.js';

const MOST = 512;
const symbols = range(1, 5_000).map((k) => `S${k}`);

function begin() {
  const b = new FakeBrowser(undefined, symbols);
  b.server.mostTopics = MOST;
  return b;
}

/** Lets time pass in steps so small that ticks come between the steps of every change. @param {FakeBrowser} b */
async function busy(b, steps = 500) {
  for (let k = 0; k < steps; k++) {
    b.server.tick(/** @type {string} */ (symbols[(k * 7) % 1_000]));
    await null;
    if (k % 3 === 0) b.server.pump();
    if (k % 50 === 0) await settled();
    b.server.advance(1);
  }
  await b.run();
}

/** Ticks every symbol once, delivered bit by bit, and checks that each tab has those of its topics. @param {FakeBrowser} b @param {any[]} tabs */
async function everySymbol(b, tabs) {
  const before = tabs.map((t) => t.seen.length);
  for (const s of symbols) b.server.tick(s);
  await b.run(500);
  for (const [k, t] of tabs.entries()) {
    assert.equal(t.feed.state.name, 'live');
    assert.ok(t.seen.length - before[k] >= t.feed.topics.length, `${t.seen.length - before[k]} ticks of ${t.feed.topics.length} topics`);
  }
  sound(...tabs);
}

for (const lane of /** @type {const} */ (['sse', 'ws'])) {
  test(`${lane}: with more topics than the server allows, no tab loses a tick when others join and leave`, async () => {
    const b = begin();
    const one = b.tab({ lane, topics: symbols.slice(0, 300) });
    await busy(b);
    const two = b.tab({ lane, topics: symbols.slice(200, 500) });
    await busy(b);
    assert.deepEqual(b.server.live.map((c) => c.topics.length), [500]);
    const three = b.tab({ lane, topics: symbols.slice(500, 900) });
    await busy(b);
    assert.deepEqual(b.server.live.map((c) => c.topics), [['*']]);
    await everySymbol(b, [one, two, three]);

    two.feed.stop(); // 700 topics are left
    await busy(b);
    assert.deepEqual(b.server.live.map((c) => c.topics), [['*']]);
    await everySymbol(b, [one, three]);
    three.feed.stop();
    await busy(b);
    assert.deepEqual(b.server.live.map((c) => c.topics.length), [300], 'no longer all topics');
    await everySymbol(b, [one]);
    assert.equal(b.server.conns.length, 1);
  });

  test(`${lane}: exactly as many topics as the server allows`, async () => {
    const b = begin();
    const one = b.tab({ lane, topics: symbols.slice(0, MOST) });
    const two = b.tab({ lane, topics: symbols.slice(0, MOST - 1) });
    await b.run(200);
    assert.deepEqual(b.server.live.map((c) => c.topics), [['*']]);
    one.feed.stop();
    await b.run(500);
    assert.deepEqual(b.server.live.map((c) => c.topics.length), [MOST - 1]);
    const three = b.tab({ lane, topics: symbols.slice(4_000, 4_200) });
    await b.run(500);
    await everySymbol(b, [two, three]);
    b.server.conn.cut();
    await b.run(2_000);
    await everySymbol(b, [two, three]);
  });

  test(`${lane}: a tab that joins while its topics are being removed gets all their ticks`, async () => {
    const b = begin();
    const stays = b.tab({ lane, topics: ['S1'] });
    const leaves = b.tab({ lane, topics: ['S2'] });
    await b.run();
    leaves.feed.stop();
    await Promise.resolve(); // the removal is on its way
    const joins = b.tab({ lane, topics: ['S2'] });
    for (let k = 0; k < 200; k++) {
      b.server.tick('S2');
      await null;
      if (k % 3 === 0) b.server.pump();
      if (k % 20 === 0) await settled();
    }
    b.server.tick('S2');
    await b.run();
    assert.equal(joins.seen.at(-1), b.server.head);
    sound(stays, joins);
  });

  test(`${lane}: random tabs of many topics each get every tick once`, async () => {
    const b = begin();
    const pick = random(lane === 'sse' ? 11 : 12);
    /** @type {any[]} */
    const tabs = [];
    for (let round = 0; round < 30; round++) {
      if (tabs.length < 2 || (tabs.length < 5 && pick() < 0.5)) {
        const at = Math.floor(pick() * 4_000);
        tabs.push(b.tab({ lane, topics: symbols.slice(at, at + 1 + Math.floor(pick() * 400)) }));
      } else if (pick() < 0.7) {
        const [gone] = tabs.splice(Math.floor(pick() * tabs.length), 1);
        gone.feed.stop();
        sound(gone);
      } else {
        b.server.live.at(-1)?.cut();
      }
      await busy(b, Math.floor(pick() * 300));
    }
    await b.run(20_000);
    await everySymbol(b, tabs);
  });
}
