import { CandlestickSeries, ColorType, CrosshairMode, HistogramSeries, LineStyle, createChart } from 'lightweight-charts';
import { dates, price } from '../store/format.js';
import { colours, faded } from './theme.js';

/** @typedef {import('./bars.js').Bar} Bar */
/** @typedef {import('lightweight-charts').UTCTimestamp} Seconds */

const names = /** @type {const} */ (['up', 'down', 'grid', 'faint', 'soft', 'panel', 'raise', 'line', 'edge']);
const seconds = (/** @type {number} */ µs) => /** @type {Seconds} */ (µs / 1e6);

/**
 * Draws bars with Lightweight Charts. Its own logo is off because it brings a style element, which the page's policy
 * forbids; the footer names and links the makers instead, as the licence asks.
 */
export class Candles {
  #chart;
  #prices;
  #volumes;
  #colours = colours(names);
  #drawn = 0; // how many bars the chart has
  #dates = makeDates();

  /** @param {HTMLElement} host @param {(bar: Bar | null) => void} onHover the bar under the pointer, null when it left */
  constructor(host, onHover) {
    this.#chart = createChart(host, {
      autoSize: true,
      layout: { attributionLogo: false, fontFamily: getComputedStyle(document.body).fontFamily },
      rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.08, bottom: 0.16 } },
      timeScale: { borderVisible: false, timeVisible: true, barSpacing: 8, rightOffset: 4, minBarSpacing: 1, tickMarkFormatter: (/** @type {any} */ s, /** @type {number} */ type) => this.#mark(s, type) },
      crosshair: { mode: CrosshairMode.Normal },
      localization: { timeFormatter: (/** @type {any} */ s) => this.#dates.moment.format(s * 1000), priceFormatter: price },
      handleScale: { axisPressedMouseMove: { time: true, price: false } },
    });
    this.#prices = this.#chart.addSeries(CandlestickSeries, { borderVisible: false, priceLineStyle: LineStyle.Dotted });
    this.#volumes = this.#chart.addSeries(HistogramSeries, {
      priceScaleId: '', priceFormat: { type: 'volume' }, lastValueVisible: false, priceLineVisible: false,
    });
    this.#volumes.priceScale().applyOptions({ scaleMargins: { top: 0.88, bottom: 0 } });
    this.#chart.subscribeCrosshairMove((at) => {
      const p = /** @type {any} */ (at.seriesData.get(this.#prices));
      const v = /** @type {any} */ (at.seriesData.get(this.#volumes));
      onHover(p ? { t: p.time * 1e6, o: p.open, h: p.high, l: p.low, c: p.close, v: v?.value ?? NaN } : null);
    });
    this.restyle([]);
  }

  /** Takes the settings as they are now. @param {readonly Bar[]} bars to be drawn again */
  restyle(bars) {
    this.#dates = makeDates();
    const size = parseFloat(getComputedStyle(document.documentElement).getPropertyValue('--t-xs')) || 11;
    const still = document.documentElement.dataset.motion === 'none';
    this.#chart.applyOptions({ layout: { fontSize: size }, kineticScroll: { touch: !still, mouse: false } });
    this.recolour(bars);
  }

  /** Draws all bars. @param {readonly Bar[]} bars @param {boolean} home whether to go to the newest */
  draw(bars, home) {
    this.#prices.setData(bars.map((b) => candle(b)));
    this.#volumes.setData(bars.map((b) => this.#volume(b)));
    this.#drawn = bars.length;
    if (home) {
      this.#chart.timeScale().applyOptions({ barSpacing: 8 });
      this.#chart.timeScale().scrollToPosition(4, false);
      this.#chart.priceScale('right').applyOptions({ autoScale: true });
    }
  }

  /** Draws the newest bar that the chart has, and those that came after it. @param {readonly Bar[]} bars */
  follow(bars) {
    for (let k = Math.max(0, this.#drawn - 1); k < bars.length; k++) {
      const b = /** @type {Bar} */ (bars[k]);
      this.#prices.update(candle(b));
      this.#volumes.update(this.#volume(b));
    }
    this.#drawn = bars.length;
  }

  /** @param {string} interval such as "10s" */
  scale(interval) {
    this.#chart.timeScale().applyOptions({ secondsVisible: interval.endsWith('s') });
  }

  /** Takes the theme's colours as they are now. @param {readonly Bar[]} bars to be drawn again */
  recolour(bars) {
    const c = (this.#colours = colours(names));
    const line = { color: c.edge, labelBackgroundColor: c.edge };
    this.#chart.applyOptions({
      layout: { background: { type: ColorType.Solid, color: c.panel }, textColor: c.faint },
      grid: { vertLines: { visible: false }, horzLines: { color: c.grid } },
      crosshair: { vertLine: line, horzLine: line },
    });
    this.#prices.applyOptions({ upColor: c.up, downColor: c.down, wickUpColor: c.up, wickDownColor: c.down });
    if (bars.length) this.draw(bars, false);
  }

  /** @param {any} s @param {number} type of TickMarkType: 0 year, 1 month, 2 day, 3 time, 4 time with seconds */
  #mark(s, type) {
    const { month, day, minute, second } = this.#dates;
    return ([month, month, day, minute, second][type] ?? minute).format(s * 1000);
  }

  /** @param {Bar} b */
  #volume(b) {
    return { time: seconds(b.t), value: b.v, color: faded(b.c >= b.o ? this.#colours.up : this.#colours.down, 0.25) };
  }
}

/** @param {Bar} b */
const candle = (b) => ({ time: seconds(b.t), open: b.o, high: b.h, low: b.l, close: b.c });

// The library reads times as UTC; people read them in their zone.
const makeDates = () => {
  const minute = /** @type {const} */ ({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  return {
    moment: dates({ day: 'numeric', month: 'short', ...minute, second: '2-digit' }),
    month: dates({ month: 'short', year: 'numeric' }),
    day: dates({ day: 'numeric', month: 'short' }),
    minute: dates(minute),
    second: dates({ ...minute, second: '2-digit' }),
  };
};
