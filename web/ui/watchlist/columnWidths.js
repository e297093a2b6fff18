import { t } from '../../text.js';
import { Stored } from '../../browser/storage.js';
import { LEAST, moveEdge, readWidths, SYMBOL_WIDTH } from '../../model/columns.js';
import { el } from '../common/dom.js';

/** @import { Widths } from '../../model/columns.js' */

const STEP = 4; // px that an arrow key moves an edge
const SYMBOL = 'symbol';

/**
 * The widths of the watchlist's columns that the user has set, kept in this browser, and the edges in the header that set them.
 * An edge is between two columns: what one gains the other loses, so that the list stays as wide as its panel. The first edge
 * is beside the symbol, which has the rest of the width. A double click, or Enter, resets both columns.
 */
export class ColumnWidths {
  /** @type {Widths} */
  own;
  #stored = new Stored('ticklane.widths', readWidths);
  #changed;
  /** @type {string[]} as shown, with the symbol */
  #ids = [];
  /** @type {number[]} px at a font size of 13 px */
  #widths = [];
  #scale = 1;

  /** @param {() => void} changed called when a width changed */
  constructor(changed) {
    this.#changed = changed;
    this.own = this.#stored.read();
    this.#stored.onChange(() => {
      this.own = this.#stored.read();
      changed();
    });
  }

  /** Takes the widths as they are shown. @param {readonly string[]} ids @param {readonly number[]} widths @param {number} symbol width of the symbol @param {number} scale of the font */
  update(ids, widths, symbol, scale) {
    this.#ids = [SYMBOL, ...ids];
    this.#widths = [symbol, ...widths];
    this.#scale = scale;
  }

  /** Resets all widths. */
  reset() {
    this.#set({}, true);
  }

  /** The edge on the left of a column's header. @param {string} id @returns {HTMLElement} */
  edge(id) {
    const edge = el('span', { class: 'resizer', role: 'separator', tabindex: '0', 'aria-orientation': 'vertical', 'aria-label': t('watch.columns.width', { name: t(`watch.columns.${id}.long`) }) });
    const at = () => this.#ids.indexOf(id);
    this.#describe(edge, at());
    edge.addEventListener('focus', () => this.#describe(edge, at()));
    edge.addEventListener('pointerdown', (e) => {
      if (e.button !== 0 || !e.isPrimary) return;
      e.preventDefault(); // neither a text selection nor the drag of the column
      e.stopPropagation();
      edge.focus({ preventScroll: true });
      this.#drag(edge, e, at());
    });
    edge.addEventListener('keydown', (e) => {
      const step = (e.shiftKey ? 5 : 1) * STEP;
      if (e.altKey || e.ctrlKey || e.metaKey) return;
      if (e.key === 'ArrowLeft') this.#move(at(), -step);
      else if (e.key === 'ArrowRight') this.#move(at(), step);
      else if (e.key === 'Enter') this.#resetBoth(at());
      else return;
      e.preventDefault();
      this.#describe(edge, at());
    });
    edge.addEventListener('dblclick', () => this.#resetBoth(at()));
    this.#describe(edge, at());
    return edge;
  }

  /** @param {HTMLElement} edge @param {PointerEvent} pressed @param {number} at */
  #drag(edge, pressed, at) {
    const before = this.own;
    const { signal, abort } = aborting();
    const [left = 0, right = 0] = this.#widths.slice(at - 1);
    edge.setPointerCapture(pressed.pointerId);
    edge.classList.add('dragged');
    const end = () => {
      abort();
      edge.classList.remove('dragged');
    };
    const keep = () => {
      end();
      if (this.own !== before) this.#set(this.own, true);
      this.#describe(edge, at);
    };
    edge.addEventListener('pointermove', (e) => this.#move(at, (e.clientX - pressed.clientX) / this.#scale, [left, right], false), { signal });
    edge.addEventListener('pointerup', keep, { signal });
    for (const type of ['pointercancel', 'lostpointercapture']) edge.addEventListener(type, keep, { signal });
    addEventListener('keydown', (e) => {
      if (e.key !== 'Escape') return;
      e.preventDefault();
      end();
      this.#set(before, false);
    }, { signal, capture: true });
  }

  /**
   * Moves the edge on the left of a column.
   * @param {number} at place of the column @param {number} by px to the right @param {readonly number[]} [from] the widths of both columns before @param {boolean} [keep]
   */
  #move(at, by, from = this.#widths.slice(at - 1), keep = true) {
    const [left = 0, right = 0] = from;
    const first = this.#ids[at - 1];
    const id = this.#ids[at];
    if (at < 1 || first === undefined || id === undefined) return;
    const [a, b] = moveEdge(left, right, by, first === SYMBOL ? SYMBOL_WIDTH : LEAST);
    if (a === this.#widths[at - 1] && b === this.#widths[at]) return;
    this.#set({ ...this.own, ...(first !== SYMBOL && { [first]: a }), [id]: b }, keep);
  }

  /** Resets the columns on both sides of an edge. @param {number} at */
  #resetBoth(at) {
    const { [this.#ids[at - 1] ?? '']: _, [this.#ids[at] ?? '']: __, ...rest } = this.own;
    this.#set(rest, true);
  }

  /** @param {Widths} own @param {boolean} keep */
  #set(own, keep) {
    this.own = own;
    if (keep) this.#stored.write(Object.keys(own).length ? { v: 1, widths: own } : undefined);
    this.#changed();
  }

  /** Gives an edge the width of its column, for screen readers. @param {HTMLElement} edge @param {number} at */
  #describe(edge, at) {
    const [left = 0, right = 0] = this.#widths.slice(at - 1);
    const least = at === 1 ? SYMBOL_WIDTH : LEAST;
    for (const [name, value] of Object.entries({ valuenow: right, valuemin: LEAST, valuemax: Math.max(right, left + right - least) })) edge.setAttribute(`aria-${name}`, String(Math.round(value)));
  }
}

function aborting() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
