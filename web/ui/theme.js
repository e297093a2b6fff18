import { part } from './dom.js';
import { write } from './prefs.js';

// public/theme.js sets what was chosen before; here it is changed.

/** @returns {'dark' | 'light'} the theme in force, chosen or the system's */
function current() {
  const chosen = document.documentElement.dataset.theme;
  if (chosen === 'dark' || chosen === 'light') return chosen;
  return matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark';
}

/** Theme and colours of up and down: buttons, storage, and word to those who paint on a canvas. */
export class Theme {
  /** @type {Set<() => void>} */
  #listeners = new Set();

  constructor() {
    for (const b of document.querySelectorAll('#theme,#theme-sheet')) b.addEventListener('click', () => this.toggle());
    const colours = part('colours');
    const root = document.documentElement;
    const show = () => colours.setAttribute('aria-pressed', String('cvd' in root.dataset));
    show();
    colours.addEventListener('click', () => {
      if ('cvd' in root.dataset) delete root.dataset.cvd;
      else root.dataset.cvd = '';
      write('colours', 'cvd' in root.dataset ? 'cvd' : '');
      show();
      this.#tell();
    });
    matchMedia('(prefers-color-scheme: light)').addEventListener('change', () => this.#tell());
  }

  toggle() {
    const theme = current() === 'dark' ? 'light' : 'dark';
    document.documentElement.dataset.theme = theme;
    write('theme', theme);
    this.#tell();
  }

  /** @param {() => void} fn called after each change of a colour */
  on(fn) {
    this.#listeners.add(fn);
  }

  #tell() {
    for (const fn of this.#listeners) fn();
  }
}

/**
 * The present value of colour tokens, for a canvas. A custom property reads back as it was written, light-dark()
 * included, so an element has to wear it.
 * @template {string} N
 * @param {readonly N[]} names without the dashes
 * @returns {Record<N, string>} as rgb(…)
 */
export function colours(names) {
  const probe = document.createElement('i');
  probe.hidden = true;
  document.body.append(probe);
  const out = /** @type {Record<N, string>} */ ({});
  for (const n of names) {
    probe.style.color = `var(--${n})`;
    out[n] = getComputedStyle(probe).color;
  }
  probe.remove();
  return out;
}

/** @param {string} rgb @param {number} alpha 0 to 1 */
export const faded = (rgb, alpha) => rgb.replace('rgb(', 'rgba(').replace(')', `, ${alpha})`);
