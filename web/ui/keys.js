import { byId, part } from './dom.js';

/**
 * Keys of the whole page. They hold unless something is being typed or a dialog is open; Space is left to buttons.
 * @param {{ search: () => void, lane: () => void, pause: () => void, theme: () => void, settings: () => void, star: () => void, alert: () => void }} actions
 */
export function listen({ search, lane, pause, theme, settings, star, alert }) {
  const dialog = byId('keys', HTMLDialogElement);
  const help = () => dialog.showModal();
  part('keys-open').addEventListener('click', help);
  /** @type {Record<string, () => void>} */
  const keys = { '/': search, l: lane, p: pause, ' ': pause, t: theme, ',': settings, s: star, a: alert, '?': help };
  document.addEventListener('keydown', (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.repeat || e.defaultPrevented || document.querySelector('dialog[open]')) return;
    const { target } = e;
    if (target instanceof HTMLInputElement || target instanceof HTMLSelectElement) return;
    if (e.key === ' ' && target instanceof Element && target.closest('button,a,summary')) return;
    const action = keys[e.key.length === 1 ? e.key.toLowerCase() : e.key];
    if (!action) return;
    e.preventDefault();
    action();
  });
}
