import { t } from '../../text.js';
import { download } from '../../browser/download.js';
import { pageAddress } from '../../browser/http.js';
import { Stored } from '../../browser/storage.js';
import { columnList, columns, readColumns, readStored, standard } from '../../model/columns.js';
import { buttonOf, byId, dismissable, el, part } from '../common/dom.js';

/** @import { ViewState } from '../common/viewState.js' */
/** @import { Listing } from '../../model/order.js' */
/** @import { SymbolRecord } from '../../types.js' */

/** The dialog of the columns and their order, which also saves the list as CSV and copies the link. Each change takes effect at once. */
export class ColumnsDialog {
  #dialog = byId('columns', HTMLDialogElement);
  #list = part('columns-list');
  #stored = new Stored('ticklane.columns', readStored);
  #view;
  #shown;

  /** @param {{ view: ViewState, widths: import('./columnWidths.js').ColumnWidths, shown: () => { list: readonly Listing[], get: (symbol: string) => SymbolRecord | undefined }, announce: (text: string) => void }} parts shown: the list as it is displayed; announce: for screen readers */
  constructor({ view, widths, shown, announce }) {
    this.#view = view;
    this.#shown = shown;
    this.announce = announce;
    if (!view.now.cols) view.set({ cols: this.#stored.read() });
    const button = part('columns-open');
    button.addEventListener('click', () => {
      this.#fill();
      part('columns-status').textContent = '';
      this.#dialog.showModal();
      this.#focus('input'); // instead of the close button
    });
    dismissable(this.#dialog, button);
    this.#list.addEventListener('change', (e) => this.#choose(/** @type {HTMLInputElement} */ (e.target)));
    this.#list.addEventListener('click', (e) => {
      const b = buttonOf(e);
      if (b) this.#move(b.dataset.column ?? '', b.dataset.move === 'up' ? -1 : 1);
    });
    part('columns-reset').addEventListener('click', () => {
      this.#set([...standard]);
      widths.reset();
      this.#fill();
    });
    const head = /** @type {HTMLElement} */ (part('grid').firstElementChild);
    this.#makeReorderable(head, true, () => [...head.querySelectorAll('[data-sort]:not([data-sort=symbol])')], (e) => e.dataset.sort ?? '');
    this.#makeReorderable(this.#list, false, () => [...this.#list.querySelectorAll('li:has(:checked)')], (e) => e.querySelector('input')?.value ?? '');
    part('columns-csv').addEventListener('click', () => void this.#save());
    part('columns-link').addEventListener('click', () => void this.#copy());
  }

  /** Fills the list: the chosen columns in their order, then the others. */
  #fill() {
    const chosen = columnList(this.#view.now.cols);
    const all = [...chosen, ...Object.keys(columns).filter((id) => !chosen.includes(id))];
    this.#list.replaceChildren(...all.map((id) => {
      const name = t(`watch.columns.${id}.long`);
      const box = el('input', { type: 'checkbox', value: id });
      box.checked = chosen.includes(id);
      const at = chosen.indexOf(id);
      const arrow = (/** @type {'up' | 'down'} */ to, /** @type {boolean} */ off) => {
        const b = el('button', { type: 'button', class: 'icon', 'data-move': to, 'data-column': id, 'aria-label': t(`watch.columns.${to}`, { name }) }, to === 'up' ? '↑' : '↓');
        b.disabled = off;
        return b;
      };
      return el('li', {}, el('label', {}, box, name), el('span', { class: 'grip', 'aria-hidden': 'true' }, '⠿'), arrow('up', at < 1), arrow('down', at < 0 || at === chosen.length - 1));
    }));
  }

  /** @param {HTMLInputElement} box */
  #choose(box) {
    const chosen = columnList(this.#view.now.cols);
    if (!box.checked && chosen.length === 1) {
      box.checked = true; // at least one column remains
      return;
    }
    this.#set(box.checked ? [...chosen, box.value] : chosen.filter((id) => id !== box.value));
    this.#fill();
    this.#focus(`[value="${box.value}"]`);
  }

  /** Lets the pointer reorder columns. @param {HTMLElement} box @param {boolean} across @param {() => any[]} items @param {(e: HTMLElement) => string} id */
  #makeReorderable(box, across, items, id) {
    box.addEventListener('pointerdown', async (e) => {
      if (e.button !== 0 || !(e.target instanceof Element) || !e.target.closest('.grip, [data-sort]')) return;
      const chunk = await import('./reorder.js').catch(() => null); // on an error the buttons still work
      chunk?.reorder(e, { box, items, id, across, move: (column, to) => this.#place(column, to) });
    });
  }

  /** Moves a column. @param {string} id @param {number} to @returns {boolean} whether it could be moved */
  #place(id, to) {
    const chosen = [...columnList(this.#view.now.cols)];
    const from = chosen.indexOf(id);
    if (from < 0 || to < 0 || to >= chosen.length) return false;
    chosen.splice(to, 0, ...chosen.splice(from, 1));
    this.#set(chosen);
    this.#fill();
    return true;
  }

  /** @param {string} id @param {number} by */
  #move(id, by) {
    const to = columnList(this.#view.now.cols).indexOf(id) + by;
    if (!this.#place(id, to)) return;
    this.announce(t('watch.columns.moved', { name: t(`watch.columns.${id}.long`), at: to + 1 }));
    // The button that was pressed, or the other one when it is disabled at the end.
    this.#focus(`[data-column="${id}"][data-move=${by < 0 ? 'up' : 'down'}]:enabled, [data-column="${id}"]:enabled`);
  }

  /** @param {string} selector */
  #focus(selector) {
    const e = this.#list.querySelector(selector);
    if (e instanceof HTMLElement) e.focus();
  }

  /** @param {string[]} ids */
  #set(ids) {
    const cols = readColumns(ids.join());
    this.#view.set({ cols });
    this.#stored.write(cols ? { v: 1, cols } : undefined);
  }

  async #save() {
    const file = await import('../../model/csv.js').catch(() => null);
    if (!file) return this.#say(t('bar.unavailable'));
    const { csv, csvName } = file;
    const { list, get } = this.#shown();
    const name = csvName(new Date());
    download(name, csv(columnList(this.#view.now.cols), list, get));
    this.#say(t('watch.csv.saved', { name }));
  }

  async #copy() {
    try {
      await navigator.clipboard.writeText(pageAddress());
      this.#say(t('watch.link.copied'));
    } catch {
      this.#say(pageAddress()); // no clipboard without https or permission: the user can select and copy it
    }
  }

  /** @param {string} text */
  #say(text) {
    part('columns-status').textContent = text;
  }
}
