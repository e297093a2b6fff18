import { compact, count, price, timeOfDay } from '../../model/formats.js';
import { t } from '../../text.js';
import { byId, el, part, press, setText } from '../common/dom.js';
import { Trades } from '../../model/trades.js';
import { ALL } from '../../model/subscriptions.js';

/** @typedef {import('../../types.js').Message} Message */
/** @typedef {import('../../model/trades.js').Trade} Trade */

const PACE = 100; // ms; faster than that, nobody reads it
const BLOCK = 200_000; // dollars: a block trade, by the exchanges' usual measure

/** The latest trades, of the market, of the symbols in the list or of the one in the chart. */
export class TradesView {
  #box = part('tape');
  #own = part('tape-symbol');
  #buttons = [...document.querySelectorAll('[data-tape]')];
  #trades = new Trades();
  #size = byId('tape-size', HTMLSelectElement);
  #held = part('tape-held');
  /** @type {Trade[] | null} what is shown in a pause, or while the pointer is on it */
  #frozen = null;
  #paused = false;
  #pointed = false;
  /** @type {HTMLElement[][]} cells of each row */
  #rows = [];
  #nothing = el('span', { role: 'cell' });
  #none = el('div', { class: 'tape-none', role: 'row' }, this.#nothing);
  #dirty = true;
  #paintedAt = -PACE;
  #room = 0; // rows that the box has room for; asking in each paint would lay the page out twice in a frame
  #frames;
  #subscriptions;
  #view;

  /** @param {{ view: import('../common/viewState.js').ViewState, frames: import('../common/frames.js').Frames, subscriptions: import('../../model/subscriptions.js').Subscriptions }} parts */
  constructor({ view, frames, subscriptions }) {
    this.#frames = frames;
    this.#subscriptions = subscriptions;
    this.#view = view;
    this.#chosen();
    view.on(() => this.#chosen());
    for (const b of this.#buttons) b.addEventListener('click', () => view.set({ trades: b.getAttribute('data-tape') ?? '' }));
    this.#size.addEventListener('change', () => view.set({ least: this.#size.value }));
    // A list that runs away under the pointer can't be read.
    this.#box.addEventListener('pointerenter', (e) => this.#point(e.pointerType === 'mouse'));
    this.#box.addEventListener('pointerleave', () => this.#point(false));
    new ResizeObserver(() => {
      this.#measure();
      this.#need();
      this.#again();
    }).observe(this.#box);
  }

  /** @param {Message} m every message of the feed, in order */
  take(m) {
    if (m.T === 'q') this.#dirty = this.#trades.take(m) || this.#dirty;
    else if (m.T === 'snapshot') m.quotes.forEach((q) => this.#trades.setBase(q));
  }

  /** What the list shows. @param {ReadonlySet<string>} symbols */
  among(symbols) {
    this.#trades.setListed(symbols);
    if (this.#view.now.trades === 'list') this.#again();
  }

  /** @param {number} now performance.now() */
  paint(now) {
    if (!this.#dirty || now - this.#paintedAt < PACE) return;
    this.#dirty = false;
    this.#paintedAt = now;
    const list = this.#list();
    const room = this.#room;
    while (this.#rows.length < room) this.#rows.push(this.#row());
    const shown = Math.min(list.length, room);
    this.#rows.forEach((cells, k) => {
      const trade = k < shown ? list[k] : undefined;
      const row = /** @type {HTMLElement} */ (cells[0]?.parentElement);
      row.hidden = !trade;
      if (trade) fill(row, cells, trade);
    });
    setText(this.#nothing, shown ? '' : t('trades.none'));
    this.#none.hidden = shown > 0;
    if (!this.#none.parentNode) this.#box.append(this.#none);
  }

  /** @param {boolean} paused the trades that are shown stay, until it ends */
  freeze(paused) {
    this.#paused = paused;
    this.#hold();
  }

  /** @param {boolean} on */
  #point(on) {
    this.#pointed = on;
    this.#held.hidden = !on || this.#paused;
    this.#hold();
  }

  #hold() {
    const { market, list, symbol } = this.#trades;
    if (!this.#paused && !this.#pointed) this.#frozen = null;
    else this.#frozen ??= [...new Set([...market, ...list, ...symbol])];
    this.#again();
  }

  #list() {
    const { market, list, listed, symbol, selected } = this.#trades;
    const { trades } = this.#view.now;
    if (!trades) return this.#frozen ?? market;
    if (trades === 'list') return this.#frozen?.filter((x) => listed.has(x.S)) ?? list;
    return this.#frozen?.filter((x) => x.S === selected) ?? symbol;
  }

  /** As the view has it. */
  #chosen() {
    const { symbol, trades, least } = this.#view.now;
    this.#trades.select(symbol);
    this.#trades.setMinimum(Number(least));
    const name = symbol || t('trades.symbol');
    setText(this.#own, name);
    this.#own.dataset.bold = name;
    press(this.#buttons, (b) => b.dataset.tape === trades);
    this.#size.value = least;
    if (this.#frozen) {
      this.#frozen = null;
      this.#hold();
    }
    this.#need();
    this.#again();
  }

  /** The market's trades take the whole market, while they are in sight. */
  #need() {
    this.#subscriptions.require('tape', this.whole ? [ALL] : []);
  }

  /** Whether trades of the whole market are in sight. */
  get whole() {
    return !this.#view.now.trades && this.#box.clientHeight > 0;
  }

  /** To be called when the settings changed. */
  refresh() {
    this.#measure();
    this.#again();
  }

  #measure() {
    const height = parseFloat(getComputedStyle(this.#box).getPropertyValue('--trade')) || 24;
    this.#room = Math.floor(this.#box.clientHeight / height);
  }

  #again() {
    this.#dirty = true;
    this.#paintedAt = -PACE;
    this.#frames.request();
  }

  #row() {
    const cells = ['', '', 'num', 'num', 'num soft'].map((name, k) =>
      el(k === 1 ? 'b' : 'span', { role: 'cell', class: k === 0 ? 'faint' : name }));
    this.#box.append(el('div', { class: 'trade', role: 'row' }, ...cells));
    return cells;
  }
}

/** @param {HTMLElement} row @param {HTMLElement[]} cells @param {Trade} trade */
function fill(row, cells, { t: due, S, p, size, dir }) {
  const [time, symbol, at, shares, value] = /** @type {[HTMLElement, HTMLElement, HTMLElement, HTMLElement, HTMLElement]} */ (cells);
  setText(time, timeOfDay(due / 1000));
  setText(symbol, S);
  setText(at, `${dir > 0 ? '▲ ' : dir < 0 ? '▼ ' : ''}${price(p)}`);
  const name = `num ${dir > 0 ? 'up' : dir < 0 ? 'down' : ''}`;
  if (at.className !== name) at.className = name;
  setText(shares, count(size));
  setText(value, compact(p * size));
  row.classList.toggle('block', p * size >= BLOCK);
}
