import { arrow, percent, price, signed } from '../../model/formats.js';
import { decimals } from '../../model/instruments.js';
import { part, setText } from '../common/dom.js';
import { setTitle } from '../common/pageTitle.js';

/** @import { SymbolRecord } from '../../types.js' */

/** The quote of the chart's symbol, and the page's title. */
export class QuoteHead {
  #symbol = part('q-symbol');
  #name = part('q-name');
  #bell = part('alert-chart');
  #last = part('q-last');
  #change = part('q-change');
  #day = { o: part('q-open'), h: part('q-high'), l: part('q-low'), spread: part('q-spread') };
  #titledAt = -Infinity;

  /** @param {string} symbol @param {string} name */
  show(symbol, name) {
    setText(this.#symbol, symbol);
    setText(this.#name, name);
    this.#bell.toggleAttribute('data-on', symbol !== '');
    this.#titledAt = -Infinity;
  }

  /** @param {SymbolRecord | undefined} r @param {number} now performance.now() */
  paint(r, now) {
    const places = decimals(r?.S ?? '');
    setText(this.#last, price(r?.p, places));
    const share = r && Number.isFinite(r.changePct) ? ` (${percent(r.changePct).replace(/^[▲▼] /, '')})` : '';
    const change = r && Number.isFinite(r.change) ? `${arrow(r.change, places)} ${signed(r.change, places)}${share}` : '';
    setText(this.#change, change.trim());
    this.#change.className = !r?.change ? 'faint' : r.change > 0 ? 'up' : 'down';
    for (const k of /** @type {const} */ (['o', 'h', 'l', 'spread'])) setText(this.#day[k], price(r?.[k], places));
    if (r && now - this.#titledAt > 1000) {
      this.#titledAt = now;
      setTitle(`${r.S} ${price(r.p, places)} ${arrow(r.change, places)} · Ticklane`);
    }
  }
}
