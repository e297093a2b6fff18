import { part } from '../common/dom.js';
import { panels } from '../../model/urlState.js';

/** @import { ViewState } from '../common/viewState.js' */
/** @typedef {(typeof panels)[number]} Panel */

/**
 * The panels of the market view: one at a time, chosen by tabs and kept in the address. A very wide screen shows all of
 * them; on a phone they are a sheet.
 */
export class Panels {
  #box = part('market');
  #open = part('market-open');
  #view;
  #wall = matchMedia('(min-width:2200px)');
  #tabs = panels.map((name) => part(`tab-${name}`));
  /** @type {Set<string>} ids of the panels with a height, as of the last layout: reading it in each paint would cause another */
  #visible = new Set();

  /** @param {{ view: ViewState, changed: () => void }} parts changed is called when other panels are visible */
  constructor({ view, changed }) {
    this.#view = view;
    this.changed = changed;
    panels.forEach((name, k) => this.#tabs[k]?.addEventListener('click', () => view.set({ panel: name })));
    this.#box.addEventListener('keydown', (e) => this.#key(e));
    this.#open.addEventListener('click', () => this.open(!this.#box.classList.contains('open')));
    part('market-close').addEventListener('click', () => this.open(false));
    view.on((now, before) => { if (now.panel !== before.panel) this.#show(); });
    this.#wall.addEventListener('change', () => this.#show());
    const sizes = new ResizeObserver((entries) => {
      for (const { target, contentRect } of entries) this.#visible[contentRect.height > 0 ? 'add' : 'delete'](target.id);
      this.changed();
    });
    for (const name of panels) sizes.observe(part(`panel-${name}`));
    this.#show();
  }

  /** Reports whether a panel is visible. @param {Panel} name */
  visible(name) {
    return this.#visible.has(`panel-${name}`);
  }

  /** Opens or closes the sheet on a phone; elsewhere the panels are always visible. @param {boolean} open @param {Panel} [name] */
  open(open, name) {
    if (name) this.#view.set({ panel: name });
    this.#box.classList.toggle('open', open);
    this.#open.setAttribute('aria-expanded', String(open));
    if (this.#open.checkVisibility()) (open ? part('market-close') : this.#open).focus();
  }

  #show() {
    panels.forEach((name, k) => {
      const chosen = name === this.#view.now.panel;
      const tab = this.#tabs[k];
      tab?.setAttribute('aria-selected', String(chosen));
      tab?.setAttribute('tabindex', chosen ? '0' : '-1');
      const panel = part(`panel-${name}`);
      panel.hidden = !chosen && !this.#wall.matches;
      panel.setAttribute('role', this.#wall.matches ? 'region' : 'tabpanel');
    });
  }

  /** @param {KeyboardEvent} e */
  #key(e) {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.key === 'Escape' && this.#box.classList.contains('open') && !e.defaultPrevented) {
      this.open(false);
      return;
    }
    const at = this.#tabs.indexOf(/** @type {HTMLElement} */ (e.target));
    if (at < 0) return;
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: panels.length - 1 }[e.key];
    if (to === undefined) return;
    e.preventDefault();
    const k = (to + panels.length) % panels.length;
    this.#view.set({ panel: panels[k] });
    this.#tabs[k]?.focus();
  }
}
