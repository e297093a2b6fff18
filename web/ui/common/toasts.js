import { timeOfDay } from '../../model/formats.js';
import { t } from '../../text.js';
import { el, part } from './dom.js';

const SHOWN = 20_000; // ms
const MOST = 3;

/** Short messages at the bottom of the page. They disappear after a while, but not while hovered or focused. */
export class Toasts {
  #box = el('section', { class: 'toasts', 'aria-label': t('alert.triggered') });
  #show;

  /** @param {(symbol: string) => void} show called when the user chooses a toast's symbol */
  constructor(show) {
    this.#show = show;
  }

  /** @param {string} symbol @param {string} text @param {number} at ms since 1970 */
  show(symbol, text, at) {
    const show = el('button', { type: 'button', class: 'link what' }, t('alert.show'));
    const close = el('button', { type: 'button', class: 'icon bare', 'aria-label': t('alert.dismiss') }, '✕');
    const toast = el('div', { class: 'toast' }, el('time', {}, timeOfDay(at)), el('span', {}, text), show, close);
    let timer = setTimeout(() => toast.remove(), SHOWN);
    const hold = () => clearTimeout(timer);
    const release = () => {
      clearTimeout(timer);
      if (!toast.contains(document.activeElement)) timer = setTimeout(() => toast.remove(), SHOWN / 4);
    };
    toast.addEventListener('pointerenter', hold);
    toast.addEventListener('pointerleave', release);
    toast.addEventListener('focusin', hold);
    toast.addEventListener('focusout', release);
    show.addEventListener('click', () => {
      this.#show(symbol);
      toast.remove();
    });
    close.addEventListener('click', () => toast.remove());
    if (!this.#box.isConnected) part('app').append(this.#box);
    this.#box.append(toast);
    while (this.#box.children.length > MOST) this.#box.firstChild?.remove();
  }
}
