import { download } from '../../browser/download.js';
import { t } from '../../text.js';
import { part } from '../../ui/common/dom.js';
import { picture } from './picture.js';

/** The page's address without credentials, which reproduces the setup. */
export const address = () => location.origin + location.pathname + location.search + location.hash;

/** The menu of the run: figures as CSV, all measurements as JSON, sentence and plots as a picture that is saved or copied. */
export class Exports {
  /** @param {{ csv: () => string, json: () => string, contents: () => import('./picture.js').Contents, announce: (text: string) => void }} parts announce: reports the outcome */
  constructor({ csv, json, contents, announce }) {
    const menu = part('export');
    /** @type {Record<string, () => Promise<Blob | null>>} */
    const kinds = {
      csv: async () => new Blob([csv()], { type: 'text/csv' }),
      json: async () => new Blob([json()], { type: 'application/json' }),
      png: () => picture(contents()),
    };
    const save = (/** @type {string} */ kind, /** @type {Blob | null} */ blob) => {
      if (!blob) return announce(t('compare.export.nothing'));
      const name = `ticklane-compare-${new Date().toISOString().slice(0, 19).replace(/[:T]/g, '-')}.${kind}`;
      download(name, blob);
      announce(t('compare.export.saved', { name }));
    };
    for (const b of menu.querySelectorAll('[data-export]')) {
      const kind = b.getAttribute('data-export') ?? '';
      b.addEventListener('click', async () => save(kind, (await kinds[kind]?.()) ?? null));
    }
    part('copy-picture').addEventListener('click', async () => {
      const blob = picture(contents());
      if (await copyPicture(blob)) announce(t('compare.export.copied'));
      else save('png', await blob);
    });
    menu.addEventListener('click', (e) => {
      if (e.target instanceof Element && e.target.closest('button')) menu.removeAttribute('open');
    });
    document.addEventListener('click', (e) => {
      if (e.target instanceof Node && !menu.contains(e.target)) menu.removeAttribute('open');
    });
    menu.addEventListener('keydown', (e) => {
      if (e.key !== 'Escape') return;
      menu.removeAttribute('open');
      menu.querySelector('summary')?.focus();
    });
  }
}

/**
 * Copies a picture. Safari accepts it only as a promise that is handed over during the click.
 * @param {Promise<Blob | null>} blob @returns {Promise<boolean>} false without a picture and where the browser forbids it
 */
async function copyPicture(blob) {
  try {
    const png = blob.then((b) => b ?? Promise.reject(new Error('no picture')));
    await navigator.clipboard.write([new ClipboardItem({ 'image/png': png })]);
    return true;
  } catch {
    return false; // no clipboard over plain HTTP, except on localhost
  }
}

/** Copies the address. @returns {Promise<boolean>} false where the browser forbids it */
export async function copyLink() {
  try {
    await navigator.clipboard.writeText(address());
    return true;
  } catch {
    return false;
  }
}
