// The dialog that names the lines which correct a proxy's configuration, loaded on demand.
import proxies from '../../../docs/proxies.md';
import { proxyLines } from '../../lane/proxyLines.js';
import { t } from '../../text.js';
import { el } from '../common/dom.js';

/** @import { Fault } from '../../lane/diagnosis.js' */

/** @param {string} line "no …" for one to remove */
const row = (line) => {
  const own = line.replace(/^no /, '');
  return el('li', {}, own === line ? '' : `${t('proxy.remove')} `, el('code', {}, own));
};

/** @param {Fault} fault @param {() => void} closed */
export function openProxyDialog(fault, closed) {
  const before = document.activeElement;
  const programs = Object.entries(proxyLines[fault]);
  const right = programs.filter(([, lines]) => lines.length === 0).map(([name]) => name);
  const list = el('dl', { class: 'proxy-lines' });
  for (const [name, lines] of programs) if (lines.length > 0) list.append(el('div', {}, el('dt', {}, name), el('dd', {}, el('ul', {}, ...lines.map(row)))));
  const dialog = el('dialog', { class: 'keys wide', 'aria-labelledby': 'proxy-title' },
    el('form', { method: 'dialog', class: 'settings-head' }, el('h2', { id: 'proxy-title' }, t('proxy.title')), el('span', { class: 'sp' }),
      el('button', { class: 'icon', 'aria-label': t('proxy.close') }, '✕')),
    el('p', {}, t(`proxy.fault.${fault}`)), el('p', { class: 'soft' }, t('proxy.how')), list);
  if (right.length > 0) dialog.append(el('p', { class: 'soft' }, t('proxy.right', { names: right.join(', ') })));
  dialog.append(el('p', { class: 'faint' }, `${t('proxy.docs')} `, el('a', { href: String(new URL(proxies, import.meta.url)), target: '_blank', rel: 'noopener', hreflang: 'en' }, 'docs/proxies.md')));
  dialog.addEventListener('click', (e) => { if (e.target === dialog) dialog.close(); });
  dialog.addEventListener('close', () => {
    closed();
    dialog.remove();
    if (before instanceof HTMLElement && before.isConnected) before.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
}
