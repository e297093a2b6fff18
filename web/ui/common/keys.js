import { byId, part } from './dom.js';

/** Whether a key belongs to an input method, which takes Enter, Escape and arrows for itself: Chinese is typed with one. Safari says it by the code alone. @param {KeyboardEvent} e */
export const composing = (e) => e.isComposing || e.keyCode === 229;

/**
 * Keys of the whole page, and the dialog that names them. They hold unless something is being typed or a dialog is open;
 * Space is left to buttons.
 * @param {Record<string, () => void>} keys what each does, by KeyboardEvent.key in small letters
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
