import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Stored, parseJSON } from '../browser/storage.js';
import { KEY, LISTS, Lists, NAME, readId, readLists, readName, readSymbols, SYMBOLS } from './lists.js';
import { defaults } from './urlState.js';

/** @import { View } from './urlState.js' */

/** @param {Record<string, string>} [kept] @param {Partial<View>} [patch] */
function setup(kept = {}, patch = {}) {
  /** @type {View} */
  let now = { ...defaults, ...patch };
  /** @type {((now: View, before: View) => void)[]} */
  const listeners = [];
  const set = (/** @type {Partial<View>} */ p) => {
    const before = now;
    if (Object.entries(p).every(([k, v]) => before[/** @type {keyof View} */ (k)] === v)) return;
    now = { ...now, ...p };
    for (const fn of listeners) fn(now, before);
  };
  const view = /** @type {any} */ ({ get now() { return now; }, on: (/** @type {any} */ fn) => listeners.push(fn), set, adjust: set });
  const storage = { getItem: (/** @type {string} */ k) => kept[k] ?? null, setItem: (/** @type {string} */ k, /** @type {string} */ v) => { kept[k] = v; }, removeItem: () => {} };
  return { lists: new Lists({ view, stored: new Stored(KEY, readLists, () => storage), first: 'Favourites' }), view, kept, storage };
}
const names = (/** @type {Lists} */ lists) => lists.all.map((l) => l.name);
/** The id of a list. @param {Lists} lists @param {string} name */
const id = (lists, name) => lists.all.find((l) => l.name === name)?.id ?? 'none';
/** Without their ids. @param {readonly any[]} lists */
const plain = (lists) => lists.map(({ name, symbols }) => ({ name, symbols }));
/** The open list without its id. @param {Lists} lists */
const open = (lists) => lists.open && { name: lists.open.name, symbols: lists.open.symbols, saved: lists.open.saved };
/** The lists in a storage. @param {Record<string, string>} kept */
const storedIn = (kept) => plain(readLists(parseJSON(kept[KEY] ?? null)).lists);

test('a name is trimmed, single-spaced and limited in whole characters', () => {
  assert.equal(readName('  my \t\n list '), 'my list');
  assert.equal(readName('😀'.repeat(50)), '😀'.repeat(NAME));
  assert.equal(readName(7), '');
});

test('symbols of a link: without duplicates and invalid ones, limited in number', () => {
  assert.equal(readSymbols('MSFT,AAPL,,aapl,MSFT,<b>,BRK.B,^GSPC,EUR/USD,x:BTC,sector:tech,A B'), 'MSFT,AAPL,aapl,BRK.B,^GSPC,EUR/USD,x:BTC');
  assert.equal(readSymbols(Array.from({ length: 500 }, (_, i) => `S${i}`).join()).split(',').length, SYMBOLS);
});

test('bad stored lists lose nothing that can be read', () => {
  for (const bad of [null, '', '{', '7', '{"v":2,"lists":[]}', '{"v":1,"lists":{}}', '{"v":1}']) assert.deepEqual(readLists(parseJSON(bad)), { lists: [], into: '' });
  const text = JSON.stringify({ v: 1, into: 'B', lists: [null, 7, { name: '' }, { name: 'A', symbols: ['X', 1, 'X', 'y z'] }, { name: 'a', symbols: ['Y'] }, { name: 7, symbols: ['K', 'L'] }, { name: '', symbols: [] }, { name: 'b', symbols: [] }] });
  assert.deepEqual(readLists(parseJSON(text)), {
    lists: [{ id: '', name: 'A', symbols: ['X'] }, { id: '', name: 'a 2', symbols: ['Y'] }, { id: '', name: 'K L', symbols: ['K', 'L'] }, { id: '', name: 'b', symbols: [] }], into: 'b',
  });
  const many = { v: 1, lists: Array.from({ length: 99 }, (_, i) => ({ name: `L${i}`, symbols: [] })) };
  assert.equal(readLists(many).lists.length, LISTS);
  const ids = readLists({ v: 1, into: 'q', lists: [{ id: 'q', name: 'A', symbols: [] }, { id: 'q', name: 'B', symbols: [] }, { id: '<b>', name: 'C', symbols: [] }] });
  assert.deepEqual([ids.lists.map((l) => l.id), ids.into], [['q', '', ''], 'A']);
  assert.deepEqual([readId('a-B_9'), readId(''), readId('x'.repeat(25)), readId(7)], ['a-B_9', '', '', '']);
});

test('lists of an earlier version get ids once, which all tabs share', () => {
  const kept = { [KEY]: '{"v":1,"lists":[{"name":"Tech","symbols":["AAPL"]},{"name":"Oil","symbols":[]}],"into":"Oil"}' };
  const one = setup(kept).lists;
  const two = setup(kept, { list: 'AAPL', name: 'Tech' }); // a link of an earlier version
  assert.match(id(one, 'Tech'), /^\w{4,24}$/);
  assert.notEqual(id(one, 'Tech'), id(one, 'Oil'));
  assert.equal(id(two.lists, 'Tech'), id(one, 'Tech'));
  assert.equal(two.view.now.listId, id(one, 'Tech'));
  assert.equal(one.title, 'Oil', 'stars go where they went');
});

test('a tab with an earlier version drops the ids: they are restored', () => {
  const { lists, kept, view } = setup();
  lists.create('A', ['X']);
  lists.show(id(lists, 'A'));
  const before = id(lists, 'A');
  kept[KEY] = '{"v":1,"lists":[{"name":"A","symbols":["X","Y"]},{"name":"B","symbols":[]}],"into":"A"}';
  lists.reload();
  assert.equal(id(lists, 'A'), before);
  assert.deepEqual([view.now.list, lists.open?.saved], ['X,Y', true]);
  assert.match(kept[KEY], new RegExp(before));
});

test('a list that is renamed in one tab stays the same in another, with its stars', () => {
  const one = setup();
  one.lists.create('Tech', ['AAPL']);
  const tech = id(one.lists, 'Tech');
  one.lists.show(tech);
  const two = setup(one.kept, one.view.now);
  two.lists.rename(tech, 'Chips');
  one.lists.reload();
  assert.deepEqual(open(one.lists), { name: 'Chips', symbols: ['AAPL'], saved: true });
  assert.equal(one.view.now.name, 'Chips');
  two.lists.rename(tech, 'Silicon');
  assert.deepEqual(one.lists.star('MSFT'), { name: 'Silicon', in: true }, 'also without an event');
  two.lists.show('');
  assert.deepEqual(two.lists.star('NVDA'), { name: 'Silicon', in: true }, 'the target of stars');
  assert.deepEqual(storedIn(one.kept), [{ name: 'Silicon', symbols: ['AAPL', 'MSFT', 'NVDA'] }]);
  const reloaded = setup(one.kept, { list: 'AAPL', name: 'Tech', listId: tech });
  assert.deepEqual(open(reloaded.lists), { name: 'Silicon', symbols: ['AAPL', 'MSFT', 'NVDA'], saved: true }, 'an old bookmark');
});

test("a link with an id of another browser shows the link's symbols", () => {
  const { lists } = setup({ [KEY]: '{"v":1,"lists":[{"id":"mine","name":"Tech","symbols":["AAPL"]}]}' }, { list: 'MSFT', name: 'Tech', listId: 'theirs' });
  assert.deepEqual(open(lists), { name: 'Tech', symbols: ['MSFT'], saved: false });
  assert.equal(setup({}, { listId: 'theirs' }).lists.open, null, 'an id alone is no list');
});

test('forbidden storage: lists last as long as the page', () => {
  const { view } = setup();
  const no = () => { throw new Error('forbidden'); };
  const lists = new Lists({ view, stored: new Stored(KEY, readLists, no), first: 'F' });
  assert.equal(lists.create('A'), '');
  assert.deepEqual(names(lists), ['A']);
});

test('names are unique ignoring case, and the number of lists is limited', () => {
  const { lists } = setup();
  assert.equal(lists.create(' Tech '), '');
  assert.equal(lists.create('tech'), 'taken');
  assert.equal(lists.create('  '), 'empty');
  assert.equal(lists.create('Oil'), '');
  assert.equal(lists.rename(id(lists, 'Oil'), 'TECH'), 'taken');
  assert.equal(lists.rename(id(lists, 'Tech'), 'TECH'), '');
  assert.deepEqual(names(lists), ['TECH', 'Oil']);
  for (let i = 2; i < LISTS; i++) assert.equal(lists.create(`L${i}`), '');
  assert.equal(lists.create('one more'), 'many');
  assert.equal(lists.rename(id(lists, 'Oil'), 'Gas'), '', 'renaming works at the limit');
});

test('the first star creates a list, the next removes the symbol', () => {
  const { lists, kept } = setup();
  assert.deepEqual(lists.star('AAPL'), { name: 'Favourites', in: true });
  assert.deepEqual(lists.star('MSFT'), { name: 'Favourites', in: true });
  assert.deepEqual(lists.star('AAPL'), { name: 'Favourites', in: false });
  const own = id(lists, 'Favourites');
  assert.equal(kept[KEY], `{"v":1,"lists":[{"id":"${own}","name":"Favourites","symbols":["MSFT"]}],"into":"${own}"}`);
  assert.deepEqual(setup(kept).lists.starred, { id: own, name: 'Favourites', symbols: ['MSFT'] });
});

test('a star adds to the open list, else to the one that was open last', () => {
  const { lists, view } = setup();
  lists.create('A');
  lists.create('B');
  lists.show(id(lists, 'A'));
  lists.star('X');
  assert.deepEqual([view.now.list, view.now.name], ['X', 'A']);
  assert.equal(lists.open?.saved, true);
  lists.star('X');
  assert.deepEqual(open(lists), { name: 'A', symbols: [], saved: true }, 'an empty list stays open');
  lists.show('');
  assert.equal(lists.open, null);
  assert.equal(lists.star('Y')?.name, 'A');
});

test('a full list accepts no more symbols', () => {
  const { lists } = setup();
  lists.create('A', Array.from({ length: SYMBOLS }, (_, i) => `S${i}`));
  assert.equal(lists.star('X'), null);
  assert.deepEqual(lists.star('S0'), { name: 'A', in: false });
});

test('imported symbols are added once, as far as there is room, also after a change in another tab', () => {
  const { lists, kept, view } = setup();
  lists.create('A', ['X']);
  const a = id(lists, 'A');
  lists.show(a);
  setup(kept).lists.star('Y');
  assert.equal(lists.add(a, ['Z', 'X']), '');
  assert.equal(view.now.list, 'X,Y,Z');
  assert.equal(lists.add(a, Array.from({ length: 300 }, (_, i) => `S${i}`)), '');
  assert.equal(lists.open?.symbols.length, SYMBOLS);
  setup(kept).lists.remove(a);
  assert.equal(lists.add(a, ['W']), 'gone');
});

test('symbols move within the open list, not beyond its ends', () => {
  const { lists, view } = setup();
  lists.create('A', ['X', 'Y', 'Z']);
  assert.equal(lists.move('X', 1), 0, 'none is open');
  lists.show(id(lists, 'A'));
  assert.equal(lists.move('X', 1), 2);
  assert.equal(lists.move('Z', 1), 0);
  assert.equal(lists.move('Q', -1), 0);
  assert.equal(view.now.list, 'Y,X,Z');
  assert.deepEqual(lists.all[0]?.symbols, ['Y', 'X', 'Z']);
  assert.equal(lists.open?.saved, true);
});

test('a link is a temporary list until it is saved; it does not change a saved list of the same name', () => {
  const { lists, view } = setup({ [KEY]: '{"v":1,"lists":[{"name":"Tech","symbols":["AAPL"]}]}' }, { list: 'MSFT,NVDA', name: 'Tech' });
  assert.deepEqual(open(lists), { name: 'Tech', symbols: ['MSFT', 'NVDA'], saved: false });
  lists.star('KO');
  assert.equal(view.now.list, 'MSFT,NVDA,KO');
  assert.deepEqual(plain(lists.all), [{ name: 'Tech', symbols: ['AAPL'] }]);
  assert.equal(lists.save(), 'Tech 2');
  assert.deepEqual(open(lists), { name: 'Tech 2', symbols: ['MSFT', 'NVDA', 'KO'], saved: true });
  assert.equal(lists.save(), 'Tech 2', 'it is already saved');
});

test('a link without a name is still a list when it is emptied', () => {
  const { lists } = setup({}, { list: 'MSFT' });
  assert.equal(lists.open?.name, '');
  lists.star('MSFT');
  assert.deepEqual(open(lists), { name: 'Favourites', symbols: [], saved: false });
});

test('a saved list is open after reloading its address', () => {
  const { lists, kept, view } = setup();
  lists.create('A', ['X']);
  lists.show(id(lists, 'A'));
  assert.equal(setup(kept, view.now).lists.open?.saved, true);
});

test('the open list can be renamed, removed and restored', () => {
  const { lists, view } = setup();
  lists.create('A', ['X']);
  lists.create('B', ['Y']);
  lists.show(id(lists, 'A'));
  lists.rename(id(lists, 'A'), 'C');
  assert.equal(view.now.name, 'C');
  const undo = lists.remove(id(lists, 'C'));
  assert.equal(lists.open, null);
  undo();
  assert.deepEqual(names(lists), ['C', 'B']);
  assert.deepEqual(open(lists), { name: 'C', symbols: ['X'], saved: true });
  undo();
  assert.deepEqual(names(lists), ['C', 'B'], 'only once');
});

test('changes in another tab are read', () => {
  const { lists, view, kept } = setup();
  lists.create('A', ['X']);
  lists.show(id(lists, 'A'));
  let calls = 0;
  lists.on(() => calls++);
  kept[KEY] = '{"v":1,"lists":[{"name":"A","symbols":["X","Y"]}]}';
  lists.reload();
  assert.equal(view.now.list, 'X,Y');
  assert.ok(calls > 0);
  kept[KEY] = '{"v":1,"lists":[]}';
  lists.reload();
  assert.deepEqual(open(lists), { name: 'A', symbols: ['X', 'Y'], saved: false }, 'removed in the other tab: it can be saved again');
});

test('two tabs edit at once without storage events: no change is undone', () => {
  const one = setup();
  one.lists.create('Tech', ['AAPL']);
  const two = setup(one.kept);
  one.lists.create('Oil', ['XOM']);
  assert.deepEqual(two.lists.star('MSFT'), { name: 'Tech', in: true });
  assert.deepEqual(names(two.lists), ['Tech', 'Oil'], 'a frozen page gets no storage event');
  assert.equal(one.lists.rename(id(one.lists, 'Tech'), 'Chips'), '');
  assert.deepEqual(storedIn(one.kept), [{ name: 'Chips', symbols: ['AAPL', 'MSFT'] }, { name: 'Oil', symbols: ['XOM'] }]);
});

test('an open list changed in another tab without an event keeps both changes', () => {
  const one = setup();
  one.lists.create('Tech', ['AAPL']);
  one.lists.show(id(one.lists, 'Tech'));
  const two = setup(one.kept, { list: 'AAPL', name: 'Tech' });
  two.lists.star('MSFT');
  one.lists.star('NVDA');
  assert.deepEqual(open(one.lists), { name: 'Tech', symbols: ['AAPL', 'MSFT', 'NVDA'], saved: true });
  assert.equal(one.lists.move('NVDA', -1), 2);
});

test('an older state in a full storage is not read', () => {
  const one = setup();
  one.lists.create('A', ['X']);
  const { setItem } = one.storage;
  one.storage.setItem = () => { throw new Error('full'); };
  one.lists.create('B', ['Y']);
  one.lists.reload();
  assert.deepEqual(names(one.lists), ['A', 'B']);
  one.storage.setItem = setItem;
  one.lists.create('C');
  assert.deepEqual(readLists(parseJSON(one.kept[KEY] ?? null)).lists.map((l) => l.name), ['A', 'B', 'C']);
});
