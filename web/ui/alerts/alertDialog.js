// The dialog that creates an alert, loaded on demand.
import { price } from '../../model/formats.js';
import { kinds } from '../../model/alerts.js';
import { t } from '../../text.js';
import { MOST } from './alertStore.js';
import { el } from '../common/dom.js';

/** @import { SymbolRecord } from '../../types.js' */
/** @import { Alert } from '../../model/alerts.js' */
/** @typedef {Pick<Alert, 'S' | 'kind' | 'level' | 'minutes' | 'every'>} NewAlert */

/** Parses a level, rounded to the cent or to a hundredth of a per cent. @param {string} text */
export const parseLevel = (text) => (text.trim() === '' ? NaN : Math.round(Number(text) * 100) / 100);

/**
 * Validates the fields. Returns the key of an error text and the invalid field, or null.
 * @param {string} kind @param {string} level @param {string} minutes @returns {{ key: string, field: 'level' | 'minutes' } | null}
 */
export function validate(kind, level, minutes) {
  const x = parseLevel(level);
  const priced = kind === 'above' || kind === 'below';
  if (priced && !(x > 0 && x < 1e9)) return { key: 'alert.error.level', field: 'level' };
  if (!priced && !(x !== 0 && Math.abs(x) <= 50)) return { key: 'alert.error.percent', field: 'level' };
  const m = Number(minutes);
  if (kind === 'within' && !(Number.isInteger(m) && m >= 1 && m <= 60)) return { key: 'alert.error.minutes', field: 'minutes' };
  return null;
}

/** Opens the dialog. @param {{ symbol: string, r: SymbolRecord | undefined, full: boolean, create: (alert: NewAlert) => void }} options r: the symbol's newest quote; full: no more alerts are allowed */
export function openAlertDialog({ symbol, r, full, create }) {
  const before = document.activeElement;
  const kind = el('select', { id: 'alert-kind' }, ...kinds.map((k) => el('option', { value: k }, t(`alert.kind.${k}`))));
  const level = el('input', { id: 'alert-level', type: 'number', step: 'any', required: '', autocomplete: 'off', 'aria-describedby': 'alert-wrong' });
  const name = el('label', { for: 'alert-level' });
  const minutes = el('input', { id: 'alert-minutes', type: 'number', min: '1', max: '60', step: '1', value: '5', 'aria-describedby': 'alert-wrong' });
  const within = el('div', { class: 'field' }, el('label', { for: 'alert-minutes' }, t('alert.minutes')), minutes);
  const radio = (/** @type {string} */ value) => el('label', {}, el('input', { type: 'radio', name: 'every', value, ...(value === 'once' && { checked: '' }) }), el('span', {}, t(`alert.${value}`)));
  const note = el('p', { class: 'alert-wrong', id: 'alert-wrong', role: 'alert' });
  const cancel = el('button', { type: 'button', class: 'link' }, t('alert.cancel'));
  const form = el('form', { method: 'dialog', novalidate: '' },
    el('h2', { id: 'alert-title' }, t('alert.title', { symbol })),
    el('p', { class: 'soft' }, r ? `${t('watch.columns.last')} ${price(r.p)}` : ''),
    el('div', { class: 'field' }, el('label', { for: 'alert-kind' }, t('alert.when')), kind),
    el('div', { class: 'field' }, name, level), within,
    el('fieldset', { class: 'repeat' }, el('legend', {}, t('alert.repeat')), radio('once'), radio('every')),
    note,
    el('div', { class: 'alert-foot' }, el('button', { class: 'button' }, t('alert.create')), el('span', { class: 'sp' }), cancel));
  const dialog = el('dialog', { class: 'keys settings alert-dialog', id: 'alert', 'aria-labelledby': 'alert-title' }, form);

  const choose = () => {
    const priced = kind.value === 'above' || kind.value === 'below';
    name.textContent = t(priced ? 'alert.level' : 'alert.percent');
    within.hidden = kind.value !== 'within';
    level.value = priced ? (r ? (r.p * (kind.value === 'above' ? 1.01 : 0.99)).toFixed(2) : '') : kind.value === 'day' ? '3' : '1';
    complain('', null);
    level.select();
  };
  const complain = (/** @type {string} */ text, /** @type {HTMLInputElement | null} */ field) => {
    note.textContent = text;
    for (const f of [level, minutes]) f.setAttribute('aria-invalid', String(f === field));
    field?.focus();
  };
  kind.addEventListener('change', choose);
  cancel.addEventListener('click', () => dialog.close());
  form.addEventListener('submit', (e) => {
    e.preventDefault();
    if (full) {
      complain(t('alert.error.many', { n: MOST }), null);
      return;
    }
    const error = validate(kind.value, level.value, minutes.value);
    if (error) {
      complain(t(error.key), { level, minutes }[error.field]);
      return;
    }
    const every = form.elements.namedItem('every');
    create({
      S: symbol, kind: /** @type {Alert['kind']} */ (kind.value), level: parseLevel(level.value),
      minutes: kind.value === 'within' ? Number(minutes.value) : 0, every: every instanceof RadioNodeList && every.value === 'every',
    });
    dialog.close();
  });
  dialog.addEventListener('close', () => {
    dialog.remove();
    if (before instanceof HTMLElement) before.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
  choose();
  level.focus();
  level.select();
}

