import { compact, count, move, percent } from '../../model/formats.js';
import { sizeDecimals } from '../../model/instruments.js';
import { t } from '../../text.js';
import { buttonOf, el, part, setText } from '../common/dom.js';

/** @import { SymbolRecord } from '../../types.js' */

const PACE = 1000; // ms between paints, so that the names can be read
const MOST = 20;

/**
 * The symbols with the largest figures, in one pass. Those without a figure are left out; equal ones keep their order.
 * @param {Iterable<SymbolRecord>} records @param {(r: SymbolRecord) => number} figure @param {number} most @returns {string[]}
 */
export function top(records, figure, most) {
  /** @type {{ S: string, x: number }[]} */
  const list = [];
  for (const r of records) {
    const x = figure(r);
    if (Number.isNaN(x) || (list.length === most && x <= (list[most - 1]?.x ?? Infinity))) continue;
    let k = list.length;
    while (k > 0 && /** @type {any} */ (list[k - 1]).x < x) k--;
    list.splice(k, 0, { S: r.S, x });
    if (list.length > most) list.pop();
  }
  return list.map((e) => e.S);
}

/**
 * How many symbols are above, at and below their last close, and above the day's open. Unknown figures are not counted.
 * @param {Iterable<SymbolRecord>} records
 */
export function breadth(records) {
  const b = { up: 0, same: 0, down: 0, aboveOpen: 0, open: 0 };
  for (const { change, p, o } of records) {
    if (change > 0) b.up++;
    else if (change < 0) b.down++;
    else if (change === 0) b.same++;
    if (Number.isNaN(o)) continue;
    b.open++;
    if (p > o) b.aboveOpen++;
  }
  return b;
}

const lists = /** @type {const} */ ([
  { id: 'gainers', figure: (/** @type {SymbolRecord} */ r) => (r.changePct > 0 ? r.changePct : NaN), text: (/** @type {SymbolRecord | undefined} */ r) => move(r?.changePct) },
  { id: 'losers', figure: (/** @type {SymbolRecord} */ r) => (r.changePct < 0 ? -r.changePct : NaN), text: (/** @type {SymbolRecord | undefined} */ r) => move(r?.changePct) },
  { id: 'active', figure: (/** @type {SymbolRecord} */ r) => r.v, text: (/** @type {SymbolRecord | undefined} */ r) => compact(r?.v, sizeDecimals(r?.S ?? '')) },
]);

/** The largest gainers and losers, the most active symbols, and the market's breadth. */
export class Movers {
  #lists = lists.map((l) => ({ ...l, box: part(`movers-${l.id}`), rows: /** @type {Row[]} */ ([]) }));
  #panel = part('movers');
  #bar = part('breadth-bar');
  #short = part('breadth');
  #quotes;
  #paintedAt = -PACE;
  #hovered = false;

  /** @param {{ view: import('../common/viewState.js').ViewState, quotes: import('../../model/pausedQuotes.js').PausedQuotes }} parts */
  constructor({ view, quotes }) {
    this.#quotes = quotes;
    this.#panel.addEventListener('click', (e) => {
      const symbol = buttonOf(e)?.dataset.symbol;
      if (symbol) view.set({ symbol });
    });
    // Names keep their places while one is hovered or focused.
    this.#panel.addEventListener('pointerenter', (e) => { this.#hovered = e.pointerType === 'mouse'; });
    this.#panel.addEventListener('pointerleave', () => { this.#hovered = false; });
  }

  /** Repaints with the next frame. */
  repaint() {
    this.#paintedAt = -PACE;
  }

  /** @param {number} now performance.now() @param {boolean} visible whether the lists can be seen; the breadth is always painted */
  paint(now, visible) {
    if (now - this.#paintedAt < PACE) return;
    this.#paintedAt = now;
    const b = breadth(this.#quotes.values());
    this.#paintShort(b);
    if (!visible) return;
    this.#paintBar(b);
    const hold = this.#hovered || this.#panel.contains(document.activeElement);
    for (const list of this.#lists) {
      const height = parseFloat(getComputedStyle(list.box).getPropertyValue('--trade')) || 24;
      const room = Math.min(MOST, Math.max(3, Math.floor(list.box.clientHeight / height)));
      if (!hold || !list.rows.length) {
        const symbols = top(this.#quotes.values(), list.figure, room);
        while (list.rows.length < symbols.length) list.rows.push(new Row(list.box));
        for (const row of list.rows.splice(symbols.length)) row.element.remove();
        list.rows.forEach((row, k) => row.bind(symbols[k] ?? ''));
      }
      for (const row of list.rows) row.paint(list.text(this.#quotes.get(row.symbol)), list.id === 'gainers' ? 'up' : list.id === 'losers' ? 'down' : '');
    }
  }

  /** @param {ReturnType<typeof breadth>} b */
  #paintShort({ up, same, down }) {
    if (up + down + same === 0) return;
    const spans = this.#short.children;
    if (!spans.length) this.#short.append(el('span', { class: 'up' }), el('span', { class: 'down' }), el('span', { class: 'faint' }));
    if (spans[0]) setText(spans[0], `▲ ${count(up)}`);
    if (spans[1]) setText(spans[1], `▼ ${count(down)}`);
    if (spans[2]) setText(spans[2], same ? `= ${count(same)}` : '');
  }

  /** @param {ReturnType<typeof breadth>} b */
  #paintBar({ up, same, down, aboveOpen, open }) {
    for (const [id, n] of /** @type {const} */ ([['up', up], ['same', same], ['down', down]])) {
      part(`breadth-${id}`).style.flexGrow = String(n);
      setText(part(`breadth-${id}-n`), t(`movers.${id}`, { n }));
    }
    this.#bar.hidden = up + same + down === 0;
    setText(part('breadth-open'), open ? t('movers.aboveOpen', { share: percent((100 * aboveOpen) / open).replace(/^\D+/, '').replace(/[.,]\d+/, '') }) : '');
  }
}

class Row {
  symbol = '';
  #name = el('b');
  #figure = el('span', { class: 'num' });
  #button = el('button', { type: 'button' }, this.#name, this.#figure);
  element = el('li', {}, this.#button);

  /** @param {HTMLElement} box */
  constructor(box) {
    box.append(this.element);
  }

  /** @param {string} symbol */
  bind(symbol) {
    if (symbol === this.symbol) return;
    this.symbol = symbol;
    this.#button.dataset.symbol = symbol;
    setText(this.#name, symbol);
  }

  /** @param {string} text @param {string} side */
  paint(text, side) {
    setText(this.#figure, text);
    const name = `num ${side}`;
    if (this.#figure.className !== name) this.#figure.className = name;
  }
}
