import { compact, price, rounded, timeOfDay } from '../../model/formats.js';
import { decimals, sizeDecimals } from '../../model/instruments.js';
import { t } from '../../text.js';
import { byId, el, part, press, setText } from '../common/dom.js';
import { Trades } from '../../model/trades.js';
import { ALL } from '../../model/subscriptions.js';

/** @import { Message } from '../../types.js' */
/** @import { Trade } from '../../model/trades.js' */

const PACE = 100; // ms between paints
const BLOCK = 200_000; // value of a block trade, by the exchanges' common definition

/** The latest trades of the market, of the watchlist's symbols or of the chart's. */
export class TradesView {
  #box = part('trades');
  #own = part('trades-symbol');
  #buttons = [...document.querySelectorAll('[data-trades]')];
  #trades = new Trades();
  #size = byId('trades-size', HTMLSelectElement);
  #held = part('trades-paused');
  /** @type {Trade[] | null} those shown while paused or hovered */
  #heldTrades = null;
  #paused = false;
  #hovered = false;
  /** @type {HTMLElement[][]} cells of each row */
  #rows = [];
  #nothing = el('span', { role: 'cell' });
  #none = el('div', { class: 'panel-empty', role: 'row' }, this.#nothing);
  #dirty = true;
  #paintedAt = -PACE;
  #capacity = 0; // rows that fit; measured on resize only, since measuring in each paint would cause a second layout
  #frames;
  #subscriptions;
  #view;

  /** @param {{ view: import('../common/viewState.js').ViewState, frames: import('../common/frames.js').Frames, subscriptions: import('../../model/subscriptions.js').Subscriptions }} parts */
  constructor({ view, frames, subscriptions }) {
    this.#frames = frames;
    this.#subscriptions = subscriptions;
    this.#view = view;
    this.#applyView();
    view.on(() => this.#applyView());
    for (const b of this.#buttons) b.addEventListener('click', () => view.set({ trades: b.getAttribute('data-trades') ?? '' }));
    this.#size.addEventListener('change', () => view.set({ least: this.#size.value }));
    // The trades stay in place while the pointer is over them.
    this.#box.addEventListener('pointerenter', (e) => this.#setHovered(e.pointerType === 'mouse'));
    this.#box.addEventListener('pointerleave', () => this.#setHovered(false));
    new ResizeObserver(() => {
      this.#measure();
      this.#subscribe();
      this.#repaint();
    }).observe(this.#box);
  }

  /** Handles a message of the feed; it needs all of them, in order. @param {Message} m */
  take(m) {
    if (m.T === 'q') this.#dirty = this.#trades.take(m) || this.#dirty;
    else if (m.T === 'trade') this.#dirty = this.#trades.takeReport(m) || this.#dirty;
    else if (m.T === 'snapshot') m.quotes.forEach((q) => this.#trades.setBase(q));
  }

  /** Sets the watchlist's symbols. @param {ReadonlySet<string>} symbols */
  setListed(symbols) {
    this.#trades.setListed(symbols);
    if (this.#view.now.trades === 'list') this.#repaint();
  }

  /** @param {number} now performance.now() */
  paint(now) {
    if (!this.#dirty || now - this.#paintedAt < PACE) return;
    this.#dirty = false;
    this.#paintedAt = now;
    const list = this.#list();
    while (this.#rows.length < this.#capacity) this.#rows.push(this.#row());
    const shown = Math.min(list.length, this.#capacity);
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

  /** @param {boolean} paused keeps the trades that are shown */
  setPaused(paused) {
    this.#paused = paused;
    this.#hold();
  }

  /** @param {boolean} on */
  #setHovered(on) {
    this.#hovered = on;
    this.#held.hidden = !on || this.#paused;
    this.#hold();
  }

  #hold() {
    const { market, list, symbol } = this.#trades;
    if (!this.#paused && !this.#hovered) this.#heldTrades = null;
    else this.#heldTrades ??= [...new Set([...market, ...list, ...symbol])];
    this.#repaint();
  }

  #list() {
    const { market, list, listed, symbol, selected } = this.#trades;
    const { trades } = this.#view.now;
    const held = this.#heldTrades?.filter((x) => !x.void);
    if (!trades) return held ?? market;
    if (trades === 'list') return held?.filter((x) => listed.has(x.S)) ?? list;
    return held?.filter((x) => x.S === selected) ?? symbol;
  }

  /** Applies the view's symbol and filters. */
  #applyView() {
    const { symbol, trades, least } = this.#view.now;
    this.#trades.select(symbol);
    this.#trades.setMinimum(Number(least));
    const name = symbol || t('trades.symbol');
    setText(this.#own, name);
    this.#own.dataset.bold = name;
    press(this.#buttons, (b) => b.dataset.trades === trades);
    this.#size.value = least;
    if (this.#heldTrades) {
      this.#heldTrades = null;
      this.#hold();
    }
    this.#subscribe();
    this.#repaint();
  }

  /** Subscribes to all symbols while the market's trades are visible. */
  #subscribe() {
    this.#subscriptions.require('tape', this.whole ? [ALL] : []);
  }

  /** Whether trades of the whole market are visible. */
  get whole() {
    return !this.#view.now.trades && this.#capacity > 0;
  }

  /** To be called when the settings changed. */
  refresh() {
    this.#measure();
    this.#repaint();
  }

  #measure() {
    const height = parseFloat(getComputedStyle(this.#box).getPropertyValue('--trade')) || 24;
    this.#capacity = Math.floor(this.#box.clientHeight / height);
  }

  #repaint() {
    this.#dirty = true;
    this.#paintedAt = -PACE;
    this.#frames.request();
  }

  #row() {
    const cells = ['', '', 'num', 'num', 'num soft'].map((name, k) => el('span', { role: 'cell', class: k === 0 ? 'faint' : name }));
    cells[1]?.append(el('b'), ' ', el('small', { class: 'faint' }));
    this.#box.append(el('div', { class: 'trade', role: 'row' }, ...cells));
    return cells;
  }
}

/** @param {HTMLElement} row @param {HTMLElement[]} cells @param {Trade} trade */
function fill(row, cells, { t: due, S, p, size, dir, conditions = [], venue = '' }) {
  const [time, symbol, at, amount, value] = /** @type {[HTMLElement, HTMLElement, HTMLElement, HTMLElement, HTMLElement]} */ (cells);
  setText(time, timeOfDay(due / 1000));
  setText(/** @type {HTMLElement} */ (symbol.firstChild), S);
  const from = [venue, ...conditions].filter(Boolean).join(' ');
  setText(/** @type {HTMLElement} */ (symbol.lastChild), from);
  const title = from && t('trades.from', { venue: venue || '–', conditions: conditions.join(' ') || '–' });
  if (symbol.title !== title) symbol.title = title;
  setText(at, `${dir > 0 ? '▲ ' : dir < 0 ? '▼ ' : ''}${price(p, decimals(S))}`);
  const name = `num ${dir > 0 ? 'up' : dir < 0 ? 'down' : ''}`;
  if (at.className !== name) at.className = name;
  const worth = Math.abs(p) * size;
  setText(amount, rounded(size, sizeDecimals(S)));
  setText(value, compact(worth, worth < 10 ? 2 : 0));
  row.classList.toggle('block', worth >= BLOCK);
}
