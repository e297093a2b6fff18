import { t } from '../../text.js';
import { el, part, setText } from '../../ui/common/dom.js';

/** @typedef {import('../core/types.js').Sentence} Sentence */

const ANNOUNCE = 10_000; // minimum ms between announcements to screen readers

/** The result in a sentence, its footnotes, and the notes below it. */
export class Verdict {
  #sentence = part('sentence');
  #basis = part('basis');
  #notes = part('notes');
  #live = part('live');
  #shown = '';
  #announced = '';
  #announcedAt = -ANNOUNCE;
  #apply = el('button', { type: 'button', class: 'button' }, t('compare.offer.apply'));

  /** @param {{ apply: () => void }} parts apply: applies the change of the link */
  constructor({ apply }) {
    this.#apply.addEventListener('click', apply);
  }

  /** @param {Sentence} sentence @param {string[]} notes each a sentence @param {number} now performance.now() @param {string} [offer] what the link would change, '' for no button */
  paint(sentence, notes, now, offer = '') {
    const key = JSON.stringify(sentence.parts);
    if (key !== this.#shown) {
      this.#shown = key;
      this.#sentence.replaceChildren(...sentence.parts.map(({ text, strong, lane }) =>
        strong || lane ? el(strong ? 'b' : 'span', lane ? { class: `l-${lane}` } : {}, text) : text));
    }
    this.#sentence.dataset.state = sentence.state;
    setText(this.#basis, sentence.small.join(' · '));
    const list = JSON.stringify([offer, ...notes]);
    if (this.#notes.dataset.of !== list) {
      this.#notes.dataset.of = list;
      const focused = document.activeElement === this.#apply;
      const first = offer ? [el('li', {}, `${offer} `, this.#apply)] : [];
      this.#notes.replaceChildren(...first, ...notes.map((n) => el('li', {}, n)));
      if (focused) this.#apply.focus();
    }
    this.#announceSentence(sentence.parts.map((p) => p.text).join(''), now);
  }

  /** Announces the sentence now and then, since it changes often. @param {string} text @param {number} now */
  #announceSentence(text, now) {
    if (text === this.#announced || now - this.#announcedAt < ANNOUNCE) return;
    this.#announced = text;
    this.#announcedAt = now;
    setText(this.#live, text);
  }

  /** Announces a text at once and delays the next sentence. @param {string} text @param {number} now performance.now() */
  announce(text, now) {
    this.#announcedAt = now;
    setText(this.#live, text);
  }
}
