import { t } from '../../text.js';
import { el, part } from '../../ui/common/dom.js';

/** @typedef {import('../core/types.js').Claim} Claim */
/** @typedef {import('../core/types.js').Verdict} Verdict */

/** @type {Record<Verdict, string>} */
const TONES = {
  holds: 'good', 'half true': 'warn', depends: 'warn', 'no longer true': 'bad', 'no difference': 'soft', 'not measured yet': 'faint',
};

/** Common claims about the lanes, what was measured here, and the verdicts. */
export class ClaimTable {
  #body = el('tbody');
  #shown = '';
  #find;
  #denied;

  /** @param {{ find: (label: string) => HTMLElement | null, denied: boolean }} parts find: the page's button with a label, or null; denied: whether the server has the lab and the user may not use it */
  constructor({ find, denied }) {
    this.#find = find;
    this.#denied = denied;
    part('claims').append(el('thead', {}, el('tr', {}, ...[t('compare.claims.claim'), t('compare.claims.here'), t('compare.claims.verdict')].map((h) => el('th', { scope: 'col' }, h)))), this.#body);
  }

  /** @param {readonly Claim[]} claims */
  paint(claims) {
    const key = JSON.stringify(claims);
    if (key === this.#shown) return;
    this.#shown = key;
    // Keep the focus on a button that is drawn again.
    const focused = document.activeElement instanceof HTMLElement && this.#body.contains(document.activeElement) ? document.activeElement.dataset.claim : '';
    this.#body.replaceChildren(...claims.map((c) => this.#row(c)));
    if (focused) for (const b of this.#body.querySelectorAll('button')) if (b.dataset.claim === focused) b.focus();
  }

  /** @param {Claim} c */
  #row(c) {
    return el('tr', {},
      el('th', { scope: 'row' }, c.claim),
      el('td', c.press ? { class: 'none-yet' } : {}, ...this.#measured(c)),
      el('td', {}, el('span', { class: `tag ${TONES[c.verdict]}` }, t(`compare.verdict.${c.verdict.replaceAll(' ', '-')}`))));
  }

  /** The result so far, and the action for the rest. @param {Claim} c @returns {(Node | string)[]} */
  #measured(c) {
    if (!c.press) return [c.measured];
    const known = c.measured;
    const target = c.by === 'button' ? this.#find(c.press) : null;
    if (!target) return [known ? t('compare.claims.known', { known, then: this.#action(c) }) : this.#action(c)];
    const b = el('button', { type: 'button', class: 'button' }, c.press);
    b.dataset.claim = c.id;
    b.addEventListener('click', () => {
      target.click();
      target.scrollIntoView({ block: 'nearest' });
    });
    const button = '\u0001'; // marks its position
    const [before = '', after = ''] = (known ? t('compare.claims.press.known', { known, button }) : t('compare.claims.press', { button })).split(button);
    return [before, b, after];
  }

  /** The action as text, where the page has no such button. @param {Claim} c */
  #action({ press, by }) {
    if (by === 'wait') return t('compare.claims.wait');
    if (by !== 'button') return press;
    return this.#denied ? t('compare.claims.denied') : t('compare.claims.lab', { button: press });
  }
}
