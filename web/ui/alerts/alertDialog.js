// The dialog that creates or edits an alert, loaded on demand.
import { price } from '../../model/formats.js';
import { isPriced, kinds, levelError, levelPlaces, parseLevel, reached } from '../../model/alerts.js';
import { decimals } from '../../model/instruments.js';
import { fromUnits, round } from '../../model/units.js';
import { t } from '../../text.js';
import { MOST } from './alertStore.js';
import { armsText, conditionOnly, errorText } from './alertText.js';
import { el, setText } from '../common/dom.js';

/** @import { SymbolRecord } from '../../types.js' */
/** @import { Alert } from '../../model/alerts.js' */
/** @import { NewAlert } from './sharedAlerts.js' */

const PACE = 500; // ms between updates of the price

/**
 * Validates the fields. Returns the error and the invalid field, or null.
 * @param {string} S @param {string} kind @param {string} level @param {string} minutes
 * @returns {{ key: import('../../model/alerts.js').LevelError, field: 'level' } | { key: 'minutes', field: 'minutes' } | null}
 */
export function validate(S, kind, level, minutes) {
  const key = levelError({ S, kind, level: parseLevel(level) });
  if (key) return { key, field: 'level' };
  const m = Number(minutes);
  if (kind === 'within' && !(Number.isInteger(m) && m >= 1 && m <= 60)) return { key: 'minutes', field: 'minutes' };
  return null;
}

/** The level that a new alert starts with, a per cent from the last price. @param {SymbolRecord} r @param {boolean} up */
const suggested = (r, up) => round(r.p + (up ? 0.01 : -0.01) * Math.abs(r.p), decimals(r.S));

/**
 * Opens the dialog. An alert that is true already can be created only after the dialog has said so.
 * @param {object} options
 * @param {string} options.symbol
 * @param {() => SymbolRecord | undefined} options.quote the symbol's newest quote
 * @param {Partial<Readonly<Alert>>} [options.alert] the first values; one with an id is edited
 * @param {boolean} options.full no more alerts can be created
 * @param {(alert: NewAlert, now: boolean) => void} options.save now: fire at once if it is true already
 */
export function openAlertDialog({ symbol, quote, alert = {}, full, save }) {
  const before = document.activeElement;
  const editing = alert.id !== undefined;
  const kind = el('select', { id: 'alert-kind' }, ...kinds.map((k) => el('option', { value: k }, t(`alert.kind.${k}`))));
  const level = el('input', { id: 'alert-level', type: 'number', step: 'any', required: '', autocomplete: 'off', 'aria-describedby': 'alert-wrong' });
  const name = el('label', { for: 'alert-level' });
  const minutes = el('input', { id: 'alert-minutes', type: 'number', min: '1', max: '60', step: '1', value: '5', 'aria-describedby': 'alert-wrong' });
  const within = el('div', { class: 'field' }, el('label', { for: 'alert-minutes' }, t('alert.minutes')), minutes);
  const radio = (/** @type {string} */ group, /** @type {string} */ value, /** @type {Node | string} */ text, /** @type {boolean} */ checked) =>
    el('label', {}, el('input', { type: 'radio', name: group, value, ...(checked && { checked: '' }) }), el('span', {}, text));
  const already = el('p', { id: 'alert-true', role: 'status' });
  const wait = el('span');
  const choice = el('fieldset', { class: 'already', 'aria-labelledby': 'alert-true' }, radio('now', 'wait', wait, true), radio('now', 'fire', t('alert.true.fire'), false));
  const note = el('p', { class: 'alert-wrong', id: 'alert-wrong', role: 'alert' });
  const cancel = el('button', { type: 'button', class: 'link' }, t('alert.cancel'));
  const last = el('p', { class: 'soft' });
  const form = el('form', { method: 'dialog', novalidate: '' },
    el('h2', { id: 'alert-title' }, t('alert.title', { symbol })), last,
    el('div', { class: 'field' }, el('label', { for: 'alert-kind' }, t('alert.when')), kind),
    el('div', { class: 'field' }, name, level), within,
    el('fieldset', { class: 'repeat' }, el('legend', {}, t('alert.repeat')), radio('every', 'once', t('alert.once'), !alert.every), radio('every', 'every', t('alert.every'), alert.every === true)),
    already, choice, note,
    el('div', { class: 'alert-foot' }, el('button', { class: 'button' }, t(editing ? 'alert.save' : 'alert.create')), el('span', { class: 'sp' }), cancel));
  const dialog = el('dialog', { class: 'keys settings alert-dialog', id: 'alert', 'aria-labelledby': 'alert-title' }, form);

  const chosen = (/** @type {string} */ group) => {
    const radios = form.elements.namedItem(group);
    return radios instanceof RadioNodeList ? radios.value : '';
  };
  /** @returns {NewAlert} */
  const fields = () => ({
    S: symbol, kind: /** @type {Alert['kind']} */ (kind.value), level: parseLevel(level.value),
    minutes: kind.value === 'within' ? Number(minutes.value) : 0, every: chosen('every') === 'every',
  });
  const priced = () => isPriced({ kind: kind.value });
  const suggest = () => {
    const r = quote();
    level.value = priced() ? (r ? suggested(r, kind.value === 'above').toFixed(decimals(symbol)) : '') : kind.value === 'day' ? '3' : '1';
    choose();
    level.select();
  };
  const choose = () => {
    name.textContent = t(priced() ? 'alert.level' : 'alert.percent');
    level.step = String(fromUnits(1, levelPlaces(fields())));
    within.hidden = kind.value !== 'within';
    complain('', null);
    check();
  };
  /** Shows the price, and whether the alert is true already. */
  const check = () => {
    const r = quote();
    setText(last, r ? `${t('watch.columns.last')} ${price(r.p, decimals(symbol))}` : '');
    const a = { ...fields(), n: alert.n ?? 0 };
    const is = !validate(symbol, kind.value, level.value, minutes.value) && reached(a, r);
    choice.hidden = !is;
    const what = is ? t('alert.true', { what: conditionOnly(a) }) : '';
    if (already.textContent !== what) setText(already, what);
    if (is) setText(wait, t('alert.true.wait', { when: armsText(a) }));
  };
  const complain = (/** @type {string} */ text, /** @type {HTMLInputElement | null} */ field) => {
    note.textContent = text;
    for (const f of [level, minutes]) f.setAttribute('aria-invalid', String(f === field));
    field?.focus();
  };
  kind.addEventListener('change', suggest);
  form.addEventListener('input', check);
  cancel.addEventListener('click', () => dialog.close());
  form.addEventListener('submit', (e) => {
    e.preventDefault();
    if (full && !editing) {
      complain(t('alert.error.many', { n: MOST }), null);
      return;
    }
    const error = validate(symbol, kind.value, level.value, minutes.value);
    if (error) {
      complain(error.field === 'minutes' ? t('alert.error.minutes') : errorText(error.key, fields()), { level, minutes }[error.field]);
      return;
    }
    const shown = !choice.hidden;
    check();
    if (!choice.hidden && !shown) { // the price has moved there meanwhile
      choice.querySelector('input')?.focus();
      return;
    }
    save(fields(), !choice.hidden && chosen('now') === 'fire');
    dialog.close();
  });
  const timer = setInterval(check, PACE);
  dialog.addEventListener('close', () => {
    clearInterval(timer);
    dialog.remove();
    if (before instanceof HTMLElement) before.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
  if (alert.kind) kind.value = alert.kind;
  if (alert.minutes) minutes.value = String(alert.minutes);
  if (alert.level === undefined) {
    suggest();
  } else {
    level.value = priced() ? alert.level.toFixed(decimals(symbol)) : String(alert.level);
    choose();
  }
  level.focus();
  level.select();
}
