import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Stored } from '../../browser/storage.js';
import { QuoteStore } from '../../model/quotes.js';
import { AlertHistory, readMarks } from './alertHistory.js';
import { AlertStore, readAlerts } from './alertStore.js';
import { SharedAlerts } from './sharedAlerts.js';

/** @import { Firing } from './alertHistory.js' */
/** @import { NewAlert } from './sharedAlerts.js' */

const above = (/** @type {number} */ level, every = false) => /** @type {NewAlert} */ ({ S: 'A', kind: 'above', level, minutes: 0, every });

/** A tab with alerts; tabs with the same kept values are of one browser, without a database. */
class Tab {
  quotes = new QuoteStore();
  /** @type {Firing[]} */
  fired = [];
  i = 0;

  /** @param {Record<string, string>} [kept] */
  constructor(kept = {}) {
    const area = { getItem: (/** @type {string} */ k) => kept[k] ?? null, setItem: (/** @type {string} */ k, /** @type {string} */ v) => { kept[k] = v; }, removeItem: () => {} };
    this.kept = kept;
    this.history = new AlertHistory(new Stored('seen', readMarks, () => area));
    this.alerts = new SharedAlerts({
      get: (S) => this.quotes.get(S), store: new AlertStore(new Stored('alerts', readAlerts, () => area)), history: this.history,
      report: (f) => this.fired.push(f), hidden: () => false,
    });
    this.take({ T: 'hello', epoch: 'e', resume: 'none' });
  }

  /** @param {any} m */
  take(m) {
    this.quotes.apply(m, 0);
    this.alerts.take(m);
  }

  /** @param {...number} prices */
  async ticks(...prices) {
    for (const p of prices) this.take({ T: 'q', S: 'A', bp: p, bs: 1, ap: p, as: 1, p, v: ++this.i, t: this.i * 1_000_000, n: this.i, i: this.i });
    await new Promise((done) => setImmediate(done));
  }

  get states() {
    return this.alerts.list.map((a) => [a.armed, a.done, a.n]);
  }
}

test('an alert that is true already fires at once, or waits, as the user chose', async () => {
  const tab = new Tab();
  await tab.ticks(110);
  tab.alerts.create(above(105));
  tab.alerts.create(above(106), true);
  await tab.ticks(110);
  assert.deepEqual(tab.fired.map((f) => [f.level, f.p]), [[106, 110]]);
  assert.deepEqual(tab.states, [[false, false, 0], [false, true, 1]]);
  await tab.ticks(104, 105);
  assert.deepEqual(tab.fired.map((f) => f.level), [106, 105], 'the other fires once it was on the other side');
});

test('to fire at once has no effect on an alert that is not true', async () => {
  const tab = new Tab();
  await tab.ticks(100);
  tab.alerts.create(above(105), true);
  await tab.ticks(104);
  assert.deepEqual([tab.fired.length, tab.states], [0, [[true, false, 0]]]);
});

test('a level that is moved does not fire by that, and a done alert is active again', async () => {
  const tab = new Tab();
  await tab.ticks(100);
  const a = tab.alerts.create(above(105));
  assert.ok(a);
  await tab.ticks(106);
  tab.alerts.edit(a.id, { level: 103 });
  await tab.ticks(106.5);
  assert.deepEqual([tab.fired.length, tab.states], [1, [[false, false, 1]]], 'it waits');
  tab.alerts.edit(a.id, { level: 108, every: true });
  await tab.ticks(107, 108);
  assert.deepEqual(tab.fired.map((f) => [f.n, f.p]), [[1, 106], [2, 108]]);
  tab.alerts.remove(a.id);
  assert.deepEqual(tab.alerts.list, []);
});

test('another tab sees created and edited alerts, and listeners are called', async () => {
  const one = new Tab();
  const two = new Tab(one.kept);
  let calls = 0;
  two.alerts.on(() => calls++);
  const a = one.alerts.create(above(105));
  two.alerts.read();
  one.alerts.edit(a?.id ?? '', { level: 120 });
  two.alerts.read();
  assert.deepEqual(two.alerts.list.map((x) => x.level), [120]);
  assert.equal(calls, 2);
});

test('within other minutes an alert starts anew', async () => {
  const tab = new Tab();
  await tab.ticks(100);
  const a = tab.alerts.create({ ...above(2), kind: 'within', minutes: 1 });
  await tab.ticks(101);
  tab.alerts.edit(a?.id ?? '', { minutes: 60 });
  await tab.ticks(102.5);
  assert.equal(tab.fired.length, 0, 'the prices of the old minutes do not count');
});

test('the number of alerts is limited', () => {
  const tab = new Tab();
  for (let k = 0; k < 50; k++) assert.ok(tab.alerts.create(above(100 + k)));
  assert.equal(tab.alerts.full, true);
  assert.equal(tab.alerts.create(above(99)), null);
});

test('firings are unread until they were seen, in all tabs, and after a reload', async () => {
  const tab = new Tab();
  await tab.ticks(100);
  tab.alerts.create(above(105));
  await tab.ticks(105);
  const [firing] = await tab.history.all();
  assert.ok(firing);
  assert.equal(tab.history.unread([firing]), 1);
  const again = new Tab(tab.kept);
  assert.equal(again.history.unread([firing]), 1);
  assert.equal(again.history.unread([{ ...firing, at: undefined }]), 0, 'one that an earlier version recorded');
  again.history.markSeen([firing]);
  assert.equal(tab.history.unread([firing]), 0);
  assert.equal(tab.history.unread([firing, { ...firing, at: (firing.at ?? 0) + 1 }]), 1, 'a later one is new');
});

test('the history is bounded and can be cleared', async () => {
  const tab = new Tab();
  const firing = { id: 'x', n: 1, S: 'A', kind: /** @type {const} */ ('above'), level: 1, minutes: 0, p: 1, t: 1, at: 1 };
  for (let n = 1; n <= 510; n++) await tab.history.add({ ...firing, n });
  const all = await tab.history.all();
  assert.deepEqual([all.length, all[0]?.n], [500, 510]);
  await tab.history.clear();
  assert.deepEqual(await tab.history.all(), []);
});

test('invalid marks count as nothing seen', () => {
  for (const bad of [null, 7, {}, { v: 2, seen: 5 }, { v: 1, seen: 'x' }]) assert.deepEqual(readMarks(bad), { seen: 0 });
});
