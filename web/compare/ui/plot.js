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
 * One uPlot in a box that may change its size, its colours and its series. uPlot keeps colours from its making, so a
 * change of the theme makes it anew.
 */
export class Plot {
  #host;
  #make;
  #describe;
  /** @type {uPlot | null} */
  #plot = null;
  /** @type {Columns | null} */
  #data = null;
  #nothing = el('p', { class: 'nothing' }, t('compare.plot.none'));
  #readout = el('p', { class: 'readout' });

  /**
   * @param {HTMLElement} host
   * @param {object} how
   * @param {Theme} how.theme
   * @param {(c: Palette) => Omit<uPlot.Options, 'width' | 'height'>} how.make scales, series, axes and hooks
   * @param {(columns: Columns, k: number) => string} how.describe the values at an index of x, for the pointer
   */
  constructor(host, { theme, make, describe }) {
    this.#host = host;
    this.#make = make;
    this.#describe = describe;
    this.#readout.hidden = true;
    host.append(this.#nothing, this.#readout);
    theme.on(() => this.rebuild());
    new ResizeObserver(() => this.#fit()).observe(host);
  }

  /** The canvas, for an export; null while there is nothing on it. */
  get canvas() {
    return this.#plot?.ctx.canvas ?? null;
  }

  /** @param {Columns | null} columns null while there is nothing to show @param {string} [why] then told instead */
  set(columns, why = t('compare.plot.none')) {
    this.#data = columns;
    this.#nothing.hidden = columns !== null;
    if (columns === null) {
      setText(this.#nothing, why);
      this.#drop();
      return;
    }
    if (this.#plot) this.#plot.setData(/** @type {any} */ (columns));
    else this.rebuild();
  }

  /** Makes the plot anew, with the theme's colours and the sides' names as they are now. */
  rebuild() {
    this.#drop();
    const { width, height } = this.#room();
    if (!this.#data || width < 40 || height < 40) return;
    this.#plot = new uPlot(this.#options(width, height), /** @type {any} */ (this.#data), this.#host);
  }

  #drop() {
    this.#plot?.destroy();
    this.#plot = null;
    this.#readout.hidden = true;
  }

  #room() {
    const style = getComputedStyle(this.#host);
    return {
      width: Math.floor(this.#host.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight)),
      height: Math.floor(this.#host.clientHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom)),
    };
  }

  #fit() {
    const { width, height } = this.#room();
    if (!this.#plot) this.rebuild();
    else if (this.#plot.width !== width || this.#plot.height !== height) this.#plot.setSize({ width, height });
  }

  /** @param {number} width @param {number} height @returns {uPlot.Options} */
  #options(width, height) {
    const c = colours(names);
    const own = this.#make(c);
    const axis = { font: FONT, stroke: c.faint, grid: { stroke: c.grid, width: 1 }, ticks: { show: false }, gap: 4 };
    return {
      padding: [10, 12, 0, 8],
      ...own,
      width,
      height,
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false, setScale: false }, points: { size: 5 } },
      axes: (own.axes ?? []).map((a) => ({ ...axis, ...a, grid: { ...axis.grid, ...a.grid } })),
      hooks: { ...own.hooks, setCursor: [(u) => this.#tell(u)] },
    };
  }

  /** @param {uPlot} u */
  #tell(u) {
    const k = u.cursor.idx;
    const shown = this.#data !== null && k !== null && k !== undefined && (u.cursor.left ?? -1) >= 0;
    this.#readout.hidden = !shown;
    if (shown && this.#data) setText(this.#readout, this.#describe(this.#data, k));
  }
}

/**
 * Draws a dashed upright line at an x, with a word beside it.
 * @param {uPlot} u @param {number} x value on the x scale @param {string} colour @param {string} [word] @param {number} [row] how many words stand above this one
 */
export function mark(u, x, colour, word = '', row = 0) {
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
  if (word) {
    ctx.font = FONT.replace('11px', `${11 * px}px`);
    const left = at + ctx.measureText(word).width + 6 * px > bbox.left + bbox.width;
    ctx.textAlign = left ? 'right' : 'left';
    ctx.textBaseline = 'top';
    ctx.fillText(word, at + (left ? -4 : 4) * px, bbox.top + row * 13 * px);
  }
  ctx.restore();
}
