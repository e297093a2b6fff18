import { download } from '../../browser/download.js';
import { pageAddress } from '../../browser/http.js';
import { t } from '../../text.js';
import { part } from '../../ui/common/dom.js';
import { colours } from '../../ui/settings/theme.js';

/** @typedef {{ title: string, canvas: HTMLCanvasElement | null }} Picture */

const GAP = 16; // px
const TITLE = 22; // px
const WIDTH = 640; // px of a column

/** Files of the run: figures as CSV, all measurements as JSON, plots as PNG. */
export class Exports {
  /** @param {{ csv: () => string, json: () => string, plots: () => Picture[], announce: (text: string) => void }} parts announce: reports the outcome */
  constructor({ csv, json, plots, announce }) {
    const menu = part('export');
    /** @type {Record<string, () => Promise<Blob | null>>} */
    const kinds = {
      csv: async () => new Blob([csv()], { type: 'text/csv' }),
      json: async () => new Blob([json()], { type: 'application/json' }),
      png: () => picture(plots()),
    };
    for (const b of menu.querySelectorAll('[data-export]')) {
      b.addEventListener('click', async () => {
        const kind = b.getAttribute('data-export') ?? '';
        const blob = await kinds[kind]?.();
        if (!blob) return announce(t('compare.export.nothing'));
        const name = `ticklane-compare-${new Date().toISOString().slice(0, 19).replace(/[:T]/g, '-')}.${kind}`;
        download(name, blob);
        announce(t('compare.export.saved', { name }));
      });
    }
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

/** All plots on one sheet in two columns. @param {Picture[]} pictures @returns {Promise<Blob | null>} null when all are empty */
async function picture(pictures) {
  const below = [GAP, GAP];
  const placed = pictures.flatMap(({ title, canvas }) => {
    if (!canvas || canvas.width === 0) return [];
    const column = Number(below[0]) <= Number(below[1]) ? 0 : 1;
    const height = (canvas.height * WIDTH) / canvas.width;
    const y = Number(below[column]);
    below[column] = y + TITLE + height + GAP;
    return [{ title, canvas, height, x: GAP + column * (WIDTH + GAP), y }];
  });
  if (!placed.length) return null;
  const c = colours(['panel', 'text', 'soft']);
  const foot = Math.max(...below);
  const sheet = document.createElement('canvas');
  sheet.width = 2 * WIDTH + 3 * GAP;
  sheet.height = Math.ceil(foot + TITLE);
  const ctx = sheet.getContext('2d');
  if (!ctx) return null;
  ctx.fillStyle = c.panel;
  ctx.fillRect(0, 0, sheet.width, sheet.height);
  ctx.textBaseline = 'top';
  ctx.font = '12px system-ui,sans-serif';
  ctx.fillStyle = c.text;
  for (const { title, canvas, height, x, y } of placed) {
    ctx.fillText(title, x, y);
    ctx.drawImage(canvas, x, y + TITLE, WIDTH, height);
  }
  ctx.fillStyle = c.soft;
  ctx.fillText(`Ticklane · ${new Date().toISOString()} · ${pageAddress()}`, GAP, foot);
  return new Promise((done) => sheet.toBlob(done, 'image/png'));
}

/** Copies the address, which reproduces the setup. @returns {Promise<boolean>} false where the browser forbids it */
export async function copyLink() {
  try {
    await navigator.clipboard.writeText(pageAddress());
    return true;
  } catch {
    return false; // no clipboard over plain HTTP, except on localhost
  }
}
