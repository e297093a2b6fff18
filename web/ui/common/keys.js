import { byId, part } from './dom.js';

/** Reports whether an input method handles a key, such as Enter while typing Chinese. Safari reports it only by the key code. @param {KeyboardEvent} e */
export const composing = (e) => e.isComposing || e.keyCode === 229;

/**
 * Handles the page's keyboard shortcuts, and the dialog that lists them. They are inactive in input fields and while a
 * dialog is open; Space on a button presses it.
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
    const { target } = e;
    if (target instanceof HTMLInputElement || target instanceof HTMLSelectElement) return;
    if (e.key === ' ' && target instanceof Element && target.closest('button,a,summary')) return;
    const action = all[e.key.length === 1 ? e.key.toLowerCase() : e.key];
    if (!action) return;
    e.preventDefault();
    action();
  });
}
