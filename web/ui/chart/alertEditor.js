import { fromUnits } from '../../model/units.js';
import { t } from '../../text.js';
import { el } from '../common/dom.js';

const HEIGHT = 40; // px, about the editor's

/**
 * Shows a small form beside an alert's line. It is removed when it is done, by Escape, and when the focus leaves it.
 * @param {HTMLElement} root of the chart
 * @param {object} options
 * @param {number} options.y px of the line
 * @param {number} options.right px from the right edge
 * @param {string} options.label of the field
 * @param {number} options.level
 * @param {number} options.decimals of the level
 * @param {boolean} options.fresh the alert does not exist yet
 * @param {(level: string) => string} options.save returns what is wrong, or ''
 * @param {() => void} options.more opens the dialog
 * @param {() => void} options.remove
 * @param {(focused: boolean) => void} options.closed focused: the focus was in it
 */
export function openAlertEditor(root, { y, right, label, level, decimals, fresh, save, more, remove, closed }) {
  const field = el('input', { type: 'number', step: String(fromUnits(1, decimals)), value: level.toFixed(decimals), 'aria-label': label, autocomplete: 'off' });
  const button = (/** @type {string} */ text, /** @type {() => void} */ fn) => {
    const b = el('button', { type: 'button', class: 'button' }, text);
    b.addEventListener('click', () => {
      close();
      fn();
    });
    return b;
  };
  const drop = button('✕', fresh ? () => {} : remove);
  drop.setAttribute('aria-label', t(fresh ? 'alert.cancel' : 'chart.alert.remove'));
  drop.title = drop.getAttribute('aria-label') ?? '';
  const form = el('form', { class: 'alert-edit', novalidate: '' }, field, el('button', { class: 'button' }, t(fresh ? 'alert.create' : 'alert.save')), button(t('chart.alert.more'), more), drop);
  let open = true;
  const close = () => {
    if (!open) return;
    open = false;
    const focused = form.contains(document.activeElement);
    form.remove();
    closed(focused);
  };
  form.addEventListener('submit', (e) => {
    e.preventDefault();
    const wrong = save(field.value);
    if (!wrong) return close();
    field.setCustomValidity(wrong);
    field.reportValidity();
  });
  field.addEventListener('input', () => field.setCustomValidity(''));
  form.addEventListener('keydown', (e) => {
    e.stopPropagation(); // no shortcuts
    if (e.key === 'Escape') close();
  });
  form.addEventListener('focusout', (e) => { if (!(e.relatedTarget instanceof Node && form.contains(e.relatedTarget))) close(); });
  form.style.right = `${right}px`;
  form.style.top = `${Math.max(4, Math.min(y - HEIGHT - 4, root.clientHeight - HEIGHT))}px`;
  root.append(form);
  field.focus();
  field.select();
  return close;
}
