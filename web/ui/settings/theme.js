/** @import { Settings } from './settings.js' */

/** Notifies views that paint on a canvas, where styles don't apply, of changed colours. */
export class Theme {
  /** @type {Set<() => void>} */
  #listeners = new Set();
  #settings;

  /** @param {Settings} settings */
  constructor(settings) {
    this.#settings = settings;
    settings.on((now, before) => {
      if (now.theme !== before.theme || now.colours !== before.colours) this.#notify();
    });
    matchMedia('(prefers-color-scheme: light)').addEventListener('change', () => this.#notify());
    for (const when of ['beforeprint', 'afterprint']) {
      addEventListener(when, () => document.documentElement.toggleAttribute('data-inverted', when === 'beforeprint' && !this.#light));
    }
  }

  get #light() {
    const { theme } = this.#settings.now;
    return theme === 'system' ? matchMedia('(prefers-color-scheme: light)').matches : theme === 'light';
  }

  /** Switches between dark and light. */
  toggle() {
    this.#settings.set({ theme: this.#light ? 'dark' : 'light' });
  }

  /** @param {() => void} fn called after each change of a colour */
  on(fn) {
    this.#listeners.add(fn);
  }

  #notify() {
    for (const fn of this.#listeners) fn();
  }
}

/** The system colours that replace the tokens with forced colours. @type {Record<string, string>} */
const system = { panel: 'canvas', raise: 'canvas', bg: 'canvas', grid: 'canvas', line: 'graytext', edge: 'graytext', 'average-a': 'linktext', 'average-b': 'highlight', sse: 'linktext', down: 'graytext' };

/**
 * The computed values of colour tokens, for a canvas. A custom property is returned as written, with light-dark(), so it is
 * applied to an element first.
 * @template {string} N
 * @param {readonly N[]} names without the dashes
 * @returns {Record<N, string>} as rgb(…)
 */
export function colours(names) {
  const forced = matchMedia('(forced-colors: active)').matches;
  const probe = document.createElement('i');
  probe.hidden = true;
  probe.style.setProperty('forced-color-adjust', 'none');
  document.body.append(probe);
  const out = /** @type {Record<N, string>} */ ({});
  for (const n of names) {
    probe.style.color = forced ? system[n] ?? 'canvastext' : `var(--${n})`;
    out[n] = getComputedStyle(probe).color;
  }
  probe.remove();
  return out;
}

/** The line of a chart's second side: dashed with forced colours, where its colour may look like the first's. */
export const patterned = () => (matchMedia('(forced-colors: active)').matches ? { dash: [6, 3] } : {});

/** @param {string} rgb @param {number} alpha 0 to 1 */
export const faded = (rgb, alpha) => rgb.replace('rgb(', 'rgba(').replace(')', `, ${alpha})`);
