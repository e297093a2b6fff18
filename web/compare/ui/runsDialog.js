import { download } from '../../browser/download.js';
import { bytes, dates } from '../../model/formats.js';
import { t } from '../../text.js';
import { buttonOf, byId, dismissable, el, keepFocus, part, setText, svg } from '../../ui/common/dom.js';
import { composing } from '../../ui/common/keys.js';
import { NAME, RUNS, SIZE } from '../core/keptRuns.js';
import { MAX_BYTES, readRun } from '../core/runFile.js';
import { setupName } from '../core/setup.js';

/** @import { KeptRuns } from '../core/keptRuns.js' */
/** @import { KeptRun, Setup } from '../core/types.js' */

const PEN = 'M2 14l.8-3.4 8-8 2.6 2.6-8 8zM9.6 3.8l2.6 2.6';
const SAVE = 'M8 2v8M4.5 7L8 10.5 11.5 7M2.5 13.5h11';
const BIN = 'M2.5 4.5h11M6 4.5v-2h4v2M4 4.5l.7 9h6.6l.7-9';

/** The name under which a run is kept: time and setup. @param {Setup} setup @param {number} at ms since 1970 */
export const runName = (setup, at) => `${dates({ dateStyle: 'medium', timeStyle: 'medium' }).format(at)} · ${setupName(setup)}`;

/** Keeps runs in this browser, opens them from files, and lays one over the current run. */
export class RunsDialog {
  #dialog = byId('runs', HTMLDialogElement);
  #list = part('runs-list');
  #file = byId('runs-file', HTMLInputElement);
  #runs;
  #current;
  #over;
  #renaming = ''; // id
  #undo = () => {};

  /**
   * @param {object} parts
   * @param {KeptRuns} parts.runs
   * @param {() => { text: string, setup: Setup, pairs: number }} parts.current the current run's file
   * @param {(run: KeptRun, name: string, kept: boolean) => void} parts.over lays a run over the current one
   * @param {(text: string) => void} parts.announce for screen readers
   */
  constructor({ runs, current, over, announce }) {
    this.#runs = runs;
    this.#current = current;
    this.#over = over;
    this.announce = announce;
    dismissable(this.#dialog, part('export-open'));
    for (const id of ['run-keep', 'runs-keep']) part(id).addEventListener('click', () => this.#keepCurrent());
    part('runs-open').addEventListener('click', () => this.open());
    for (const id of ['run-file', 'runs-choose']) part(id).addEventListener('click', () => this.#file.click());
    part('runs-undo').addEventListener('click', () => {
      this.#undo();
      this.#say('');
      this.#fill();
      part('runs-keep').focus();
    });
    this.#file.addEventListener('change', () => {
      const [file] = this.#file.files ?? [];
      if (file) void this.openFile(file);
      this.#file.value = ''; // so that the same file can be chosen again
    });
    this.#list.addEventListener('click', (e) => this.#click(e));
    this.#list.addEventListener('submit', (e) => {
      e.preventDefault();
      this.#rename();
    });
    this.#dialog.addEventListener('keydown', (e) => {
      if (e.key !== 'Escape' || !this.#renaming || composing(e)) return;
      e.preventDefault(); // cancels only the renaming
      this.#endRename();
    });
    this.#dropping();
  }

  /** @param {string} [text] shown below the list */
  open(text = '') {
    this.#renaming = '';
    this.#say(text);
    this.#fill();
    if (!this.#dialog.open) this.#dialog.showModal();
  }

  /** Keeps a run. @param {string} text its file @param {string} name @returns {boolean} */
  keep(text, name) {
    const { why } = this.#runs.add(name, text, Date.now());
    if (why) this.open(this.#refusal(why));
    else this.announce(t('compare.runs.kept', { name }));
    return why === '';
  }

  /** Lays the run of a file over the current one, or shows why it cannot be read. @param {File} file */
  async openFile(file) {
    try {
      if (file.size > MAX_BYTES) throw new Error(t('compare.file.large', { mb: String(MAX_BYTES / 1e6) }));
      const run = readRun(await file.text());
      this.#dialog.close();
      this.#over(run, file.name, false);
    } catch (err) {
      this.open(t('compare.runs.unreadable', { name: file.name, why: /** @type {Error} */ (err).message }));
    }
  }

  #keepCurrent() {
    const { text, setup, pairs } = this.#current();
    if (pairs === 0) return this.open(t('compare.runs.nothing'));
    const name = runName(setup, Date.now());
    if (this.keep(text, name)) this.open(t('compare.runs.kept', { name }));
  }

  #fill() {
    const all = this.#runs.all.reverse();
    setText(part('runs-room'), t('compare.runs.room', { n: all.length, most: RUNS, size: bytes(this.#runs.size), of: bytes(SIZE) }));
    part('runs-none').hidden = all.length > 0;
    this.#list.replaceChildren(...all.map(({ id, name, text }) => {
      if (id === this.#renaming) return el('li', {}, renaming(name));
      const shown = name || t('compare.runs.damaged');
      const pick = el('button', { type: 'button', class: 'pick', 'data-run': id, title: t('compare.runs.over') }, el('span', {}, shown));
      pick.disabled = !text;
      const icons = text ? [icon('rename', id, t('compare.runs.rename', { name: shown }), PEN), icon('save', id, t('compare.runs.save', { name: shown }), SAVE)] : [];
      return el('li', {}, pick, ...icons, icon('delete', id, t('compare.runs.delete', { name: shown }), BIN));
    }));
  }

  /** @param {Event} e */
  #click(e) {
    const b = buttonOf(e);
    const entry = this.#runs.all.find((r) => r.id === b?.dataset.run);
    if (!b || !entry) return;
    const { act } = b.dataset;
    if (act === 'rename') {
      this.#renaming = entry.id;
      this.#fill();
      const input = this.#list.querySelector('input');
      input?.focus();
      input?.select();
    } else if (act === 'delete') {
      this.#undo = this.#runs.remove(entry.id);
      this.#fill();
      this.#say(t('compare.runs.deleted', { name: entry.name }), true);
      part('runs-undo').focus();
    } else if (act === 'save') {
      const name = `${entry.name.replace(/[^\p{L}\p{N}.,=-]+/gu, '-')}.json`;
      download(name, new Blob([entry.text], { type: 'application/json' }));
      this.#say(t('compare.export.saved', { name }));
    } else {
      this.#layOver(entry.name, entry.text);
    }
  }

  /** @param {string} name @param {string} text */
  #layOver(name, text) {
    try {
      this.#over(readRun(text), name, true);
      this.#dialog.close();
    } catch (err) {
      this.#say(t('compare.runs.unreadable', { name, why: /** @type {Error} */ (err).message }));
    }
  }

  #rename() {
    const name = this.#list.querySelector('input')?.value ?? '';
    const why = this.#runs.rename(this.#renaming, name);
    this.#say(why ? this.#refusal(why) : '');
    this.#endRename();
  }

  #endRename() {
    const id = this.#renaming;
    this.#renaming = '';
    this.#fill();
    const pen = this.#list.querySelector(`[data-act=rename][data-run="${CSS.escape(id)}"]`);
    if (pen instanceof HTMLElement) pen.focus();
  }

  /** @param {Exclude<import('../core/keptRuns.js').Refusal, ''>} why */
  #refusal(why) {
    return t(`compare.runs.error.${why}`, { most: RUNS });
  }

  /** A file dropped anywhere on the page is opened. */
  #dropping() {
    const app = part('app');
    const files = (/** @type {DragEvent} */ e) => e.dataTransfer?.types.includes('Files') === true;
    document.addEventListener('dragover', (e) => {
      if (!files(e)) return;
      e.preventDefault();
      app.toggleAttribute('data-drop', true);
    });
    document.addEventListener('dragleave', (e) => { if (e.relatedTarget === null) app.removeAttribute('data-drop'); });
    document.addEventListener('drop', (e) => {
      app.removeAttribute('data-drop');
      if (!files(e)) return;
      e.preventDefault();
      const [file] = e.dataTransfer?.files ?? [];
      if (file) void this.openFile(file);
    });
  }

  /** @param {string} text @param {boolean} [undo] */
  #say(text, undo = false) {
    setText(part('runs-status'), text);
    part('runs-undo').hidden = !undo;
  }

  /** Lists the runs again, after another tab changed them. */
  refresh() {
    if (this.#dialog.open && !this.#renaming) keepFocus(this.#dialog, () => this.#fill());
  }
}

/** @param {string} act @param {string} run @param {string} label @param {string} d */
const icon = (act, run, label, d) => el(
  'button', { type: 'button', class: 'icon', 'data-act': act, 'data-run': run, 'aria-label': label, title: label },
  svg('svg', { viewBox: '0 0 16 16', width: '15', height: '15', 'aria-hidden': 'true' }, svg('path', { d })),
);

/** @param {string} name */
const renaming = (name) => el(
  'form', {}, el('input', { class: 'search', type: 'text', value: name, maxlength: String(NAME), 'aria-label': t('compare.runs.name'), autocomplete: 'off' }),
  el('button', { class: 'button', 'aria-label': t('compare.runs.rename', { name }) }, '✓'),
);
