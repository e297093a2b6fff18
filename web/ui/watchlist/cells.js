// The watchlist's cells, one kind for each column. They write only texts that changed.
import { age, arrow, compact, decimal, move, price, signed, volume } from '../../model/formats.js';
import { decimals, sizeDecimals } from '../../model/instruments.js';
import { Changed } from '../../model/quotes.js';
import { t } from '../../text.js';
import { rangePosition, spreadBp } from '../../model/columns.js';
import { el, setText, svg } from '../common/dom.js';
import { path } from '../../model/sparkline.js';

/** @import { SymbolRecord } from '../../types.js' */
/**
 * @typedef {object} Cell
 * @property {HTMLElement} element
 * @property {(r: SymbolRecord | undefined, changed: number, now: number) => void} [paint] r is undefined while the quote is unknown
 * @property {(r: SymbolRecord | undefined) => void} [line] paints the sparkline
 * @property {(ms: number | undefined) => void} [age] paints the age
 * @property {(now: number) => boolean} [flash] ends a flash that is over and returns whether it continues
 */

const FLASH = 400; // ms that a changed price is highlighted

/** @param {string} name of the class */
const cell = (name) => el('span', { class: name, role: 'gridcell' });

/** A price of a quote. @param {SymbolRecord | undefined} r @param {(r: SymbolRecord) => number} of */
const priceOf = (r, of) => (r ? price(of(r), decimals(r.S)) : price(undefined, 2));

/** A size of a quote; 0 is unknown. @param {SymbolRecord | undefined} r @param {(r: SymbolRecord) => number} of */
const sizeOf = (r, of) => (r && of(r) > 0 ? compact(of(r), sizeDecimals(r.S)) : '');

/** The class of a change; empty for one displayed as 0. @param {number | undefined} x @param {number} [places] decimals with which it is displayed */
function direction(x, places) {
  const mark = arrow(x, places);
  return mark === '▲' ? 'up' : mark === '▼' ? 'down' : '';
}

/** @param {HTMLElement} e @param {string} name */
function setClass(e, name) {
  if (e.className !== name) e.className = name;
}

/** @type {Readonly<Record<string, () => Cell>>} */
export const cells = Object.freeze({
  last() {
    const element = cell('num last');
    let until = 0;
    return {
      element,
      paint(r, changed, now) {
        setText(element, priceOf(r, (q) => q.p));
        if (!r || !(changed & Changed.last) || !r.dir) return;
        until = now + FLASH;
        setClass(element, r.dir > 0 ? 'num last fu' : 'num last fd');
      },
      flash(now) {
        if (!until) return false;
        if (now < until) return true;
        until = 0;
        setClass(element, 'num last');
        return false;
      },
    };
  },
  net: () => coloured((r) => signed(r?.change, decimals(r?.S ?? '')), (r) => direction(r?.change, decimals(r?.S ?? ''))),
  change: () => coloured((r) => move(r?.changePct), (r) => direction(r?.changePct)),
  spark() {
    const line = svg('path');
    const element = cell('sparkcol');
    element.append(svg('svg', { viewBox: '0 0 66 18', preserveAspectRatio: 'none', 'aria-hidden': 'true' }, line));
    return {
      element,
      paint: (r) => setClass(element, `sparkcol ${direction(r?.changePct)}`),
      line(r) {
        const d = r ? path(r.spark.values(), 66, 18) : '';
        if (line.getAttribute('d') !== d) line.setAttribute('d', d);
      },
    };
  },
  bid: () => pair((r) => priceOf(r, (q) => q.bp), (r) => sizeOf(r, (q) => q.bs)),
  ask: () => pair((r) => priceOf(r, (q) => q.ap), (r) => sizeOf(r, (q) => q.as)),
  spread: () => pair((r) => priceOf(r, (q) => q.spread), (r) => (r && !Number.isNaN(spreadBp(r)) ? t('watch.bp', { n: decimal(spreadBp(r)) }) : ''), ' bp'),
  volume() {
    const element = cell('num soft');
    return { element, paint: (r) => setText(element, volume(r?.v, sizeDecimals(r?.S ?? ''))) };
  },
  range() {
    const element = cell('range');
    const words = el('span', { class: 'visually-hidden' });
    const mark = el('i', { 'aria-hidden': 'true' });
    element.append(mark, words);
    let low = NaN;
    let high = NaN;
    let symbol = '';
    let at = '';
    return {
      element,
      paint(r) {
        const now = r && Number.isFinite(rangePosition(r)) ? `${Math.round(rangePosition(r) * 100)}%` : '';
        if (now !== at) {
          at = now;
          element.toggleAttribute('data-known', now !== '');
          element.style.setProperty('--at', now);
        }
        if (Object.is(r?.l, low) && Object.is(r?.h, high) && r?.S === symbol) return;
        symbol = r?.S ?? '';
        low = r?.l ?? NaN;
        high = r?.h ?? NaN;
        const text = t('watch.range', { low: priceOf(r, (q) => q.l), high: priceOf(r, (q) => q.h) });
        setText(words, text);
        element.title = text;
      },
    };
  },
  age() {
    const element = cell('num faint age');
    return { element, age: (ms) => setText(element, age(ms)) };
  },
});

/** @param {(r: SymbolRecord | undefined) => string} text @param {(r: SymbolRecord | undefined) => string} side its class @returns {Cell} */
function coloured(text, side) {
  const element = cell('num');
  return {
    element,
    paint(r) {
      setText(element, text(r));
      setClass(element, `num ${side(r)}`);
    },
  };
}

/** A cell with a figure and a smaller one. @param {(r: SymbolRecord | undefined) => string} large @param {(r: SymbolRecord | undefined) => string} small @param {string} [more] classes @returns {Cell} */
function pair(large, small, more = '') {
  const element = cell(`num q${more}`);
  const first = document.createTextNode('');
  const second = document.createTextNode('');
  element.append(first, el('small', {}, second));
  return {
    element,
    paint(r) {
      const a = large(r);
      const b = small(r);
      if (first.data !== a) first.data = a;
      if (second.data !== b) second.data = b;
    },
  };
}
