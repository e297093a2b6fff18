import { price, timeOfDay, volume } from '../store/format.js';
import { t } from '../text.js';
import { Bars, widths } from './bars.js';
import { Candles } from './candles.js';
import { el, part, setText } from './dom.js';
import { fetchHistory } from './history.js';

/** @typedef {import('../types.js').Quote} Quote */
/** @typedef {import('../types.js').Message} Message */
/** @typedef {import('./bars.js').Bar} Bar */
/** @typedef {import('./view.js').ViewState} ViewState */
/** @typedef {import('./frames.js').Frames} Frames */

const LIMIT = 300; // bars asked for
const AGAIN = 300; // ms until history that is behind the stream is asked for again
const TRIES = 5;
const RETRY = 5000; // ms after history failed

/**
 * The candlestick chart of one symbol: history first, then live. Ticks that come while history is on its way are kept
 * and put after it by their seq, so that no tick is missed or counted twice. A snapshot (start, gap, new log) says that
 * ticks may be missing; history that reaches at least to it fills the hole.
 */
export class Chart {
  #host = part('chart');
  #note = part('chart-note');
  #legend = part('chart-legend');
  #view;
  #frames;
  #candles;
  #bars = new Bars(60e6);
  /** @type {Quote[]} ticks of the symbol while history is on its way */
  #waiting = [];
  /** @type {AbortController | null} */
  #loading = null;
  #timer = 0;
  #holding = false; // ticks wait for history
  #epoch = '';
  #want = -1; // the seq that history must reach
  #draw = false; // all bars are to be drawn
  #home = true; // … and the newest shown
  #follow = false; // the newest bars are to be drawn

  /** @param {{ view: ViewState, frames: Frames, theme: import('./theme.js').Theme }} parts */
  constructor({ view, frames, theme }) {
    this.#view = view;
    this.#frames = frames;
    this.#candles = new Candles(this.#host, (bar) => this.#hover(bar));
    theme.on(() => this.#candles.recolour(this.#bars.list));
    view.on((now, before) => {
      if (now.symbol !== before.symbol || now.interval !== before.interval) this.#show();
    });
    if (view.now.symbol) this.#show();
  }

  /** @param {Message} m every message of the feed, in order */
  take(m) {
    if (m.T === 'q') {
      if (m.S !== this.#view.now.symbol) return;
      if (this.#holding) this.#waiting.push(m);
      else if (this.#bars.apply(m)) this.#changed();
    } else if (m.T === 'hello') {
      if (this.#epoch && m.epoch !== this.#epoch) this.#bars.load(this.#bars.list, -1);
      this.#epoch = m.epoch;
    } else if (m.T === 'snapshot' && m.quotes.some((q) => q.S === this.#view.now.symbol)) { // else it is of added topics
      this.#want = m.i;
      if ( !this.#loading && this.#bars.seq < m.i) this.#load(0);
    }
  }

  /** To be called when the settings changed. */
  restyle() {
    this.#candles.restyle(this.#bars.list);
  }

  /** Whether the bars of another symbol or interval wait to be drawn, which a pause must not hold up. */
  get fresh() {
    return this.#draw && this.#home;
  }

  paint() {
    if (this.#draw) {
      this.#candles.draw(this.#bars.list, this.#home);
      this.#home = false;
    } else if (this.#follow) {
      this.#candles.follow(this.#bars.list);
    }
    this.#draw = this.#follow = false;
  }

  #changed() {
    this.#follow = true;
    this.#frames.request();
  }

  #show() {
    const { symbol, interval } = this.#view.now;
    this.#bars = new Bars(widths[interval] ?? 60e6);
    this.#waiting = [];
    this.#home = true;
    this.#candles.draw([], false);
    this.#candles.scale(interval);
    this.#hover(null);
    this.#say(t('chart.loading'));
    this.#host.setAttribute('aria-label', t('chart.of', { symbol, interval }));
    this.#load(0);
  }

  /** @param {number} tries so far */
  async #load(tries) {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#loading?.abort();
    const mine = (this.#loading = new AbortController());
    const { symbol, interval } = this.#view.now;
    this.#holding = true;
    const need = Math.max(this.#want, this.#bars.seq);
    try {
      const h = await fetchHistory(symbol, interval, LIMIT, mine.signal);
      if (mine.signal.aborted) return;
      this.#loading = null;
      const behind = (this.#epoch && h.epoch !== this.#epoch) || h.i < need;
      if (behind && tries < TRIES) {
        this.#timer = window.setTimeout(() => this.#load(tries + 1), AGAIN);
        return;
      }
      this.#bars.load(h.bars, h.i);
      this.#say(h.bars.length || this.#waiting.length ? '' : t('chart.none', { symbol }));
    } catch {
      if (mine.signal.aborted) return;
      this.#loading = null;
      if (!this.#bars.list.length) this.#say(t('chart.failed'));
      this.#timer = window.setTimeout(() => this.#load(0), RETRY);
    }
    // Without history the chart still follows what comes.
    this.#holding = false;
    for (const q of this.#waiting) this.#bars.apply(q);
    this.#waiting = [];
    this.#draw = true;
    this.#frames.request();
  }

  /** @param {string} text '' takes the note away */
  #say(text) {
    setText(this.#note, text);
    this.#note.hidden = text === '';
  }

  /** @param {Bar | null} bar */
  #hover(bar) {
    this.#legend.hidden = bar === null;
    if (!bar) return;
    const pairs = [['', timeOfDay(bar.t / 1000)], [t('chart.legend.open'), price(bar.o)], [t('chart.legend.high'), price(bar.h)], [t('chart.legend.low'), price(bar.l)],
      [t('chart.legend.close'), price(bar.c)], [t('chart.legend.volume'), volume(bar.v)]];
    this.#legend.replaceChildren(...pairs.map(([k = '', v = '']) => el('span', {}, el('i', {}, k), v)));
  }
}
