import uPlot from 'uplot';
import { t } from '../../text.js';
import { el, setText } from '../../ui/common/dom.js';
import { colours } from '../../ui/settings/theme.js';

/** @typedef {import('../../ui/settings/theme.js').Theme} Theme */
/** @typedef {(number | null)[][]} Columns x first, then one column for each series */

const names = /** @type {const} */ (['sse', 'ws', 'soft', 'text', 'faint', 'grid', 'line', 'bad', 'panel', 'edge', 'warn']);
/** @typedef {Record<(typeof names)[number], string>} Palette */

const FONT = '11px system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif';

/**
 * A uPlot that follows the size of its box, the theme and the series. uPlot cannot change colours, so it is created again
 * when the theme changes.
 */
export class Plot {
  #host;
  #make;
  #describe;
  /** @type {uPlot | null} */
  #plot = null;
  /** @type {Columns | null} */
  #data = null;
  #empty = el('p', { class: 'no-data' }, t('compare.plot.none'));
  #readout = el('p', { class: 'readout' });

  /**
   * @param {HTMLElement} host
   * @param {object} how
   * @param {Theme} how.theme
   * @param {(c: Palette) => Omit<uPlot.Options, 'width' | 'height'>} how.make scales, series, axes and hooks
   * @param {(columns: Columns, k: number) => string} how.describe describes the values at an index of x, under the pointer
   */
  constructor(host, { theme, make, describe }) {
    this.#host = host;
    this.#make = make;
    this.#describe = describe;
    this.#readout.hidden = true;
    host.append(this.#empty, this.#readout);
    theme.on(() => this.rebuild());
    new ResizeObserver(() => this.#fit()).observe(host);
  }

  /** The canvas, for an export; null while empty. */
  get canvas() {
    return this.#plot?.ctx.canvas ?? null;
  }

  /** @param {Columns | null} columns null for none @param {string} [reason] text to show instead */
  set(columns, reason = t('compare.plot.none')) {
    this.#data = columns;
    this.#empty.hidden = columns !== null;
    if (columns === null) {
      setText(this.#empty, reason);
      this.#drop();
      return;
    }
    if (this.#plot) this.#plot.setData(/** @type {any} */ (columns));
    else this.rebuild();
  }

  /** Removes the plot; the next data may have another number of series. */
  clear() {
    this.#data = null;
    this.#drop();
  }

  /** Creates the plot again, with the current colours and names. */
  rebuild() {
    this.#drop();
    const { width, height } = this.#size();
    if (!this.#data || width < 40 || height < 40) return;
    this.#plot = new uPlot(this.#options(width, height), /** @type {any} */ (this.#data), this.#host);
  }

  #drop() {
    this.#plot?.destroy();
    this.#plot = null;
    this.#readout.hidden = true;
  }

  #size() {
    const style = getComputedStyle(this.#host);
    return {
      width: Math.floor(this.#host.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight)),
      height: Math.floor(this.#host.clientHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom)),
    };
  }

  #fit() {
    const { width, height } = this.#size();
    if (!this.#plot) this.rebuild();
    else if (this.#plot.width !== width || this.#plot.height !== height) this.#plot.setSize({ width, height });
  }

  /** @param {number} width @param {number} height @returns {uPlot.Options} */
  #options(width, height) {
    const c = colours(names);
    const options = this.#make(c);
    const axis = { font: FONT, stroke: c.faint, grid: { stroke: c.grid, width: 1 }, ticks: { show: false }, gap: 4 };
    return {
      padding: [10, 12, 0, 8],
      ...options,
      width,
      height,
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false, setScale: false }, points: { size: 5 } },
      axes: (options.axes ?? []).map((a) => ({ ...axis, ...a, grid: { ...axis.grid, ...a.grid } })),
      hooks: { ...options.hooks, setCursor: [(u) => this.#showReadout(u)] },
    };
  }

  /** @param {uPlot} u */
  #showReadout(u) {
    const k = u.cursor.idx;
    const shown = this.#data !== null && k !== null && k !== undefined && (u.cursor.left ?? -1) >= 0;
    this.#readout.hidden = !shown;
    if (shown && this.#data) setText(this.#readout, this.#describe(this.#data, k));
  }
}

/**
 * Draws a dashed vertical line with a label.
 * @param {uPlot} u @param {number} x value on the x scale @param {string} colour @param {string} [label] @param {number} [row] of the label, from the top
 */
export function mark(u, x, colour, label = '', row = 0) {
  const { ctx, bbox } = u;
  const at = Math.round(u.valToPos(x, 'x', true));
  if (at < bbox.left || at > bbox.left + bbox.width) return;
  const px = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.fillStyle = colour;
  ctx.lineWidth = px;
  ctx.setLineDash([3 * px, 3 * px]);
  ctx.beginPath();
  ctx.moveTo(at, bbox.top);
  ctx.lineTo(at, bbox.top + bbox.height);
  ctx.stroke();
  if (label) {
    ctx.font = FONT.replace('11px', `${11 * px}px`);
    const left = at + ctx.measureText(label).width + 6 * px > bbox.left + bbox.width;
    ctx.textAlign = left ? 'right' : 'left';
    ctx.textBaseline = 'top';
    ctx.fillText(label, at + (left ? -4 : 4) * px, bbox.top + row * 13 * px);
  }
  ctx.restore();
}
