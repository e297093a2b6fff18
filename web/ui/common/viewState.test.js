import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ViewState } from './viewState.js';

/** A page with a history of addresses. */
class FakePage {
  /** @type {string[]} */
  entries;
  at = 0;
  #pop = () => {};

  /** @param {string} search */
  constructor(search) {
    this.entries = [search];
    const page = this;
    this.location = { pathname: '/', hash: '', get search() { return page.entries[page.at] ?? ''; } };
    this.history = {
      state: null,
      pushState: (/** @type {any} */ _, /** @type {string} */ __, /** @type {any} */ url) => {
        this.entries.splice(++this.at, Infinity, url.slice(1));
      },
      replaceState: (/** @type {any} */ _, /** @type {string} */ __, /** @type {any} */ url) => {
        this.entries[this.at] = url.slice(1);
      },
    };
  }

  /** @param {string} type @param {any} fn */
  addEventListener(type, fn) {
    if (type === 'popstate') this.#pop = fn;
  }

  /** @param {number} by */
  go(by) {
    this.at += by;
    this.#pop();
  }
}

/** @param {string} search */
function setup(search) {
  const page = new FakePage(search);
  const view = new ViewState(/** @type {any} */ (page));
  /** @type {string[]} */
  const symbols = [];
  view.on((now) => symbols.push(now.symbol));
  return { page, view, symbols };
}

test('a step adds an entry to the history, a refinement changes the entry', () => {
  const { page, view } = setup('?symbol=A');
  view.set({ q: 'x' });
  view.set({ symbol: 'B' });
  view.set({ sort: 'last' });
  view.set({ symbol: 'B' });
  view.adjust({ symbol: 'C' });
  assert.deepEqual(page.entries, ['?symbol=A&q=x', '?symbol=C&sort=last&q=x']);
});

test('back and forward restore the view and call its listeners', () => {
  const { page, view, symbols } = setup('?symbol=A');
  view.set({ symbol: 'B' });
  view.set({ panel: 'alerts' });
  view.set({ interval: '1h' });
  page.go(-1);
  assert.deepEqual([view.now.symbol, view.now.panel, view.now.interval], ['B', 'alerts', '1m']);
  page.go(-2);
  assert.deepEqual([view.now.symbol, view.now.panel], ['A', 'heat']);
  page.go(3);
  assert.deepEqual([view.now.symbol, view.now.panel, view.now.interval], ['B', 'alerts', '1h']);
  assert.deepEqual(symbols, ['B', 'B', 'B', 'B', 'A', 'B']);
  page.go(-1);
  view.set({ symbol: 'D' });
  assert.equal(page.entries.length, 4, 'a step from there drops what was ahead');
});

test('after back, the address has the lane that the stream uses now', () => {
  const { page, view } = setup('?symbol=A');
  view.set({ symbol: 'B' });
  view.set({ lane: 'ws' });
  page.go(-1);
  assert.equal(view.now.lane, 'ws');
  assert.deepEqual(page.entries, ['?symbol=A&lane=ws', '?symbol=B&lane=ws']);
});

test('a browser that refuses another entry keeps the view', () => {
  const { page, view, symbols } = setup('');
  page.history.pushState = () => { throw new Error('too many'); };
  view.set({ symbol: 'B' });
  assert.deepEqual([view.now.symbol, symbols], ['B', ['B']]);
});
