import { t } from '../../text.js';
import { part, setText } from '../common/dom.js';

/** @import { Lists } from '../../model/lists.js' */
/** @import { ListsDialog } from './listsDialog.js' */

/** The button of the open list, which opens the dialog of the lists, and the bar of a list that was opened by a link. */
export class ListBar {
  #parts;
  #lists;
  /** @type {ListsDialog | null} loaded when it is first opened */
  #dialog = null;

  /** @param {{ lists: Lists, known: (symbol: string) => string | undefined, narrowed: () => boolean, announce: (text: string) => void }} parts known: the name of a symbol that the server has; narrowed: whether the user may read only a part of them; announce: for screen readers */
  constructor(parts) {
    this.#parts = parts;
    this.#lists = parts.lists;
    part('lists-open').addEventListener('click', () => void this.#open());
    part('list-save').addEventListener('click', () => this.#save());
    part('list-close').addEventListener('click', () => {
      this.#lists.show('');
      part('grid').focus();
    });
    this.#lists.on(() => this.paint());
  }

  /** To be called when the server's symbols changed. */
  paint() {
    const { open } = this.#lists;
    setText(part('list-label'), open ? open.name || t('watch.list.link') : '');
    part('lists-open').toggleAttribute('data-list', open !== null);
    const temporary = open !== null && !open.saved;
    part('list-bar').hidden = !temporary;
    if (temporary) {
      const unknown = open.symbols.filter((s) => this.#parts.known(s) === undefined).length;
      const parts = [open.name ? t('watch.list.named', { name: open.name }) : t('watch.list.link'), t('watch.list.count', { n: open.symbols.length })];
      if (unknown > 0) parts.push(t(this.#parts.narrowed() ? 'watch.list.unreadable' : 'watch.list.unknown', { n: unknown }));
      setText(part('list-summary'), parts.join(' · '));
    }
    this.#dialog?.paint();
  }

  async #open() {
    if (!this.#dialog) {
      const module = await import('./listsDialog.js').catch(() => null);
      if (!module) return this.#parts.announce(t('bar.unavailable'));
      this.#dialog ??= new module.ListsDialog(this.#parts);
    }
    this.#dialog.open();
  }

  #save() {
    const name = this.#lists.save();
    this.#parts.announce(name ? t('watch.list.saved', { name }) : t('watch.list.error.many'));
    if (name) part('grid').focus();
    else setText(part('list-summary'), t('watch.list.error.many'));
  }
}
