import { percent, signed } from '../../model/formats.js';
import { fullName } from '../../model/instruments.js';
import { t } from '../../text.js';
import { el, part, setText } from '../common/dom.js';
import { sectorName } from '../../model/order.js';
import { legend, palette, step } from '../../model/heatColors.js';
import { colours } from '../settings/theme.js';
import { layout, neighbour, tileAt } from '../../model/treemap.js';

/** @import { Listing } from '../../model/order.js' */
/** @import { Sector, Tile } from '../../model/treemap.js' */

const PACE = 250; // ms between paints
const TABLE = 5000; // ms between updates of the table for screen readers
const EDGE = 1; // px left free at a tile's right and bottom

/**
 * The heat map: a tile's size is the company's value, its colour the change since the last close. Changed tiles are painted
 * on a canvas; the keyboard moves over them as over the options of a list.
 */
export class Heatmap {
  #box = part('heat');
  #table = part('heat-table');
  #tip = part('heat-tip');
  #canvas = el('canvas', { 'aria-hidden': 'true' });
  /** Two, since a screen reader reads an option that becomes active, not one whose text changes. */
  /** @type {[HTMLElement, HTMLElement]} */
  #options = [el('div', { role: 'option', id: 'heat-a' }), el('div', { role: 'option', id: 'heat-b' })];
  #view;
  #quotes;
  #frames;
  /** @type {readonly Listing[]} */
  #listings = [];
  /** @type {Tile[]} */
  #tiles = [];
  /** @type {Sector[]} */
  #sectors = [];
  /** @type {string[]} the state in which each tile was painted */
  #painted = [];
  #palette = palette({ flat: '#000000', up: '#000000', down: '#000000' });
  #ink = { panel: '', faint: '', text: '' };
  #font = { family: '', small: 11, k: 1 };
  #symbolWidth = new Map();
  #at = -1; // the tile that the keyboard is on
  #hover = -1; // the tile under the pointer
  #repaint = true; // all tiles
  #paintedAt = -PACE;
  #tableAt = -TABLE;

  /** @param {{ view: import('../common/viewState.js').ViewState, quotes: import('../../model/pausedQuotes.js').PausedQuotes, frames: import('../common/frames.js').Frames, theme: import('../settings/theme.js').Theme }} parts */
  constructor({ view, quotes, frames, theme }) {
    this.#view = view;
    this.#quotes = quotes;
    this.#frames = frames;
    this.#box.append(this.#canvas, ...this.#options, this.#tip);
    for (const o of this.#options) o.hidden = true;
    theme.on(() => this.restyle());
    view.on((now, before) => { if (now.symbol !== before.symbol) this.#repaintAll(); });
    new ResizeObserver(() => this.restyle()).observe(this.#box);
    this.#box.addEventListener('click', (e) => this.#choose(this.#under(e)));
    this.#box.addEventListener('pointermove', (e) => { if (e.pointerType === 'mouse') this.#point(this.#under(e)); });
    this.#box.addEventListener('pointerleave', () => this.#point(-1));
    this.#box.addEventListener('keydown', (e) => this.#key(e));
    this.#box.addEventListener('focus', () => {
      if (this.#box.matches(':focus-visible')) this.#go(this.#at < 0 ? Math.max(0, this.#tiles.findIndex((x) => x.listing.symbol === view.now.symbol)) : this.#at);
    });
    this.#box.addEventListener('blur', () => { for (const o of this.#options) o.hidden = true; });
  }

  /** @param {readonly Listing[]} listings */
  fill(listings) {
    this.#listings = listings;
    this.#box.removeAttribute('aria-busy');
    this.restyle();
  }

  /** Recomputes sizes and colours, and repaints everything. */
  restyle() {
    const style = getComputedStyle(this.#box);
    const { raise, up, down, panel, faint, text } = colours(['raise', 'up', 'down', 'panel', 'faint', 'text']);
    this.#palette = palette({ flat: raise, up, down });
    this.#ink = { panel, faint, text };
    const small = parseFloat(style.getPropertyValue('--t-xs')) || 11;
    this.#font = { family: style.fontFamily, small, k: small / 11 };
    const width = this.#box.clientWidth;
    const height = this.#box.clientHeight;
    const dpr = devicePixelRatio || 1;
    this.#canvas.width = Math.round(width * dpr);
    this.#canvas.height = Math.round(height * dpr);
    const ctx = this.#context(); // which is black until it is painted, and without quotes there is no frame
    if (ctx) {
      ctx.fillStyle = panel;
      ctx.fillRect(0, 0, this.#canvas.width, this.#canvas.height);
    }
    ({ sectors: this.#sectors, tiles: this.#tiles } = layout(this.#listings, { x: 0, y: 0, w: width, h: height }, this.#font.k));
    this.#symbolWidth.clear();
    this.#legend();
    if (this.#at >= this.#tiles.length) this.#at = -1;
    this.#repaintAll();
  }

  #context() {
    return this.#canvas.getContext('2d', { alpha: false });
  }

  /** @param {number} now performance.now() */
  paint(now) {
    if (now - this.#paintedAt < PACE || !this.#box.clientHeight || !this.#tiles.length) return;
    this.#paintedAt = now;
    const ctx = this.#context();
    if (!ctx) return;
    const dpr = devicePixelRatio || 1;
    ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
    ctx.textAlign = 'center';
    ctx.textBaseline = 'middle';
    if (this.#repaint) {
      this.#repaint = false;
      this.#painted = [];
      ctx.fillStyle = this.#ink.panel;
      ctx.fillRect(0, 0, this.#box.clientWidth, this.#box.clientHeight);
      this.#names(ctx);
    }
    for (let k = 0; k < this.#tiles.length; k++) this.#tile(ctx, k);
    if (this.#hover >= 0) this.#showTip();
    if (now - this.#tableAt >= TABLE) {
      this.#tableAt = now;
      this.#paintTable();
    }
  }

  /** @param {CanvasRenderingContext2D} ctx @param {number} k */
  #tile(ctx, k) {
    const tile = /** @type {Tile} */ (this.#tiles[k]);
    const { symbol } = tile.listing;
    const change = this.#quotes.get(symbol)?.changePct;
    const of = step(change);
    const { family, small, k: zoom } = this.#font;
    const w = tile.w - EDGE;
    const h = tile.h - EDGE;
    const figure = w >= 44 * zoom && h >= 30 * zoom ? signed(change) : '';
    const chosen = symbol === this.#view.now.symbol;
    const key = `${of} ${figure} ${chosen}`;
    if (key === this.#painted[k]) return;
    this.#painted[k] = key;
    const { fill, ink } = this.#palette(of);
    ctx.fillStyle = fill;
    ctx.fillRect(tile.x, tile.y, w, h);
    if (chosen) {
      ctx.strokeStyle = ink;
      ctx.lineWidth = 2;
      ctx.strokeRect(tile.x + 2, tile.y + 2, w - 4, h - 4);
    }
    if (h < 13 * zoom || w < 20 * zoom) return;
    const large = w > 90 * zoom && h > 60 * zoom ? 1.35 : 1;
    ctx.font = `600 ${small * large}px ${family}`;
    let wide = this.#symbolWidth.get(symbol);
    if (wide === undefined) this.#symbolWidth.set(symbol, wide = ctx.measureText(symbol).width);
    ctx.fillStyle = ink;
    const x = tile.x + w / 2;
    const y = tile.y + h / 2;
    if (wide <= w - 6) ctx.fillText(symbol, x, figure ? y - small * 0.65 * large : y);
    else if (wide * 0.82 <= w - 3) {
      ctx.font = `600 ${small * 0.82}px ${family}`;
      ctx.fillText(symbol, x, figure ? y - small * 0.65 : y);
    }
    if (!figure) return;
    ctx.font = `400 ${small * large}px ${family}`;
    ctx.fillText(figure, x, y + small * 0.75 * large);
  }

  /** Paints the sectors' names where there is a strip for them. @param {CanvasRenderingContext2D} ctx */
  #names(ctx) {
    const { family, small } = this.#font;
    ctx.font = `500 ${small * 0.95}px ${family}`;
    ctx.textAlign = 'left';
    ctx.fillStyle = this.#ink.faint;
    for (const s of this.#sectors) {
      if (!s.label) continue;
      let name = sectorName(s.sector);
      const room = s.w - 6;
      if (ctx.measureText(name).width > room) {
        while (name && ctx.measureText(`${name}…`).width > room) name = name.slice(0, -1);
        name = `${name.trimEnd()}…`;
      }
      ctx.fillText(name, s.x + 2, s.y + s.label / 2 + 0.5);
    }
    ctx.textAlign = 'center';
  }

  #legend() {
    const box = part('heat-legend');
    if (!box.children.length) box.append(...legend.map(() => el('i')));
    legend.forEach((k, n) => {
      const i = box.children[n];
      if (i instanceof HTMLElement) i.style.backgroundColor = this.#palette(k).fill;
    });
  }

  /** Paints the sectors' figures as a table, for screen readers. */
  #paintTable() {
    const rows = this.#sectors.map(({ sector }) => {
      let up = 0;
      let down = 0;
      let value = 0;
      let sum = 0;
      for (const { symbol, sector: own, value: v } of this.#listings) {
        const change = own === sector ? this.#quotes.get(symbol)?.changePct : undefined;
        if (change === undefined || Number.isNaN(change)) continue;
        if (change > 0) up++;
        else if (change < 0) down++;
        value += v || 1;
        sum += change * (v || 1);
      }
      return [sectorName(sector), percent(value ? sum / value : NaN), String(up), String(down)];
    });
    const body = this.#table.querySelector('tbody');
    if (!body) return;
    while (body.rows.length < rows.length) body.append(el('tr', {}, el('th', { scope: 'row' }), el('td'), el('td'), el('td')));
    while (body.rows.length > rows.length) body.deleteRow(-1);
    rows.forEach((cells, r) => cells.forEach((text, c) => {
      const cell = body.rows[r]?.cells[c];
      if (cell) setText(cell, text);
    }));
  }

  /** @param {MouseEvent} e */
  #under(e) {
    const at = this.#canvas.getBoundingClientRect();
    return tileAt(this.#tiles, e.clientX - at.left, e.clientY - at.top);
  }

  /** @param {number} k */
  #point(k) {
    this.#hover = k;
    this.#tip.hidden = k < 0;
    this.#showTip();
  }

  /** Places the tooltip beside the tile under the pointer. */
  #showTip() {
    const tile = this.#tiles[this.#hover];
    if (!tile) return;
    setText(this.#tip, this.#words(tile.listing));
    const { offsetWidth: w, offsetHeight: h } = this.#tip;
    const x = Math.min(Math.max(0, tile.x + tile.w / 2 - w / 2), this.#box.clientWidth - w);
    const below = tile.y + tile.h + 4;
    const y = below + h <= this.#box.clientHeight ? below : Math.max(0, tile.y - h - 4);
    this.#tip.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
  }

  /** @param {Listing} listing */
  #words(listing) {
    const { symbol, sector } = listing;
    return t('heat.tile', { symbol, name: fullName(listing), sector: sectorName(sector), change: percent(this.#quotes.get(symbol)?.changePct) });
  }

  /** Moves the keyboard to a tile. @param {number} k */
  #go(k) {
    const tile = this.#tiles[k];
    if (!tile) return;
    this.#at = k;
    this.#options.reverse();
    const [now, before] = this.#options;
    before.hidden = true;
    before.removeAttribute('aria-selected');
    now.hidden = false;
    now.setAttribute('aria-label', this.#words(tile.listing));
    now.setAttribute('aria-selected', String(tile.listing.symbol === this.#view.now.symbol));
    Object.assign(now.style, { left: `${tile.x}px`, top: `${tile.y}px`, width: `${tile.w - EDGE}px`, height: `${tile.h - EDGE}px` });
    this.#box.setAttribute('aria-activedescendant', now.id);
  }

  /** @param {number} k */
  #choose(k) {
    const tile = this.#tiles[k];
    if (tile) this.#view.set({ symbol: tile.listing.symbol });
  }

  /** @param {KeyboardEvent} e */
  #key(e) {
    if (e.ctrlKey || e.metaKey || e.altKey || !this.#tiles.length) return;
    const ways = /** @type {Record<string, [number, number]>} */ ({ ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] });
    const way = ways[e.key];
    if (way) this.#go(this.#at < 0 ? 0 : neighbour(this.#tiles, this.#at, ...way));
    else if (e.key === 'Home') this.#go(0);
    else if (e.key === 'End') this.#go(this.#tiles.length - 1);
    else if (e.key === 'Enter' || e.key === ' ') {
      this.#choose(this.#at);
      this.#go(this.#at);
    } else return;
    e.preventDefault();
  }

  #repaintAll() {
    this.#repaint = true;
    this.#paintedAt = -PACE;
    this.#frames.request();
  }
}
