// The dialog that imports symbols into a list, loaded on demand.
import { t } from '../../text.js';
import { NAME, SYMBOLS } from '../../model/lists.js';
import { planImport } from '../../model/symbolImport.js';
import { el, setText } from '../common/dom.js';

/** @import { Lists } from '../../model/lists.js' */

const FILE = 1_000_000; // bytes
const NAMED = 20; // unknown symbols

/** The sentence about what an import would do. @param {import('../../model/symbolImport.js').Plan} plan */
export function planText({ add, unknown, ignored, over }) {
  const parts = [t('watch.import.add', { n: add.length })];
  if (ignored) parts.push(t('watch.import.ignored', { n: ignored }));
  if (over) parts.push(t('watch.import.over', { n: over, most: String(SYMBOLS) }));
  if (unknown.length) {
    const names = unknown.slice(0, NAMED).map((s) => s.slice(0, 32)).join(', ');
    parts.push(unknown.length > NAMED ? t('watch.import.unknown.more', { names, n: unknown.length - NAMED }) : t('watch.import.unknown', { names }));
  }
  return parts.join(' · ');
}

/**
 * Opens the dialog.
 * @param {{ lists: Lists, known: (symbol: string) => boolean, imported: (id: string, name: string, n: number) => void }} parts imported: called with the list and the number of its new symbols
 */
export function openImportDialog({ lists, known, imported }) {
  const before = document.activeElement;
  const text = el('textarea', { class: 'search', id: 'import-text', rows: '6', spellcheck: 'false', autocapitalize: 'characters', 'aria-describedby': 'import-status' });
  const file = el('input', { type: 'file', id: 'import-file', accept: '.csv,.txt,.tsv,text/plain,text/csv' });
  const current = lists.open?.saved ? lists.open.id : '';
  const into = el('select', { id: 'import-into' }, el('option', { value: '' }, t('watch.import.new')), ...lists.all.map((l) => el('option', { value: l.id }, l.name)));
  into.value = current;
  const name = el('input', { class: 'search', id: 'import-name', type: 'text', maxlength: String(NAME), autocomplete: 'off', 'aria-describedby': 'import-status' });
  const named = el('div', { class: 'field' }, el('label', { for: 'import-name' }, t('watch.list.name')), name);
  const status = el('p', { class: 'columns-status', id: 'import-status', role: 'status' });
  const cancel = el('button', { type: 'button', class: 'link' }, t('alert.cancel'));
  const form = el('form', { method: 'dialog', novalidate: '' },
    el('h2', { id: 'import-title' }, t('watch.import.title')), el('p', { class: 'faint' }, t('watch.import.how', { most: String(SYMBOLS) })),
    el('label', { for: 'import-text' }, t('watch.import.text')), text,
    el('div', { class: 'field' }, el('label', { for: 'import-file' }, t('watch.import.file')), file),
    el('div', { class: 'field' }, el('label', { for: 'import-into' }, t('watch.import.into')), into), named, status,
    el('div', { class: 'columns-foot' }, el('button', { class: 'button' }, t('watch.import.do')), el('span', { class: 'sp' }), cancel));
  const dialog = el('dialog', { class: 'keys columns import', id: 'import', 'aria-labelledby': 'import-title' }, form);

  const plan = () => planImport(text.value, { known, present: lists.all.find((l) => l.id === into.value)?.symbols ?? [], most: SYMBOLS });
  const show = () => {
    named.hidden = into.value !== '';
    complain('', null);
    if (text.value.trim()) setText(status, planText(plan()));
  };
  const complain = (/** @type {string} */ message, /** @type {HTMLElement | null} */ field) => {
    setText(status, message);
    for (const f of [text, name, file]) {
      if (f === field) f.setAttribute('aria-invalid', 'true');
      else f.removeAttribute('aria-invalid');
    }
    field?.focus();
  };
  file.addEventListener('change', async () => {
    const chosen = file.files?.[0];
    if (!chosen) return;
    const content = chosen.size > FILE ? null : await chosen.text().catch(() => '\0');
    if (content === null) return complain(t('watch.import.error.large'), file);
    if (content.includes('\0')) return complain(t('watch.import.error.binary'), file);
    text.value = content;
    if (!name.value) name.value = chosen.name.replace(/\.\w+$/, '').slice(0, NAME);
    show();
  });
  form.addEventListener('input', (e) => { if (e.target !== file && e.target !== name) show(); });
  cancel.addEventListener('click', () => dialog.close());
  form.addEventListener('submit', (e) => {
    e.preventDefault();
    const { add, unknown } = plan();
    if (!add.length) return complain(unknown.length || text.value.trim() ? planText(plan()) : t('watch.import.error.empty'), text);
    const why = into.value ? lists.add(into.value, add) : lists.create(name.value, add);
    if (why) return complain(t(`watch.list.error.${why}`), into.value ? null : name);
    const list = into.value ? lists.all.find((l) => l.id === into.value) : lists.all.at(-1);
    dialog.close();
    imported(list?.id ?? '', list?.name ?? '', add.length);
  });
  dialog.addEventListener('close', () => {
    dialog.remove();
    if (before instanceof HTMLElement) before.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
  show();
  text.focus();
}
