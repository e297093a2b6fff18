import { t } from '../../text.js';
import { buttonOf, el, part, press, setText } from '../common/dom.js';
import { sectorName } from '../../model/order.js';

/** @import { ViewState } from '../common/viewState.js' */

const MORE = 78; // px of the select "More"

/** The sectors as chips, as many as fit; the others are in a select, or all of them where not even two fit. */
export class Chips {
  #box = part('chips');
  #view;
  #more = el('select', { class: 'chip', 'aria-label': t('watch.moreSectors') });
  /** @type {HTMLButtonElement[]} */
  #chips = [];
  /** @type {string[]} */
  #sectors = [];
  #n = -1;

  /** @param {ViewState} view */
  constructor(view) {
    this.#view = view;
    this.#box.addEventListener('click', (e) => {
      const chip = buttonOf(e);
      if (chip) view.set({ sector: chip.dataset.sector ?? '' });
    });
    this.#more.addEventListener('change', () => view.set({ sector: this.#more.value }));
    view.on((now, before) => { if (now.sector !== before.sector) this.#show(); });
    new ResizeObserver(() => this.#fit()).observe(this.#box);
  }

  /** @param {readonly string[]} sectors */
  fill(sectors) {
    this.#sectors = [...sectors];
    const chip = (/** @type {string} */ sector, /** @type {string} */ name) =>
      el('button', { type: 'button', class: 'chip', 'data-sector': sector }, name);
    this.#chips = [chip('', ''), ...sectors.map((s) => chip(s, sectorName(s)))];
    this.#box.replaceChildren(...this.#chips, this.#more);
    this.#n = -1;
  }

  /** Sets the number of symbols in all sectors, of the server or of the open list. @param {number} n */
  setTotal(n) {
    const [first] = this.#chips;
    if (n === this.#n || !first) return;
    this.#n = n;
    setText(first, t('watch.all', { n }));
    this.#fit();
  }

  #fit() {
    const width = this.#box.clientWidth;
    if (!width || !this.#chips.length) return;
    for (const c of this.#chips) c.hidden = false;
    this.#more.hidden = false;
    const widths = this.#chips.map((c) => c.offsetWidth + 8);
    const all = widths.reduce((a, b) => a + b, 0) - 8 + 4;
    let room = width;
    if (all > width) room -= MORE;
    const alone = (widths[0] ?? 0) > room + 8;
    this.#more.replaceChildren(el('option', { value: '' }, alone ? this.#chips[0]?.textContent ?? '' : t('watch.more')));
    this.#more.setAttribute('aria-label', t(alone ? 'watch.sector' : 'watch.moreSectors'));
    let used = 0;
    /** @type {string[]} */
    const rest = [];
    this.#chips.forEach((c, i) => {
      used += widths[i] ?? 0;
      c.hidden = alone || (i > 0 && (rest.length > 0 || used > room + 8));
      if (c.hidden && i > 0) rest.push(this.#sectors[i - 1] ?? '');
    });
    this.#more.hidden = rest.length === 0;
    this.#more.append(...rest.map((s) => el('option', { value: s }, sectorName(s))));
    this.#show();
  }

  #show() {
    const { sector } = this.#view.now;
    press(this.#chips, (b) => b.dataset.sector === sector);
    this.#more.value = sector;
    if (this.#more.selectedIndex < 0) this.#more.value = '';
    this.#more.classList.toggle('chosen', this.#more.value !== '');
  }
}
