import { age, arrow, compact, move, price, volume } from '../store/format.js';
import { Changed } from '../store/quotes.js';
import { el, setText, svg } from './dom.js';
import { path } from './sparkline.js';

/** @typedef {import('../types.js').SymbolRecord} SymbolRecord */
/** @typedef {import('./order.js').Listing} Listing */

const FLASH = 400; // ms that a cell stays marked
const STALE = 15_000; // ms without a tick after which a quote is marked; most symbols have several a second

/** One row of the watchlist's pool. It shows one symbol after another as the list is scrolled. */
export class Row {
  /** @type {Listing | null} */
  listing = null;
  index = -1;
  #symbol = el('b');
  #name = el('span', { class: 'nm' });
  #last = cell('num last');
  #change = cell('num');
  #line = svg('path');
  #spark = cell('sparkcol');
  #bid = new Sized();
  #ask = new Sized();
  #volume = cell('num soft');
  #age = cell('num faint age');
  #flashUntil = 0;
  #direction = '';

  constructor() {
    const drawing = svg('svg', { viewBox: '0 0 66 18', preserveAspectRatio: 'none', 'aria-hidden': 'true' }, this.#line);
    this.#spark.append(drawing);
    const head = el('span', { class: 'sy', role: 'rowheader' }, this.#symbol, this.#name);
    this.element = el(
      'div', { class: 'rowg', role: 'row' },
      head, this.#last, this.#change, this.#spark, this.#bid.element, this.#ask.element, this.#volume, this.#age,
    );
  }

  /** @param {Listing} listing @param {number} index its place in the list, from 0 */
  bind(listing, index) {
    if (index !== this.index) {
      this.index = index;
      this.element.setAttribute('aria-rowindex', String(index + 2)); // the header is row 1
      this.element.style.transform = `translateY(calc(var(--row) * ${index}))`;
    }
    if (listing === this.listing) return;
    this.listing = listing;
    this.element.id = `row-${listing.symbol}`;
    this.element.dataset.symbol = listing.symbol;
    setText(this.#symbol, listing.symbol);
    setText(this.#name, listing.name);
    this.#endFlash();
  }

  /** @param {boolean} selected shown in the chart @param {boolean} at under the keyboard */
  mark(selected, at) {
    this.element.setAttribute('aria-selected', String(selected));
    this.element.classList.toggle('at', at);
  }

  /**
   * @param {SymbolRecord | undefined} r undefined: not known yet
   * @param {number} changed bits of Changed; those cells flash
   * @param {number} now performance.now()
   */
  paint(r, changed, now) {
    setText(this.#last, price(r?.p));
    setText(this.#change, move(r?.changePct));
    this.#bid.show(r?.bp, r?.bs);
    this.#ask.show(r?.ap, r?.as);
    setText(this.#volume, volume(r?.v));
    const mark = arrow(r?.changePct); // none for a change that reads 0.00
    const direction = mark === '▲' ? 'up' : mark === '▼' ? 'down' : '';
    if (direction !== this.#direction) {
      this.#direction = direction;
      this.#change.className = `num ${direction}`;
      this.#spark.className = `sparkcol ${direction}`;
    }
    if (r && changed & Changed.last && r.dir) {
      this.#flashUntil = now + FLASH;
      this.#last.className = `num last ${r.dir > 0 ? 'fu' : 'fd'}`;
    }
  }

  /** @param {SymbolRecord | undefined} r */
  paintSpark(r) {
    const d = r ? path(r.spark.values(), 66, 18) : '';
    if (this.#line.getAttribute('d') !== d) this.#line.setAttribute('d', d);
  }

  /** @param {number | undefined} ms since the symbol's newest tick */
  paintAge(ms) {
    setText(this.#age, age(ms));
    this.element.classList.toggle('stale', ms !== undefined && ms > STALE);
  }

  /** @param {number} now @returns {boolean} whether the flash goes on */
  flash(now) {
    if (!this.#flashUntil) return false;
    if (now < this.#flashUntil) return true;
    this.#endFlash();
    return false;
  }

  #endFlash() {
    if (!this.#flashUntil) return;
    this.#flashUntil = 0;
    this.#last.className = 'num last';
  }
}

/** A price with its size. */
class Sized {
  #price = document.createTextNode('');
  #size = document.createTextNode('');
  element = cell('num q');

  constructor() {
    this.element.append(this.#price, el('small', {}, this.#size));
  }

  /** @param {number | undefined} dollars @param {number | undefined} shares */
  show(dollars, shares) {
    const p = price(dollars);
    const s = shares === undefined ? '' : compact(shares);
    if (this.#price.data !== p) this.#price.data = p;
    if (this.#size.data !== s) this.#size.data = s;
  }
}

/** @param {string} name of the class */
function cell(name) {
  return el('span', { class: name, role: 'gridcell' });
}
