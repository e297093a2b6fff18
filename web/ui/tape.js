import { compact, count, price, timeOfDay } from '../store/format.js';
import { t } from '../text.js';
import { el, part, press, setText } from './dom.js';
import { Trades } from './trades.js';
import { ALL } from './wanted.js';

/** @typedef {import('../types.js').Message} Message */
/** @typedef {import('./trades.js').Trade} Trade */

const PACE = 100; // ms; faster than that, nobody reads it
const BLOCK = 200_000; // dollars: a block trade, by the exchanges' usual measure

/** The latest trades, of the market or of the symbol in the chart, and how many symbols stand above their last close. */
export class Tape {
  #box = part('tape');
  #breadth = part('breadth');
  #own = part('tape-symbol');
  #buttons = [...document.querySelectorAll('[data-tape]')];
  #trades = new Trades();
  #which = 'market';
  /** @type {Trade[] | null} what is shown in a pause */
  #frozen = null;
  /** @type {HTMLElement[][]} cells of each row */
  #rows = [];
  #nothing = el('span', { role: 'cell' });
  #none = el('div', { class: 'tape-none', role: 'row' }, this.#nothing);
  #dirty = true;
  #paintedAt = -PACE;
  #room = 0; // rows that the box has room for; asking in each paint would lay the page out twice in a frame
  #frames;
  #wanted;

  /** @param {{ view: import('./view.js').ViewState, frames: import('./frames.js').Frames, wanted: import('./wanted.js').Wanted }} parts */
  constructor({ view, frames, wanted }) {
    this.#frames = frames;
    this.#wanted = wanted;
    this.#follow(view.now.symbol);
    view.on((now) => this.#follow(now.symbol));
    for (const b of this.#buttons) b.addEventListener('click', () => this.#choose(b.getAttribute('data-tape') ?? 'market'));
    new ResizeObserver(() => {
      this.#measure();
      this.#need();
      this.#again();
    }).observe(this.#box);
  }

  /** @param {Message} m every message of the feed, in order */
  take(m) {
    if (m.T === 'q') this.#dirty = this.#trades.take(m) || this.#dirty;
    else if (m.T === 'snapshot') m.quotes.forEach((q) => this.#trades.base(q));
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
    setText(this.#nothing, shown ? '' : t('tape.none'));
    this.#none.hidden = shown > 0;
    if (!this.#none.parentNode) this.#box.append(this.#none);
  }

  /** @param {boolean} paused the trades that are shown stay, until it ends */
  freeze(paused) {
    const { market, symbol } = this.#trades;
    this.#frozen = paused ? [...market, ...symbol.filter((x) => !market.includes(x))] : null;
    this.#again();
  }

  /** @param {Iterable<import('../types.js').SymbolRecord>} records */
  paintBreadth(records) {
    let up = 0;
    let down = 0;
    let same = 0;
    for (const r of records) {
      if (r.change > 0) up++;
      else if (r.change < 0) down++;
      else same++;
    }
    if (up + down + same === 0) return;
    const spans = this.#breadth.children;
    if (!spans.length) this.#breadth.append(el('span', { class: 'up' }), el('span', { class: 'down' }), el('span', { class: 'faint' }));
    if (spans[0]) setText(spans[0], `▲ ${up}`);
    if (spans[1]) setText(spans[1], `▼ ${down}`);
    if (spans[2]) setText(spans[2], same ? `= ${same}` : '');
  }

  #list() {
    const { market, symbol, followed } = this.#trades;
    if (this.#which === 'market') return this.#frozen ?? market;
    return this.#frozen ? this.#frozen.filter((x) => x.S === followed) : symbol;
  }

  /** @param {string} symbol */
  #follow(symbol) {
    this.#trades.follow(symbol);
    const name = symbol || t('tape.symbol');
    setText(this.#own, name);
    this.#own.dataset.bold = name;
    this.#again();
  }

  /** @param {string} which */
  #choose(which) {
    this.#which = which;
    press(this.#buttons, (b) => b.dataset.tape === which);
    this.#need();
    this.#again();
  }

  /** The market's trades take the whole market, while they are in sight. */
  #need() {
    this.#wanted.want('tape', this.#which === 'market' && this.#box.clientHeight > 0 ? [ALL] : []);
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
