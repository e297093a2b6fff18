import { cells } from './cells.js';
import { staleAfter } from '../../model/columns.js';
import { fullName } from '../../model/instruments.js';
import { el, setText, svg } from '../common/dom.js';
import { t } from '../../text.js';

/** @import { SymbolRecord } from '../../types.js' */
/** @import { Listing } from '../../model/order.js' */

const STAR = 'M8 1.8l1.9 4 4.4.5-3.3 3 .9 4.3L8 11.4l-3.9 2.2.9-4.3-3.3-3 4.4-.5z';

/** A row of the watchlist, reused for other symbols as the list is scrolled. */
export class Row {
  /** @type {Listing | null} */
  listing = null;
  index = -1;
  #symbol = el('b');
  #name = el('span', { class: 'nm' });
  #halted = el('span', { class: 'halted', hidden: '' }, t('watch.halted'));
  #star = el('button', { type: 'button', class: 'star', tabindex: '-1' }, svg('svg', { viewBox: '0 0 16 16', width: '14', height: '14', 'aria-hidden': 'true' }, svg('path', { d: STAR })));
  #cells;

  /** @param {readonly string[]} ids of its columns */
  constructor(ids) {
    this.#cells = ids.map((id) => /** @type {() => import('./cells.js').Cell} */ (cells[id])());
    const head = el('span', { class: 'sy', role: 'rowheader' }, this.#star, this.#symbol, this.#halted, this.#name);
    this.element = el('div', { class: 'rowg', role: 'row' }, head, ...this.#cells.map((c) => c.element));
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
    setText(this.#name, fullName(listing));
    this.flash(Infinity);
  }

  /** @param {boolean} selected shown in the chart @param {boolean} at the keyboard is on it */
  mark(selected, at) {
    this.element.setAttribute('aria-selected', String(selected));
    this.element.classList.toggle('at', at);
  }

  /** Paints the star. @param {boolean} on whether the symbol is on the list @param {string} name of the button @param {string} action of the button */
  star(on, name, action) {
    if (this.#star.title === action) return;
    this.#star.title = action;
    this.#star.setAttribute('aria-label', name);
    this.#star.setAttribute('aria-pressed', String(on));
  }

  /**
   * @param {SymbolRecord | undefined} r undefined while the quote is unknown
   * @param {number} changed bits of Changed
   * @param {number} now performance.now()
   */
  paint(r, changed, now) {
    for (const c of this.#cells) c.paint?.(r, changed, now);
    this.#halted.hidden = r?.halted === undefined;
    if (this.#halted.title !== (r?.halted ?? '')) this.#halted.title = r?.halted ?? '';
  }

  /** @param {SymbolRecord | undefined} r */
  paintSpark(r) {
    for (const c of this.#cells) c.line?.(r);
  }

  /** @param {SymbolRecord | undefined} r @param {number | undefined} ms since the symbol's newest tick */
  paintAge(r, ms) {
    for (const c of this.#cells) c.age?.(ms);
    this.element.classList.toggle('stale', r !== undefined && ms !== undefined && ms > staleAfter(r));
  }

  /** Ends flashes that are over. @param {number} now @returns {boolean} whether one continues */
  flash(now) {
    let on = false;
    for (const c of this.#cells) on = c.flash?.(now) || on;
    return on;
  }
}
