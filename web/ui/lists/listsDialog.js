import { t } from '../../text.js';
import { buttonOf, byId, dismissable, el, keepFocus, part, setText, svg } from '../common/dom.js';
import { composing } from '../common/keys.js';
import { NAME } from '../../model/lists.js';

/** @import { Lists } from '../../model/lists.js' */

const PEN = 'M2 14l.8-3.4 8-8 2.6 2.6-8 8zM9.6 3.8l2.6 2.6';
const BIN = 'M2.5 4.5h11M6 4.5v-2h4v2M4 4.5l.7 9h6.6l.7-9';

/** The dialog of the lists, loaded when it is opened: opens, names and edits them. Each change takes effect at once. */
export class ListsDialog {
  #dialog = byId('lists', HTMLDialogElement);
  #all = part('lists-all');
  #symbols = part('lists-symbols');
  #name = byId('lists-name', HTMLInputElement);
  #lists;
  #known;
  #renaming = ''; // id of the list whose name is being changed
  #undo = () => {};

  /** @param {{ lists: Lists, known: (symbol: string) => string | undefined, announce: (text: string) => void }} parts known: the name of a symbol that the server has; announce: for screen readers */
  constructor({ lists, known, announce }) {
    this.#lists = lists;
    this.#known = known;
    this.announce = announce;
    this.#name.maxLength = NAME;
    dismissable(this.#dialog, part('lists-open'));
    this.#dialog.addEventListener('keydown', (e) => {
      if (e.key !== 'Escape' || !this.#renaming || composing(e)) return;
      e.preventDefault(); // cancels only the renaming
      this.#endRename();
    });
    this.#all.addEventListener('click', (e) => this.#listClick(e));
    this.#all.addEventListener('submit', (e) => {
      e.preventDefault();
      this.#rename();
    });
    this.#symbols.addEventListener('click', (e) => this.#symbolClick(e));
    part('lists-new').addEventListener('submit', (e) => {
      e.preventDefault();
      this.#create();
    });
    part('lists-import').addEventListener('click', () => void this.#import());
    part('lists-undo').addEventListener('click', () => {
      this.#undo();
      this.#say('');
      this.#fill();
      this.#focus('[aria-current]');
    });
    lists.on(() => this.paint());
  }

  open() {
    if (this.#dialog.open) return; // clicked again while it was loaded
    this.#say('');
    this.#renaming = '';
    this.#fill();
    this.#dialog.showModal();
    this.#focus('[aria-current]');
  }

  /** To be called when the server's symbols changed. */
  paint() {
    if (this.#dialog.open && !this.#renaming) keepFocus(this.#dialog, () => this.#fill());
  }

  #fill() {
    const { open, all } = this.#lists;
    const row = (/** @type {string} */ id, /** @type {string} */ label, /** @type {string} */ count, /** @type {boolean} */ current) => {
      const b = el('button', { type: 'button', class: 'pick', 'data-list': id }, el('span', {}, label), el('small', {}, count));
      if (current) b.setAttribute('aria-current', 'true');
      return b;
    };
    this.#all.replaceChildren(
      el('li', {}, row('', t('watch.list.all'), '', open === null)),
      ...all.map((l) => (this.#renaming === l.id ? el('li', {}, renaming(l.name)) : el(
        'li', {}, row(l.id, l.name, t('watch.list.count', { n: l.symbols.length }), open?.id === l.id),
        icon('rename', l.id, t('watch.list.rename', { name: l.name }), PEN), icon('delete', l.id, t('watch.list.delete', { name: l.name }), BIN),
      ))),
    );
    part('lists-order').hidden = !open || open.symbols.length === 0;
    if (!open) return;
    const name = open.name || t('watch.list.link');
    setText(part('lists-order-title'), t('watch.list.order', { name }));
    this.#symbols.replaceChildren(...open.symbols.map((symbol, at) => {
      const b = (/** @type {string} */ act, /** @type {string} */ label, /** @type {string} */ text, off = false) => {
        const button = el('button', { type: 'button', class: 'icon', 'data-act': act, 'data-symbol': symbol, 'aria-label': label }, text);
        button.disabled = off;
        return button;
      };
      return el(
        'li', {}, el('span', {}, el('b', {}, symbol), ' ', el('span', { class: 'faint' }, this.#known(symbol) ?? '–')),
        b('up', t('watch.list.up', { symbol }), '↑', at === 0), b('down', t('watch.list.down', { symbol }), '↓', at === open.symbols.length - 1),
        b('remove', t('watch.list.remove', { symbol, name }), '✕'),
      );
    }));
  }

  /** @param {Event} e */
  #listClick(e) {
    const b = buttonOf(e);
    const id = b?.dataset.list;
    if (!b || id === undefined) return;
    if (b.dataset.act === 'rename') {
      this.#renaming = id;
      this.#fill();
      const input = this.#all.querySelector('input');
      input?.focus();
      input?.select();
    } else if (b.dataset.act === 'delete') {
      const name = this.#lists.all.find((l) => l.id === id)?.name ?? '';
      this.#undo = this.#lists.remove(id);
      this.#fill();
      this.#say(t('watch.list.deleted', { name }), true);
      part('lists-undo').focus();
    } else {
      this.#lists.show(id);
      this.#dialog.close();
    }
  }

  #rename() {
    const input = this.#all.querySelector('input');
    if (!input) return;
    const why = this.#lists.rename(this.#renaming, input.value);
    if (why) {
      this.#refuse(input, why);
      return;
    }
    this.#say('');
    this.#endRename();
  }

  /** Leaves the renaming of a list. */
  #endRename() {
    const id = this.#renaming;
    this.#renaming = '';
    this.#fill();
    this.#focus(`[data-act=rename][data-list="${CSS.escape(id)}"]`);
  }

  #create() {
    const why = this.#lists.create(this.#name.value);
    if (why) {
      this.#refuse(this.#name, why);
      return;
    }
    this.#lists.show(this.#lists.all.at(-1)?.id ?? '');
    this.#name.value = '';
    this.#dialog.close();
  }

  async #import() {
    const module = await import('./importDialog.js').catch(() => null);
    if (!module) return this.#say(t('bar.unavailable'));
    if (!this.#dialog.open || document.querySelector('#import')) return; // closed, or pressed again, meanwhile
    module.openImportDialog({
      lists: this.#lists, known: (symbol) => this.#known(symbol) !== undefined,
      imported: (id, name, n) => {
        this.#lists.show(id);
        this.#dialog.close();
        this.announce(t('watch.import.done', { n, name }));
      },
    });
  }

  /** @param {HTMLInputElement} input @param {import('../../model/lists.js').Refusal} why */
  #refuse(input, why) {
    this.#say(t(`watch.list.error.${why}`));
    input.focus();
  }

  /** @param {Event} e */
  #symbolClick(e) {
    const b = buttonOf(e);
    const { open } = this.#lists;
    const { symbol, act } = b?.dataset ?? {};
    if (!open || !symbol) return;
    if (act === 'remove') {
      const at = open.symbols.indexOf(symbol);
      this.#lists.star(symbol);
      this.announce(t('watch.list.removed', { symbol, name: open.name || t('watch.list.link') }));
      this.#fill();
      const left = this.#symbols.querySelectorAll('[data-act=remove]');
      const next = left[Math.min(at, left.length - 1)];
      if (next instanceof HTMLElement) next.focus();
      else this.#focus('[aria-current]');
    } else {
      const at = this.#lists.move(symbol, act === 'up' ? -1 : 1);
      this.#fill();
      if (at) this.announce(t('watch.list.moved', { symbol, at }));
      // The button that was pressed, or the other one when it is disabled at the end.
      const mine = `[data-symbol="${CSS.escape(symbol)}"]`;
      this.#focus(`${mine}[data-act=${act}]:enabled`) || this.#focus(`${mine}:enabled`);
    }
  }

  /** @param {string} selector @returns {boolean} */
  #focus(selector) {
    const e = this.#dialog.querySelector(selector);
    if (e instanceof HTMLElement) e.focus();
    else if (selector === '[aria-current]') this.#name.focus(); // a temporary list is not among them
    return e !== null;
  }

  /** @param {string} text @param {boolean} [undo] */
  #say(text, undo = false) {
    setText(part('lists-status'), text);
    part('lists-undo').hidden = !undo;
  }
}

/** @param {string} act @param {string} list @param {string} label @param {string} d */
const icon = (act, list, label, d) => el(
  'button', { type: 'button', class: 'icon', 'data-act': act, 'data-list': list, 'aria-label': label, title: label },
  svg('svg', { viewBox: '0 0 16 16', width: '15', height: '15', 'aria-hidden': 'true' }, svg('path', { d })),
);

/** @param {string} name */
const renaming = (name) => el(
  'form', {}, el('input', { class: 'search', type: 'text', value: name, maxlength: String(NAME), 'aria-label': t('watch.list.name'), autocomplete: 'off' }),
  el('button', { class: 'button', 'aria-label': t('watch.list.rename', { name }) }, '✓'),
);
