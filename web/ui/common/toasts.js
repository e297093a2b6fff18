import { timeOfDay } from '../../model/formats.js';
import { t } from '../../text.js';
import { el, part } from './dom.js';

const STAYS = 20_000; // ms
const MOST = 3;

/** HoverHold words at the lower edge: they go by themselves, unless someone points at them. The live region is elsewhere. */
export class Toasts {
  #box = el('div', { class: 'toasts' });
  #show;

  /** @param {(symbol: string) => void} show called when a toast's symbol is asked for */
  constructor(show) {
    this.#show = show;
    part('app').append(this.#box);
  }

  /** @param {string} symbol @param {string} text @param {number} at ms since 1970 */
  show(symbol, text, at) {
    const show = el('button', { type: 'button', class: 'link what' }, t('alert.show'));
    const shut = el('button', { type: 'button', class: 'icon bare', 'aria-label': t('alert.dismiss') }, '✕');
    const toast = el('div', { class: 'toast' }, el('time', {}, timeOfDay(at)), el('span', {}, text), show, shut);
    let timer = setTimeout(() => toast.remove(), STAYS);
    const stay = () => clearTimeout(timer);
    const go = () => {
      clearTimeout(timer);
      if (!toast.contains(document.activeElement)) timer = setTimeout(() => toast.remove(), STAYS / 4);
    };
    toast.addEventListener('pointerenter', stay);
    toast.addEventListener('pointerleave', go);
    toast.addEventListener('focusin', stay);
    toast.addEventListener('focusout', go);
    show.addEventListener('click', () => {
      this.#show(symbol);
      toast.remove();
    });
    shut.addEventListener('click', () => toast.remove());
    this.#box.append(toast);
    while (this.#box.children.length > MOST) this.#box.firstChild?.remove();
  }
}
