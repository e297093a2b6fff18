// What the page knows of the server's instruments: the decimals of their prices and sizes, and when their days begin. It comes
// from /api/symbols, and the decimals also from protobuf snapshots. The defaults are those of shares: 2 and 0, and UTC days.
import { offsetIn } from './zones.js';

/**
 * @typedef {object} Instrument an entry of /api/symbols
 * @property {string} symbol
 * @property {string} name
 * @property {string} sector
 * @property {number} value
 * @property {number} [decimals] of prices
 * @property {number} [size_decimals] of sizes and volumes
 * @property {string} [currency]
 * @property {string} [venue]
 * @property {number} [tick_size]
 * @property {boolean} [negative] whether its prices may be 0 and below
 * @property {{ zone: string, open: string, close: string }} [session] local times, "09:30"
 */
/** @typedef {{ decimals: number, sizeDecimals: number, negative: boolean, zone: string, open: number }} Known zone: '' for UTC days; open: µs since midnight in it */

const DAY = 86_400e6; // µs

/** @type {Readonly<Known>} */
const SHARE = Object.freeze({ decimals: 2, sizeDecimals: 0, negative: false, zone: '', open: 0 });

/** @type {Map<string, Readonly<Known>>} */
let bySymbol = new Map();
let timed = true;

/**
 * Replaces the instruments.
 * @param {readonly Instrument[]} list
 * @param {boolean} [live] whether ticks are due at the feed's own time, not at that of a replay, so that their days follow from it
 */
export function useInstruments(list, live = true) {
  timed = live;
  bySymbol = new Map(list.map(({ symbol, decimals = SHARE.decimals, size_decimals: sizeDecimals = SHARE.sizeDecimals, negative = false, session }) =>
    [symbol, { decimals, sizeDecimals, negative, zone: session?.zone ?? '', open: session ? timeOfDay(session.open) : 0 }]));
}

/** Sets the decimals of an instrument, from a snapshot. @param {string} symbol @param {number} [decimals] @param {number} [sizeDecimals] */
export function setDecimals(symbol, decimals = SHARE.decimals, sizeDecimals = SHARE.sizeDecimals) {
  const known = of(symbol);
  if (known.decimals !== decimals || known.sizeDecimals !== sizeDecimals) bySymbol.set(symbol, { ...known, decimals, sizeDecimals });
}

/**
 * An instrument's decimals as the worker adds them to the quotes of a snapshot, which is JSON for a tab that then decodes ticks
 * in protobuf; empty for the usual ones.
 * @param {string} symbol @returns {{ decimals?: number, size_decimals?: number }}
 */
export function scaleOf(symbol) {
  const { decimals, sizeDecimals } = of(symbol);
  return decimals === SHARE.decimals && sizeDecimals === SHARE.sizeDecimals ? {} : { decimals, size_decimals: sizeDecimals };
}

/** @param {string} symbol @returns {Readonly<Known>} */
const of = (symbol) => bySymbol.get(symbol) ?? SHARE;

/** The decimals of an instrument's prices. @param {string} symbol */
export const decimals = (symbol) => of(symbol).decimals;

/** The decimals of an instrument's sizes and volumes. @param {string} symbol */
export const sizeDecimals = (symbol) => of(symbol).sizeDecimals;

/** Reports whether an instrument's prices may be 0 and below. @param {string} symbol */
export const negative = (symbol) => of(symbol).negative;

/** Identifies an instrument's day, which begins with its session, else at midnight UTC. @param {string} symbol @param {number} t µs since 1970 @returns {number} its number */
export function dayOf(symbol, t) {
  const { zone, open } = of(symbol);
  if (!zone || Number.isNaN(t)) return Math.floor(t / DAY);
  return Math.floor((t + offsetIn(zone, t / 1000) * 1000 - open) / DAY);
}

/**
 * Reports whether a tick is of a later day than the tick before: its day's volume is lower, or it is due on a later day. In a replay
 * the time says nothing, since the server's days follow the time in the file.
 * @param {string} symbol @param {{ t: number, v: number }} tick @param {{ t: number, v: number }} before
 */
export const isNewDay = (symbol, tick, before) => tick.v < before.v || (timed && dayOf(symbol, tick.t) > dayOf(symbol, before.t));

/** When the day of a time began. @param {string} symbol @param {number} t µs since 1970 @returns {number} µs since 1970 */
export function dayStart(symbol, t) {
  const { zone, open } = of(symbol);
  const local = dayOf(symbol, t) * DAY + open;
  if (!zone) return local;
  const near = local - offsetIn(zone, local / 1000) * 1000;
  return local - offsetIn(zone, near / 1000) * 1000; // the clocks may have changed in between
}

/** @param {string} text "09:30" @returns {number} µs since midnight */
function timeOfDay(text) {
  const [hours = 0, minutes = 0, seconds = 0] = text.split(':').map(Number);
  return (hours * 3600 + minutes * 60 + seconds) * 1e6;
}

/** Reports whether a text is a symbol. @param {unknown} text @returns {text is string} */
export const isSymbol = (text) => typeof text === 'string' && /^(?!sector:)[\w.\-/^=:@]{1,32}$/.test(text);

/** A symbol as part of a file's name: some systems don't allow "/" and ":", and hide names that begin with a point. @param {string} symbol */
export const fileName = (symbol) => symbol.replace(/[/:]/g, '-').replace(/^\./, '_');

/** The name of an instrument, unless that is its symbol, with its currency and venue, where it has them. @param {Pick<Instrument, 'symbol' | 'name' | 'currency' | 'venue'>} instrument */
export const fullName = ({ symbol, name, currency, venue }) => [name === symbol ? '' : name, currency, venue].filter(Boolean).join(' · ');
