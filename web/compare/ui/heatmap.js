import { t } from '../../text.js';
import { el } from '../../ui/common/dom.js';
import { colours, faded } from '../../ui/settings/theme.js';

/** @typedef {import('../../ui/settings/theme.js').Theme} Theme */
/** @typedef {import('../core/types.js').Heat} Heat */

const LEFT = 34; // px, for labels of latency
const BOTTOM = 16; // px, for labels of time
const FONT = 'system-ui,-apple-system,"Segoe UI",Roboto,sans-serif';
const STEPS = 24; // shades
const SECONDS = 120;

/**
 * Time × latency: a cell is a second and a range of latency. Its shade is the number of ticks on a logarithmic scale, so that
 * a few slow ticks are visible.
 */
export class Heatmap {
  #host;
  #canvas = el('canvas', { 'aria-hidden': 'true' });
  #colour;
  /** @type {Heat | null} */
  #heat = null;
  #name = '';
  #key = '';
  /** @type {{ faint: string, grid: string, soft: string, own: string } | null} */
  #palette = null;
  /** @type {[number, number]} rows to show, the same for both sides */
  #rows = [0, 1];

  /** @param {HTMLElement} host @param {{ theme: Theme }} parts */
  constructor(host, { theme }) {
    this.#host = host;
    this.#colour = '--a';
    host.append(this.#canvas);
    theme.on(() => {
      this.#palette = null;
      this.#draw();
    });
    new ResizeObserver(() => this.#draw()).observe(host);
  }

  get canvas() {
    return this.#canvas;
  }

  /** @param {Heat} heat @param {[number, number]} rows first and last row shown @param {string} name of the side @param {'--a' | '--b'} colour */
  set(heat, rows, name, colour) {
    // Once per second, since drawing disturbs the measurement.
    const key = `${heat.t.at(-1)} ${heat.t.length} ${rows} ${name} ${colour}`;
    if (key === this.#key) return;
    this.#key = key;
    this.#heat = heat;
    this.#rows = rows;
    if (name !== this.#name) this.#palette = null; // colours follow the side
    this.#name = name;
    this.#colour = colour;
    this.#host.setAttribute('aria-label', t('compare.heat.description', { side: name, n: heat.t.length }));
    this.#draw();
  }

  #draw() {
    const style = getComputedStyle(this.#host);
    const width = this.#host.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const height = this.#host.clientHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom);
    if (width < 40 || height < 40) return;
    const px = devicePixelRatio;
    this.#canvas.width = Math.round(width * px);
    this.#canvas.height = Math.round(height * px);
    this.#canvas.style.width = `${width}px`;
    this.#canvas.style.height = `${height}px`;
    const ctx = this.#canvas.getContext('2d');
    if (!ctx) return;
    ctx.scale(px, px);
    const c = (this.#palette ??= this.#colours());
    ctx.font = `11px ${FONT}`;
    const plot = { x: LEFT, y: 4, w: width - LEFT - 8, h: height - BOTTOM - 4 };
    this.#cells(ctx, plot, c.own);
    this.#labels(ctx, plot, c);
  }

  #colours() {
    const probe = el('i', { hidden: '' });
    probe.style.color = `var(${this.#colour})`;
    this.#host.append(probe);
    const own = getComputedStyle(probe).color;
    probe.remove();
    return { ...colours(['faint', 'grid', 'soft']), own };
  }

  /** @param {CanvasRenderingContext2D} ctx @param {{ x: number, y: number, w: number, h: number }} plot @param {string} colour */
  #cells(ctx, { x, y, w, h }, colour) {
    const heat = this.#heat;
    if (!heat?.t.length) return;
    const [from, to] = this.#rows;
    const most = Math.max(...heat.rows.map((row) => Math.max(...Array.from(row).slice(from, to + 1))));
    if (!(most > 0)) return;
    const newest = Number(heat.t.at(-1));
    const cw = w / SECONDS;
    const ch = h / (to - from + 1);
    const shades = Array.from({ length: STEPS + 1 }, (_, s) => faded(colour, 0.12 + (0.88 * s) / STEPS));
    heat.t.forEach((t, k) => {
      const column = SECONDS - 1 - Math.round((newest - t) / 1000);
      if (column < 0) return;
      for (let r = from; r <= to; r++) {
        const n = Number(heat.rows[k]?.[r] ?? 0);
        if (!n) continue;
        ctx.fillStyle = shades[most > 1 ? Math.round((Math.log(n) / Math.log(most)) * STEPS) : STEPS] ?? colour;
        ctx.fillRect(x + column * cw, y + h - (r - from + 1) * ch, cw + 0.4, ch + 0.4); // overlap hides seams
      }
    });
  }

  /** @param {CanvasRenderingContext2D} ctx @param {{ x: number, y: number, w: number, h: number }} plot @param {{ faint: string, grid: string, soft: string }} c */
  #labels(ctx, { x, y, w, h }, c) {
    const heat = this.#heat;
    if (!heat) return;
    const [from, to] = this.#rows;
    const lowest = Math.log10(Math.max(0.001, Number(heat.bounds[from])));
    const highest = Math.log10(Number(heat.bounds[to + 1]));
    ctx.fillStyle = c.faint;
    ctx.strokeStyle = c.grid;
    ctx.textAlign = 'right';
    ctx.textBaseline = 'middle';
    for (let e = Math.ceil(lowest); e <= highest; e++) {
      const at = y + h - ((e - lowest) / (highest - lowest || 1)) * h;
      ctx.beginPath();
      ctx.moveTo(x, at);
      ctx.lineTo(x + w, at);
      ctx.stroke();
      ctx.fillText(e < 0 ? (10 ** e).toFixed(-e) : String(10 ** e), x - 5, Math.min(Math.max(at, y + 5), y + h - 4));
    }
    ctx.textBaseline = 'alphabetic';
    ctx.textAlign = 'left';
    ctx.fillText(t('compare.plot.ago', { s: String(SECONDS) }), x, y + h + 13);
    ctx.textAlign = 'right';
    ctx.fillText(t('compare.plot.now'), x + w, y + h + 13);
    ctx.textAlign = 'center';
    ctx.fillStyle = c.soft;
    ctx.fillText(t('compare.plot.ms', { what: this.#name }), x + w / 2, y + h + 13);
  }
}

/**
 * The rows that contain all but the fastest thousandth of the ticks of all maps; at least two decades.
 * @param {readonly Heat[]} heats of the same bounds
 * @returns {[number, number]}
 */
export function rows(heats) {
  /** @type {number[]} */
  const sums = [];
  for (const { rows } of heats) for (const row of rows) for (let r = 0; r < row.length; r++) sums[r] = (sums[r] ?? 0) + Number(row[r]);
  const total = sums.reduce((a, b) => a + b, 0);
  if (total === 0) return [16, 32];
  let first = 0;
  for (let below = Number(sums[0]); below <= total / 1000; below += Number(sums[first])) first++;
  let last = sums.length - 1;
  while (!sums[last]) last--; // no slow tick is left out
  const spare = Math.max(0, 15 - (last - first));
  return [Math.max(1, first - Math.floor(spare / 2)), last + Math.ceil(spare / 2)];
}
