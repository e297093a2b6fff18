import { isSymbol } from './instruments.js';

/** @import { ViewState } from '../ui/common/viewState.js' */
/** @typedef {{ id: string, name: string, symbols: readonly string[] }} List id: stays the same when the list is renamed; '' while it is not saved */
/** @typedef {import('../browser/storage.js').Stored<ReturnType<typeof readLists>>} Stored */
/** @typedef {'empty' | 'taken' | 'many'} Refusal why a name was refused */

export const KEY = 'ticklane.lists';
export const LISTS = 30;
export const SYMBOLS = 200; // of one list, so that it fits into a link
export const NAME = 32; // characters

/** Normalises a name: trimmed, single spaces, at most NAME characters. @param {unknown} text */
export const readName = (text) => (typeof text === 'string' ? [...text.replace(/[\s\p{C}]+/gu, ' ').trim()].slice(0, NAME).join('').trim() : '');

/** The id of a list in this browser; '' for anything else. @param {unknown} text */
export const readId = (text) => (typeof text === 'string' && /^[\w-]{1,24}$/.test(text) ? text : '');

/** The symbols of a link, without invalid ones and duplicates. @param {string} text @returns {string} */
export const readSymbols = (text) => distinct(text.split(',')).join();

/** @param {readonly any[]} symbols @returns {string[]} */
const distinct = (symbols) => [...new Set(symbols)].filter(isSymbol).slice(0, SYMBOLS);

/**
 * The stored lists of version 1. Names are made unique, and a list without a name gets one of its symbols; only what is no
 * list is left out. Lists of earlier versions, and those with the id of another, have the id ''.
 * @param {any} stored @returns {{ lists: List[], into: string }} into: the name of the list that a star adds to
 */
export function readLists(stored) {
  /** @type {List[]} */
  const lists = [];
  if (stored?.v !== 1 || !Array.isArray(stored.lists)) return { lists, into: '' };
  for (const l of stored.lists) {
    if (lists.length === LISTS || !Array.isArray(l?.symbols)) continue;
    const symbols = distinct(l.symbols);
    const name = readName(l.name) || readName(symbols.join(' '));
    const id = readId(l.id);
    if (name) lists.push({ id: lists.some((x) => x.id === id) ? '' : id, name: freeName(lists, name), symbols });
  }
  const into = lists.find((l) => l.id && l.id === stored.into) ?? find(lists, readName(stored.into)); // earlier versions stored the name
  return { lists, into: into?.name ?? '' };
}

/** Finds a list by name, ignoring case. @param {readonly List[]} lists @param {string} name */
const find = (lists, name) => lists.find((l) => l.name.toLowerCase() === name.toLowerCase());

/** The name, with a number if a list has it already. @param {readonly List[]} lists @param {string} name */
function freeName(lists, name) {
  const base = [...name].slice(0, NAME - 3).join('').trim();
  let free = name;
  for (let n = 2; find(lists, free); n++) free = `${base} ${n}`;
  return free;
}

const newId = () => [...crypto.getRandomValues(new Uint32Array(2))].map((n) => n.toString(36)).join('');

/**
 * The user's lists of symbols. The address contains the open list's name and symbols, so it works as a link for others, and
 * its id, by which this browser finds it after changes. A list that this browser has not stored is temporary, until it is saved.
 */
export class Lists {
  /** @type {List[]} */
  #lists = [];
  #into = ''; // id of the list that a star adds to while none is open
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
      if (now.list === before.list && now.name === before.name && now.listId === before.listId) return;
      this.#synchronize();
      this.#notify();
    });
    this.#synchronize();
  }

  /** @returns {readonly List[]} */
  get all() {
    return this.#lists;
  }

  /** The list that is shown; null for all symbols. @returns {(List & { saved: boolean }) | null} */
  get open() {
    const { list, name, listId } = this.#view.now;
    const saved = this.#byId(listId);
    if (saved) return { ...saved, saved: true };
    return !list && !name ? null : { id: '', name, symbols: list ? list.split(',') : [], saved: false };
  }

  /** The list that a star adds to or removes from: the open one, else the saved one that was open last. @returns {List | null} null when a star would create one */
  get starred() {
    return this.open ?? this.#byId(this.#into) ?? this.#lists[0] ?? null;
  }

  /** The name of the list that a star adds to. */
  get title() {
    return this.starred?.name || this.#first;
  }

  /** Opens a list. @param {string} id '' for all symbols */
  show(id) {
    this.#view.set(address(this.#byId(id)));
  }

  /** Checks the name of a list. @param {string} text @param {string} [id] of the list that is renamed @returns {Refusal | ''} */
  refused(text, id = '') {
    const name = readName(text);
    if (!name) return 'empty';
    const there = find(this.#lists, name);
    if (there && there.id !== id) return 'taken';
    return !id && this.#lists.length >= LISTS ? 'many' : '';
  }

  /** Creates a list, the last of all. @param {string} text @param {readonly string[]} symbols @returns {Refusal | ''} */
  create(text, symbols = []) {
    this.reload();
    const why = this.refused(text);
    if (!why) {
      const id = newId();
      this.#into = id;
      this.#change([...this.#lists, { id, name: readName(text), symbols: distinct(symbols) }]);
    }
    return why;
  }

  /** Adds symbols to a list, as far as it has room. @param {string} id @param {readonly string[]} symbols @returns {'gone' | ''} gone: the list was removed */
  add(id, symbols) {
    this.reload();
    const list = this.#byId(id);
    if (!list) return 'gone';
    this.#replace(id, { symbols: distinct([...list.symbols, ...symbols]) });
    return '';
  }

  /** Saves the open temporary list, under another name if its own is taken. @returns {string} the name; '' if there are too many lists */
  save() {
    this.reload();
    const { open } = this;
    if (!open || open.saved) return open?.name ?? '';
    if (this.create(freeName(this.#lists, readName(open.name || this.#first)), open.symbols)) return '';
    const list = /** @type {List} */ (this.#lists.at(-1));
    this.#view.adjust(address(list));
    return list.name;
  }

  /** @param {string} id @param {string} text @returns {Refusal | ''} */
  rename(id, text) {
    this.reload();
    const why = this.refused(text, id);
    if (!why && this.#byId(id)) this.#replace(id, { name: readName(text) });
    return why;
  }

  /** @param {string} id @returns {() => void} restores it */
  remove(id) {
    this.reload();
    const at = this.#lists.findIndex((l) => l.id === id);
    const list = this.#lists[at];
    if (!list) return () => {};
    const open = this.open?.id === id;
    this.#change(this.#lists.filter((l) => l !== list));
    if (open) this.show('');
    return () => {
      this.reload();
      if (this.refused(list.name)) return;
      this.#change([...this.#lists.slice(0, at), list, ...this.#lists.slice(at)]);
      if (open) this.show(id);
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
    if (!this.#read()) return;
    this.#synchronize();
    this.#notify();
  }

  /** @param {() => void} fn called when a list changed or another one was opened */
  on(fn) {
    this.#listeners.add(fn);
  }

  /** @param {string} id @returns {List | undefined} */
  #byId(id) {
    return id ? this.#lists.find((l) => l.id === id) : undefined;
  }

  /** Changes the symbols of a saved list or of the temporary one. @param {List} list @param {readonly string[]} symbols */
  #edit(list, symbols) {
    if (list.id) this.#replace(list.id, { symbols });
    // A temporary list without a name and symbols would be no list.
    else this.#view.adjust({ list: symbols.join(), name: list.name || (symbols.length ? '' : this.#first) });
  }

  /** @param {string} id @param {Partial<List>} patch */
  #replace(id, patch) {
    this.#change(this.#lists.map((l) => (l.id === id ? { ...l, ...patch } : l)));
  }

  /**
   * Takes the open list's name and symbols from the saved one: it may have been changed since the address was written. A list
   * that has the name and symbols of a saved one is that one, as in links of earlier versions.
   */
  #synchronize() {
    const { list, name, listId } = this.#view.now;
    const saved = this.#byId(listId) ?? (name ? this.#lists.find((l) => l.name === name && l.symbols.join() === list) : undefined);
    if (!saved) return; // temporary; it was removed in another tab, or comes from a link
    this.#into = saved.id;
    this.#view.adjust(address(saved));
  }

  /** @param {List[]} lists */
  #change(lists) {
    this.#lists = lists;
    if (!this.#byId(this.#into)) this.#into = '';
    this.#write();
    this.#synchronize();
    this.#notify();
  }

  #write() {
    this.#text = this.#stored.write({ v: 1, lists: this.#lists, into: this.#into });
  }

  /** @returns {boolean} whether the stored lists have changed */
  #read() {
    const { text } = this.#stored;
    if (text === this.#text) return false;
    this.#text = text;
    const { lists, into } = this.#stored.read();
    const known = this.#lists;
    const taken = new Set(lists.map((l) => l.id));
    // A tab with an earlier version stores lists without their ids.
    this.#lists = lists.map((l) => {
      const id = l.id || find(known, l.name)?.id;
      return l.id ? l : { ...l, id: id && !taken.has(id) ? id : newId() };
    });
    if (!this.#byId(this.#into)) this.#into = find(this.#lists, into)?.id ?? ''; // each page keeps its own target for stars
    if (taken.has('')) this.#write();
    return true;
  }

  #notify() {
    for (const fn of this.#listeners) fn();
  }
}

/** The part of the address for a list; for all symbols without one. @param {List} [list] */
const address = (list) => ({ list: list?.symbols.join() ?? '', name: list?.name ?? '', listId: list?.id ?? '' });
