/** @import { ViewState } from '../ui/common/viewState.js' */
/** @typedef {{ name: string, symbols: readonly string[] }} List */
/** @typedef {import('../browser/storage.js').Stored<ReturnType<typeof readLists>>} Stored */
/** @typedef {'empty' | 'taken' | 'many'} Refusal why a name was refused */

export const KEY = 'ticklane.lists';
export const LISTS = 30;
export const SYMBOLS = 200; // of one list, so that it fits into a link
export const NAME = 32; // characters

/** Normalises a name: trimmed, single spaces, at most NAME characters. @param {unknown} text */
export const readName = (text) => (typeof text === 'string' ? [...text.replace(/[\s\p{C}]+/gu, ' ').trim()].slice(0, NAME).join('').trim() : '');

/** The symbols of a link, without invalid ones and duplicates. @param {string} text @returns {string} */
export const readSymbols = (text) => distinct(text.split(',')).join();

/** @param {readonly any[]} symbols @returns {string[]} */
const distinct = (symbols) => [...new Set(symbols)].filter((s) => typeof s === 'string' && /^[A-Z0-9.-]{1,16}$/.test(s)).slice(0, SYMBOLS);

/** The stored lists of version 1; invalid ones are left out. @param {any} stored @returns {{ lists: List[], into: string }} */
export function readLists(stored) {
  /** @type {List[]} */
  const lists = [];
  if (stored?.v !== 1 || !Array.isArray(stored.lists)) return { lists, into: '' };
  for (const l of stored.lists) {
    const name = readName(l?.name);
    if (lists.length < LISTS && name && Array.isArray(l.symbols) && !find(lists, name)) lists.push({ name, symbols: distinct(l.symbols) });
  }
  return { lists, into: find(lists, readName(stored.into))?.name ?? '' };
}

/** Finds a list by name, ignoring case. @param {readonly List[]} lists @param {string} name */
const find = (lists, name) => lists.find((l) => l.name.toLowerCase() === name.toLowerCase());

/**
 * The user's lists of symbols. The address contains the open list's name and symbols, so it works as a link for others.
 * The open list is saved if a stored list has that name and those symbols; otherwise it is temporary, until it is saved.
 */
export class Lists {
  /** @type {List[]} */
  #lists = [];
  #into = ''; // the list that a star adds to while none is open
  /** @type {string | null} as last read or written */
  #text = null;
  /** @type {Set<() => void>} */
  #listeners = new Set();
  #view;
  #stored;
  #first;

  /** @param {{ view: ViewState, stored: Stored, first: string }} parts stored: made with KEY and readLists; first: the name of the list that the first star creates */
  constructor({ view, stored, first }) {
    this.#view = view;
    this.#stored = stored;
    this.#first = first;
    this.#read();
    view.on((now, before) => {
      if (now.list === before.list && now.name === before.name) return;
      this.#opened();
      this.#notify();
    });
    this.#opened();
  }

  /** @returns {readonly List[]} */
  get all() {
    return this.#lists;
  }

  /** The list that is shown; null for all symbols. @returns {(List & { saved: boolean }) | null} */
  get open() {
    const { list, name } = this.#view.now;
    if (!list && !name) return null;
    const saved = find(this.#lists, name);
    return { name, symbols: list ? list.split(',') : [], saved: saved?.name === name && saved.symbols.join() === list };
  }

  /** The list that a star adds to or removes from: the open one, else the saved one that was open last. @returns {List | null} null when a star would create one */
  get starred() {
    return this.open ?? find(this.#lists, this.#into) ?? this.#lists[0] ?? null;
  }

  /** The name of the list that a star adds to. */
  get title() {
    return this.starred?.name || this.#first;
  }

  /** @param {string} name '' for all symbols */
  show(name) {
    const list = find(this.#lists, name);
    this.#view.set({ list: list?.symbols.join() ?? '', name: list?.name ?? '' });
  }

  /** Checks the name of a list. @param {string} text @param {string} [old] its present name @returns {Refusal | ''} */
  refused(text, old = '') {
    const name = readName(text);
    if (!name) return 'empty';
    const there = find(this.#lists, name);
    if (there && there.name !== old) return 'taken';
    return !old && this.#lists.length >= LISTS ? 'many' : '';
  }

  /** Creates a list. @param {string} text @param {readonly string[]} symbols @returns {Refusal | ''} */
  create(text, symbols = []) {
    this.reload();
    const why = this.refused(text);
    if (!why) {
      const name = readName(text);
      this.#into = name;
      this.#change([...this.#lists, { name, symbols: distinct(symbols) }]);
    }
    return why;
  }

  /** Saves the open temporary list, under another name if its own is taken. @returns {string} the name; '' if there are too many lists */
  save() {
    this.reload();
    const { open } = this;
    if (!open || open.saved) return open?.name ?? '';
    const base = [...(open.name || this.#first)].slice(0, NAME - 3).join('').trim();
    let name = readName(open.name || this.#first);
    for (let n = 2; this.refused(name) === 'taken'; n++) name = `${base} ${n}`;
    if (this.create(name, open.symbols)) return '';
    this.show(name);
    return name;
  }

  /** @param {string} old @param {string} text @returns {Refusal | ''} */
  rename(old, text) {
    this.reload();
    const why = this.refused(text, old);
    const list = find(this.#lists, old);
    if (why || !list) return why;
    const name = readName(text);
    const open = this.open?.saved && this.open.name === list.name;
    if (this.#into === list.name) this.#into = name;
    this.#change(this.#lists.map((l) => (l === list ? { ...l, name } : l)));
    if (open) this.show(name);
    return '';
  }

  /** @param {string} name @returns {() => void} restores it */
  remove(name) {
    this.reload();
    const at = this.#lists.findIndex((l) => l.name === name);
    const list = this.#lists[at];
    if (!list) return () => {};
    const open = this.open?.saved && this.open.name === name;
    this.#change(this.#lists.filter((l) => l !== list));
    if (open) this.show('');
    return () => {
      this.reload();
      if (this.refused(name)) return;
      this.#change([...this.#lists.slice(0, at), list, ...this.#lists.slice(at)]);
      if (open) this.show(name);
    };
  }

  /**
   * Adds a symbol to the starred list, or removes it.
   * @param {string} symbol @returns {{ name: string, in: boolean } | null} null when the list is full, or there are too many
   */
  star(symbol) {
    this.reload();
    const list = this.starred;
    if (!list) return this.create(this.#first, [symbol]) ? null : { name: this.#first, in: true };
    const had = list.symbols.includes(symbol);
    if (!had && list.symbols.length >= SYMBOLS) return null;
    this.#edit(list, had ? list.symbols.filter((s) => s !== symbol) : [...list.symbols, symbol]);
    return { name: list.name, in: !had };
  }

  /** Moves a symbol within the open list. @param {string} symbol @param {number} by @returns {number} its new place, from 1; 0 when it can't move */
  move(symbol, by) {
    this.reload();
    const { open } = this;
    const symbols = [...(open?.symbols ?? [])];
    const from = symbols.indexOf(symbol);
    const to = from + by;
    if (!open || from < 0 || to < 0 || to >= symbols.length) return 0;
    symbols.splice(to, 0, ...symbols.splice(from, 1));
    this.#edit(open, symbols);
    return to + 1;
  }

  /**
   * Reads the stored lists if another tab changed them. Every change starts with it: a page that was frozen or in the
   * back/forward cache has missed the storage events and would undo the changes of other tabs.
   */
  reload() {
    const { open } = this;
    if (!this.#read()) return;
    if (open?.saved) {
      const list = find(this.#lists, open.name);
      if (list) this.show(list.name); // else it becomes temporary
    }
    this.#notify();
  }

  /** @param {() => void} fn called when a list changed or another one was opened */
  on(fn) {
    this.#listeners.add(fn);
  }

  /** @param {List} list @param {readonly string[]} symbols */
  #edit(list, symbols) {
    const { open } = this;
    if (!open || open.saved) this.#change(this.#lists.map((l) => (l.name === list.name ? { ...l, symbols } : l)));
    // A temporary list without a name and symbols would be no list.
    if (open) this.#view.set({ list: symbols.join(), name: open.name || (symbols.length ? '' : this.#first) });
  }

  #opened() {
    const { open } = this;
    if (open?.saved) this.#into = open.name;
  }

  /** @param {List[]} lists */
  #change(lists) {
    this.#lists = lists;
    if (!find(lists, this.#into)) this.#into = '';
    this.#text = this.#stored.write({ v: 1, lists, into: this.#into });
    this.#notify();
  }

  /** @returns {boolean} whether the stored lists have changed */
  #read() {
    const { text } = this.#stored;
    if (text === this.#text) return false;
    this.#text = text;
    const { lists, into } = this.#stored.read();
    this.#lists = lists;
    this.#into = find(lists, this.#into)?.name ?? into; // each page keeps its own target for stars
    return true;
  }

  #notify() {
    for (const fn of this.#listeners) fn();
  }
}
