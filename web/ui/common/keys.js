import { byId, part } from './dom.js';

/** Reports whether an input method handles a key, such as Enter while typing Chinese. Safari reports it only by the key code. @param {KeyboardEvent} e */
export const composing = (e) => e.isComposing || e.keyCode === 229;

/**
 * Handles the page's keyboard shortcuts, and the dialog that lists them. They are inactive in input fields, while a dialog
 * is open, and when the settings turn them off (WCAG 2.1.4). Space keeps what it does on the focused element.
 * @param {Record<string, () => void>} keys actions by KeyboardEvent.key in lower case
 */
export function listen(keys) {
  const dialog = byId('keys', HTMLDialogElement);
  const help = () => dialog.showModal();
  part('keys-open').addEventListener('click', help);
  /** @type {Record<string, () => void>} */
  const all = { ...keys, '?': help };
  document.addEventListener('keydown', (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.repeat || e.defaultPrevented || document.querySelector('dialog[open]')) return;
    if (document.documentElement.dataset.shortcuts === 'off') return;
    const { target } = e;
    if (target instanceof HTMLInputElement || target instanceof HTMLSelectElement) return;
    if (e.key === ' ' && target instanceof Element && usesSpace(target)) return;
    const action = all[e.key.length === 1 ? e.key.toLowerCase() : e.key];
    if (!action) return;
    e.preventDefault();
    action();
  });
}

/** Reports whether Space presses or scrolls an element, or a box around it other than the page. @param {Element} target */
function usesSpace(target) {
  if (target.closest('button,a,summary')) return true;
  for (let e = target; e !== document.body && e.parentElement; e = e.parentElement) {
    if (e.scrollHeight > e.clientHeight && /auto|scroll/.test(getComputedStyle(e).overflowY)) return true;
  }
  return false;
}
