import { compact, price } from '../../model/formats.js';
import { decimals, sizeDecimals } from '../../model/instruments.js';
import { t } from '../../text.js';
import { HoverHold } from '../../model/hoverHold.js';
import { Chips } from './chips.js';
import { ColumnWidths } from './columnWidths.js';
import { columnList, columns, GAP, SYMBOL_WIDTH, fit } from '../../model/columns.js';
import { byId, el, part, setText } from '../common/dom.js';
import { composing } from '../common/keys.js';
import { find, nextSort, order, sectorName } from '../../model/order.js';
import { Row } from './row.js';
import { ALL, sectorTopic } from '../../model/subscriptions.js';

/** @import { SymbolRecord } from '../../types.js' */
/** @import { Listing } from '../../model/order.js' */
/** @import { ViewState } from '../common/viewState.js' */
/** @import { PausedQuotes } from '../../model/pausedQuotes.js' */
/** @import { Frames } from '../common/frames.js' */

const SPARE = 2; // rows rendered above and below the visible ones
const PRINTED = 500; // rows on paper at most
const RESORT = 1000; // ms between sorts, so that the rows can be read

/** The list of symbols. Only visible rows are rendered, and only changed ones are painted. */
export class Watchlist {
  #grid = part('grid');
  #rows = part('rows');
  #empty = part('empty');
  #search = byId('search', HTMLInputElement);
  #view;
  #quotes;
  #frames;
  #subscriptions;
  #lists;
  #chips;
  /** @type {Listing[]} */
  #listings = [];
  /** @type {Listing[]} filtered, not sorted */
  #found = [];
  /** @type {Listing[]} as shown */
  #list = [];
  /** @type {Row[]} */
  #pool = [];
  /** @type {Map<string, Row>} the visible rows */
  #visible = new Map();
  #at = ''; // the symbol that the keyboard is on
  #sortedAt = 0;
  #hoverHold = new HoverHold();
  #arrange = false;
  /** @type {string[]} the columns that fit */
  #shown = [];
  #template = ''; // of the CSS grid
  /** The widths that the user has set. */
  widths = new ColumnWidths(() => this.#layOut());
  /** Whether the user may read only a part of the symbols. */
  narrowed = false;
  #printing = false; // paper shows all rows, since it does not scroll

  /** @param {{ view: ViewState, quotes: PausedQuotes, frames: Frames, subscriptions: import('../../model/subscriptions.js').Subscriptions, lists: import('../../model/lists.js').Lists, onVisible: (symbols: string[]) => void, onFound: (listings: readonly Listing[]) => void, announce: (text: string) => void }} parts onVisible: called with the visible symbols; onFound: with the filtered list; announce: for screen readers */
  constructor({ view, quotes, frames, subscriptions, lists, onVisible, onFound, announce }) {
    this.#view = view;
    this.#quotes = quotes;
    this.#frames = frames;
    this.#subscriptions = subscriptions;
    this.#lists = lists;
    this.onVisible = onVisible;
    this.onFound = onFound;
    this.announce = announce;
    this.#chips = new Chips(view);
    this.#search.value = view.now.q;
    this.#search.addEventListener('input', () => view.set({ q: this.#search.value }));
    this.#search.addEventListener('keydown', (e) => this.#searchKey(e));
    this.#grid.addEventListener('keydown', (e) => this.#gridKey(e));
    this.#grid.addEventListener('scroll', () => this.#requestArrange(), { passive: true });
    const pointed = (/** @type {PointerEvent} */ e) => {
      if (e.pointerType === 'mouse') this.#hoverHold.mouse(performance.now(), e.screenX, e.screenY);
      else this.#hoverHold.touch(performance.now());
    };
    this.#rows.addEventListener('pointermove', pointed, { passive: true });
    this.#rows.addEventListener('pointerdown', pointed, { passive: true });
    this.#rows.addEventListener('pointerleave', (e) => { if (e.pointerType === 'mouse') this.#hoverHold.leave(); }, { passive: true });
    this.#grid.addEventListener('click', (e) => this.#click(e));
    part('empty-clear').addEventListener('click', () => {
      this.#search.value = '';
      view.set({ q: '', sector: '', list: '', name: '', listId: '' });
      this.#search.focus();
    });
    view.on((now, before) => {
      if (now.q !== this.#search.value) this.#search.value = now.q; // after back or forward
      const other = now.listId !== before.listId || (!now.listId && now.name !== before.name);
      if (now.q !== before.q || now.sector !== before.sector || other) this.#filter();
      else if (now.list !== before.list || now.name !== before.name) this.#filter(true);
      if (now.sort !== before.sort) this.#sortMarks();
      if (now.cols !== before.cols) this.#layOut();
      if (now.symbol !== before.symbol && this.#at !== now.symbol) this.#at = ''; // chosen elsewhere: keys continue from there
      this.#requestArrange();
    });
    lists.on(() => this.#requestArrange());
    new ResizeObserver(() => {
      this.#layOut();
      if (this.#arrange) this.#place(performance.now()); // this frame's callbacks have run, and it would be painted without rows
    }).observe(this.#grid);
    for (const when of ['beforeprint', 'afterprint']) {
      addEventListener(when, () => {
        this.#printing = when === 'beforeprint';
        this.#place(performance.now());
      });
    }
    this.#layOut();
  }

  /** The list as it is displayed, with the quotes. */
  get list() {
    return { list: this.#list, get: (/** @type {string} */ symbol) => this.#quotes.get(symbol) };
  }

  /** @param {readonly Listing[]} listings @param {readonly string[]} sectors */
  fill(listings, sectors) {
    const more = this.#listings.length > 0; // the server has changed its list
    this.#listings = [...listings];
    this.#chips.fill(sectors);
    if (this.#view.now.sector && !sectors.includes(this.#view.now.sector)) this.#view.adjust({ sector: '' });
    this.#grid.removeAttribute('aria-busy');
    this.#layOut();
    this.#filter(more);
  }

  focusSearch() {
    this.#search.focus();
    this.#search.select();
  }

  /** To be called when all that is shown may have changed. */
  refresh() {
    for (const row of this.#pool) row.listing = null;
    this.#layOut();
  }

  /** Arranges the rows with the next paint. */
  #requestArrange() {
    if (!this.#listings.length) return; // still loading
    this.#arrange = true;
    this.#frames.request();
  }

  /**
   * @param {ReadonlyMap<string, number>} changed symbols that changed since the last paint, with bits of Changed
   * @param {number} now performance.now()
   */
  paint(changed, now) {
    const live = this.#view.now.sort !== '' && now - this.#sortedAt >= RESORT && this.#hoverHold.over(now);
    if (this.#arrange || (live && changed.size > 0)) this.#place(now);
    for (const [symbol, bits] of changed) {
      const row = this.#visible.get(symbol);
      if (!row) continue;
      const r = this.#quotes.get(symbol);
      row.paint(r, bits, now);
      if (bits & 1) row.paintSpark(r);
    }
  }

  /** Ends flashes that are over. @param {number} now @returns {boolean} whether one continues */
  flash(now) {
    let on = false;
    for (const row of this.#visible.values()) on = row.flash(now) || on;
    return on;
  }

  /** @param {(r: SymbolRecord) => number} age in ms */
  paintAges(age) {
    for (const [symbol, row] of this.#visible) {
      const r = this.#quotes.get(symbol);
      row.paintAge(r, r && age(r));
    }
  }

  /** @param {boolean} [same] the same list as before: keeps the scroll position */
  #filter(same = false) {
    const { q, sector } = this.#view.now;
    const { open } = this.#lists;
    this.#found = find(this.#listings, this.#view.now, open?.symbols ?? null);
    this.onFound(this.#found);
    this.#chips.setTotal(find(this.#listings, { q: '', sector: '' }, open?.symbols ?? null).length);
    if (!same) this.#grid.scrollTop = 0;
    const none = this.#found.length === 0;
    this.#empty.hidden = !none;
    if (this.#listings.length === 0) {
      setText(part('empty-text'), t('watch.none.yet'));
    } else if (none && open?.symbols.length === 0 && !q.trim()) {
      setText(part('empty-text'), t('watch.list.empty', { name: open.name }));
    } else if (none) {
      const where = sector ? t('watch.none.where', { sector: sectorName(sector) }) : '';
      const none = q.trim() ? t('watch.none.matches', { q: q.trim(), where }) : t('watch.none', { where });
      setText(part('empty-text'), this.narrowed ? `${none} ${t('watch.narrowed')}` : none);
    }
    this.#requestArrange();
  }

  /** The number of visible rows. */
  get visible() {
    return this.#visible.size;
  }

  /** Sorts the list and places the visible rows. @param {number} now */
  #place(now) {
    this.#arrange = false;
    this.#sortedAt = now;
    const { sort, symbol } = this.#view.now;
    this.#list = order(this.#found, sort, (s) => this.#quotes.get(s));
    const height = parseFloat(getComputedStyle(this.#rows).getPropertyValue('--row')) || 28;
    this.#rows.style.height = `${this.#list.length * height}px`;
    this.#grid.setAttribute('aria-rowcount', String(this.#list.length + 1));
    const first = this.#printing ? 0 : Math.max(0, Math.floor(this.#grid.scrollTop / height) - SPARE);
    const { starred } = this.#lists;
    const stars = new Set(starred?.symbols);
    const name = this.#lists.title;
    const add = t('watch.list.add', { name });
    const remove = (/** @type {string} */ s) => t('watch.list.remove', { symbol: s, name });
    const many = Math.min(this.#list.length - first, this.#printing ? PRINTED : Math.ceil(this.#grid.clientHeight / height) + 2 * SPARE);
    this.#visible.clear();
    for (let k = 0; k < many; k++) {
      const listing = /** @type {Listing} */ (this.#list[first + k]);
      let row = this.#pool[k];
      if (!row) {
        row = new Row(this.#shown);
        this.#pool[k] = row;
      }
      const fresh = row.listing !== listing;
      row.bind(listing, first + k);
      row.mark(listing.symbol === symbol, listing.symbol === this.#at);
      const on = stars.has(listing.symbol);
      row.star(on, add, on ? remove(listing.symbol) : add);
      if (!row.element.parentNode) this.#rows.append(row.element);
      this.#visible.set(listing.symbol, row);
      const r = this.#quotes.get(listing.symbol);
      row.paint(r, 0, now);
      if (fresh) row.paintSpark(r);
    }
    for (const row of this.#pool.splice(Math.max(many, 0))) row.element.remove();
    if (this.#visible.has(this.#at)) this.#grid.setAttribute('aria-activedescendant', `row-${this.#at}`);
    else this.#grid.removeAttribute('aria-activedescendant');
    this.#subscribe();
    this.onVisible([...this.#visible.keys()]);
  }

  /** Subscribes to the list's symbols; when there are more than the server allows, to the visible ones. */
  #subscribe() {
    const { sector } = this.#view.now;
    const inSector = sector ? this.#listings.filter((l) => l.sector === sector).length : this.#listings.length;
    /** @type {string[]} */
    let topics;
    if (this.#found.length === inSector) topics = [sector ? sectorTopic(sector) : ALL];
    else if (this.#found.length <= this.#subscriptions.most) topics = this.#found.map((l) => l.symbol);
    else topics = [...this.#visible.keys()];
    this.#subscriptions.require('list', topics);
  }

  /** Lays out the chosen columns, as many as fit. */
  #layOut() {
    const style = getComputedStyle(this.#grid);
    const k = parseFloat(style.getPropertyValue('--k')) || 1;
    const volume = parseFloat(style.getPropertyValue('--volume')) || 48;
    const width = this.#grid.clientWidth;
    if (!width) return;
    const room = (width - 24) / k;
    const { ids, compact: narrow, widths } = fit(columnList(this.#view.now.cols), room, volume, this.#longest(), this.widths.own);
    this.widths.update(ids, widths, widths.reduce((rest, w) => rest - w - GAP, room), k);
    const template = `minmax(calc(${SYMBOL_WIDTH}px*var(--k)),1fr) ${widths.map((w) => `calc(${w}px*var(--k))`).join(' ')}`;
    if (template !== this.#template) {
      this.#template = template;
      this.#grid.style.setProperty('--columns', template);
      this.#grid.toggleAttribute('data-compact', narrow);
    }
    if (ids.join() !== this.#shown.join()) {
      this.#shown = ids;
      for (const row of this.#pool.splice(0)) row.element.remove();
      this.#head();
    }
    this.#requestArrange();
  }

  /** The characters of the longest price and of the longest size. */
  #longest() {
    const longest = { price: 0, size: 0 };
    for (const { symbol } of this.#listings) {
      const r = this.#quotes.get(symbol);
      if (!r) continue;
      longest.price = Math.max(longest.price, price(r.p, decimals(symbol)).length);
      longest.size = Math.max(longest.size, sizeDecimals(symbol) ? compact(r.bs, sizeDecimals(symbol)).length : 0);
    }
    return longest;
  }

  /** Updates the header's cells; existing ones are kept, with their focus. */
  #head() {
    const head = /** @type {HTMLElement} */ (this.#grid.firstElementChild);
    const there = new Map([...head.children].map((e) => [e.getAttribute('data-sort'), e]));
    const cells = this.#shown.map((id) => there.get(id) ?? el(
      'span', { role: 'columnheader', 'data-sort': id, class: id === 'spark' || id === 'range' ? `${id}col` : 'num', title: t(`watch.columns.${id}.long`) },
      el('button', { type: 'button' }, t(`watch.columns.${id}`), ...(columns[id]?.compact && id !== 'spread' ? [el('span', { class: 'size' }, ` × ${t('watch.columns.size')}`)] : [])),
    ));
    for (const e of there.values()) {
      if (e.getAttribute('data-sort') !== 'symbol' && !cells.includes(e)) e.remove();
    }
    this.#shown.forEach((id, i) => { if (!cells[i]?.querySelector('.resizer')) cells[i]?.prepend(this.widths.edge(id)); });
    cells.forEach((e, i) => { if (head.children[i + 1] !== e) head.insertBefore(e, head.children[i + 1] ?? null); });
    this.#sortMarks();
  }

  #sortMarks() {
    const { sort } = this.#view.now;
    for (const h of this.#grid.querySelectorAll('[data-sort]')) {
      const column = h.getAttribute('data-sort') ?? '';
      if (sort === column) h.setAttribute('aria-sort', 'ascending');
      else if (sort === `-${column}`) h.setAttribute('aria-sort', 'descending');
      else h.removeAttribute('aria-sort');
    }
  }

  /** @param {Event} e */
  #click(e) {
    if (!(e.target instanceof Element)) return;
    if (e.target.closest('.resizer')) return; // the end of a drag
    const column = e.target.closest('[data-sort]')?.getAttribute('data-sort');
    if (column) {
      this.#view.set({ sort: nextSort(this.#view.now.sort, column) });
      return;
    }
    const symbol = e.target.closest('.rows .rowg')?.getAttribute('data-symbol');
    if (!symbol) return;
    this.#at = symbol;
    if (e.target.closest('.star')) {
      this.star();
      return;
    }
    this.#view.set({ symbol });
    this.#requestArrange();
  }

  /** @param {KeyboardEvent} e */
  #searchKey(e) {
    if (composing(e)) return;
    if (e.key === 'Escape') {
      if (this.#search.value) {
        this.#search.value = '';
        this.#view.set({ q: '' });
      } else {
        this.#grid.focus();
      }
    } else if (e.key === 'ArrowDown' || e.key === 'Enter') {
      const first = order(this.#found, this.#view.now.sort, (s) => this.#quotes.get(s))[0];
      if (!first) return;
      this.#at = first.symbol;
      if (e.key === 'Enter') this.#view.set({ symbol: first.symbol });
      this.#grid.focus();
      this.#requestArrange();
    } else {
      return;
    }
    e.preventDefault();
  }

  /** @param {KeyboardEvent} e */
  #gridKey(e) {
    if (e.target !== this.#grid || e.ctrlKey || e.metaKey) return;
    if (e.altKey) {
      this.#reorder(e);
      return;
    }
    const page = Math.max(1, Math.floor(this.#grid.clientHeight / (this.#pool[0]?.element.offsetHeight || 28)) - 2);
    const steps = /** @type {Record<string, number>} */ (
      { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity });
    const step = steps[e.key];
    if (step !== undefined) this.#move(step);
    else if (e.key === 'Enter' && this.#at) this.#view.set({ symbol: this.#at });
    else return;
    e.preventDefault();
  }

  /** Adds the symbol that the keyboard is on, else the chart's, to the starred list, or removes it. */
  star() {
    const symbol = this.#at || this.#view.now.symbol;
    if (!symbol) return;
    const name = this.#lists.title;
    const done = this.#lists.star(symbol);
    this.announce(done ? t(done.in ? 'watch.list.added' : 'watch.list.removed', { symbol, name: done.name || name }) : t('watch.list.full', { name }));
    this.#requestArrange();
  }

  /** Moves the symbol that the keyboard is on within its list. @param {KeyboardEvent} e */
  #reorder(e) {
    const by = e.key === 'ArrowUp' ? -1 : e.key === 'ArrowDown' ? 1 : 0;
    const { q, sort, sector } = this.#view.now;
    if (!by || !this.#at || !this.#lists.open || q.trim() || sort || sector) return;
    e.preventDefault();
    const symbol = this.#at;
    const at = this.#lists.move(symbol, by);
    if (at) this.announce(t('watch.list.moved', { symbol, at }));
  }

  /** @param {number} step rows, ±Infinity to an end */
  #move(step) {
    const here = this.#list.findIndex((l) => l.symbol === (this.#at || this.#view.now.symbol));
    const to = here < 0 ? 0 : Math.min(this.#list.length - 1, Math.max(0, here + step));
    const listing = this.#list[to];
    if (!listing) return;
    this.#at = listing.symbol;
    this.#hoverHold.touch(performance.now()); // rows stay in place while keys move over them
    const height = this.#pool[0]?.element.offsetHeight || 28;
    const head = /** @type {HTMLElement} */ (this.#grid.firstElementChild).offsetHeight;
    const room = this.#grid.clientHeight - head;
    const top = to * height;
    if (top < this.#grid.scrollTop) this.#grid.scrollTop = top;
    else if (top + height > this.#grid.scrollTop + room) this.#grid.scrollTop = top + height - room;
    this.#requestArrange();
  }
}
