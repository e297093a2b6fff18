import { t } from '../../text.js';
import { el, part, setText } from '../../ui/common/dom.js';

/** @typedef {import('../core/types.js').Sentence} Sentence */

const ALOUD = 10_000; // ms, the least time between two readings aloud

/** The sentence at the top, what it rests on, and what must be known beside it. */
export class Verdict {
  #sentence = part('sentence');
  #basis = part('basis');
  #notes = part('notes');
  #live = part('live');
  #shown = '';
  #said = '';
  #saidAt = -ALOUD;
  #apply = el('button', { type: 'button', class: 'button' }, t('compare.offer.apply'));

  /** @param {{ apply: () => void }} parts apply: does what the link asks for */
  constructor({ apply }) {
    this.#apply.addEventListener('click', apply);
  }

  /** @param {Sentence} sentence @param {string[]} notes each a sentence @param {number} now performance.now() @param {string} [offer] what the button would do, '' for no button */
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
      const held = document.activeElement === this.#apply;
      const first = offer ? [el('li', {}, `${offer} `, this.#apply)] : [];
      this.#notes.replaceChildren(...first, ...notes.map((n) => el('li', {}, n)));
      if (held) this.#apply.focus();
    }
    this.#aloud(sentence.parts.map((p) => p.text).join(''), now);
  }

  /** The figures change four times a second; an ear wants the newest now and then. @param {string} text @param {number} now */
  #aloud(text, now) {
    if (text === this.#said || now - this.#saidAt < ALOUD) return;
    this.#said = text;
    this.#saidAt = now;
    setText(this.#live, text);
  }

  /** Says something at once, and holds the sentence back for a while. @param {string} text @param {number} now performance.now() */
  announce(text, now) {
    this.#saidAt = now;
    setText(this.#live, text);
  }
}
