import { CandlestickSeries, ColorType, CrosshairMode, HistogramSeries, LineSeries, LineStyle, PriceScaleMode, createChartEx } from 'lightweight-charts';
import { price } from '../../model/formats.js';
import { Average } from '../../model/averages.js';
import { fromUnits } from '../../model/units.js';
import { colours, faded } from '../settings/theme.js';
import { TimeAxis } from './timeAxis.js';

/** @import { Bar } from '../../model/bars.js' */
/** @import { Shown } from '../../model/chartOptions.js' */
/** @import { Kind } from '../../model/chartSpec.js' */
/** @import { UTCTimestamp as Seconds } from 'lightweight-charts' */
/** @typedef {{ o: number, h: number, l: number, c: number }} Day open, high, low; close of the day before */
/** @typedef {{ id: string, price: number, title: string, quiet: boolean }} Level a line at a price, with its label on the axis; quiet: without effect at present */
/**
 * @typedef {object} Hooks
 * @property {(t: number | null, moved: boolean) => void} hover called with the start of the bar under the crosshair in µs, null when the
 *   pointer left; moved: by the pointer, not by the bars
 * @property {(first: number) => void} scrolled called with the index of the first visible bar
 * @property {(name: string) => string} label returns the label of a day's line
 */

const names = /** @type {const} */ (['up', 'down', 'grid', 'faint', 'soft', 'text', 'panel', 'edge', 'average-a', 'average-b', 'average-c']);
const seconds = (/** @type {number} */ µs) => /** @type {Seconds} */ (µs / 1e6);

const NARROW = 8; // px, least distance between bars
const WIDE = 16; // px, largest distance, when few bars must fill a wide screen
const AFTER = 4; // empty bars after the newest

/** The distance between bars at which they fill the chart. @param {number} bars @param {number} width px */
export const spacing = (bars, width) => Math.min(WIDE, Math.max(NARROW, width / (bars + AFTER)));

/** The lines differ in colour and in style. */
const averages = /** @type {const} */ ([
  { name: 'sma20', kind: 'sma', n: 20, colour: 'average-a', style: LineStyle.Solid },
  { name: 'sma50', kind: 'sma', n: 50, colour: 'average-b', style: LineStyle.Dashed },
  { name: 'ema20', kind: 'ema', n: 20, colour: 'average-c', style: LineStyle.Dotted },
]);

/**
 * Draws bars with Lightweight Charts. The library's logo is off because it inserts a style element, which the page's
 * policy forbids; the footer names and links the authors, as the licence requires.
 */
export class Candles {
  #chart;
  #hooks;
  /** @type {import('lightweight-charts').ISeriesApi<'Candlestick' | 'Line'>} */
  #prices;
  #volumes;
  /** @type {{ name: 'sma20' | 'sma50' | 'ema20', average: Average, series: import('lightweight-charts').ISeriesApi<'Line'>, newest: number }[]} */
  #averages = [];
  /** @type {Map<keyof Day, { at: number, line: import('lightweight-charts').IPriceLine }>} */
  #dayLines = new Map();
  /** @type {Map<string, import('lightweight-charts').IPriceLine>} by id */
  #levelLines = new Map();
  /** @type {readonly Level[]} */
  #levels = [];
  /** @type {Shown} */
  #shown;
  /** @type {Kind} */
  #kind;
  #colours = colours(names);
  #drawn = 0; // bars in the chart
  #unsized = false; // the view is to be reset once the chart has a size
  #axis = new TimeAxis();
  #decimals;

  /** @param {HTMLElement} host @param {Shown} shown @param {Kind} kind @param {number} decimals of the prices @param {Hooks} hooks */
  constructor(host, shown, kind, decimals, hooks) {
    this.#decimals = decimals;
    this.#shown = shown;
    this.#kind = kind;
    this.#hooks = hooks;
    this.#chart = createChartEx(host, this.#axis, {
      autoSize: true,
      layout: { attributionLogo: false, fontFamily: getComputedStyle(document.body).fontFamily },
      rightPriceScale: { borderVisible: false, entireTextOnly: true, scaleMargins: { top: 0.12, bottom: 0.16 } },
      timeScale: { borderVisible: false, barSpacing: NARROW, rightOffset: AFTER, minBarSpacing: 0.5 },
      crosshair: { mode: CrosshairMode.Normal },
      localization: { timeFormatter: (/** @type {any} */ s) => this.#axis.moment(s), priceFormatter: (/** @type {number} */ x) => price(x, this.#decimals) },
      handleScroll: { vertTouchDrag: false }, // which scrolls the page
      handleScale: { axisPressedMouseMove: { time: true, price: false } },
    });
    this.#volumes = this.#chart.addSeries(HistogramSeries, {
      priceScaleId: '', priceFormat: { type: 'volume' }, lastValueVisible: false, priceLineVisible: false,
    });
    this.#volumes.priceScale().applyOptions({ scaleMargins: { top: 0.88, bottom: 0 } });
    this.#prices = this.#makePrices();
    this.#chart.subscribeCrosshairMove((at) => hooks.hover(at.point && at.time !== undefined ? /** @type {number} */ (at.time) * 1e6 : null, at.sourceEvent !== undefined));
    this.#chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
      if (!range || !this.#drawn) return;
      // No scrolling past the oldest bar, except when the bars don't fill the chart: they are aligned to its right.
      const full = range.to - range.from <= this.#drawn + AFTER;
      if (full !== this.#chart.timeScale().options().fixLeftEdge) this.#chart.timeScale().applyOptions({ fixLeftEdge: full });
      hooks.scrolled(range.from);
    });
    this.#chart.timeScale().subscribeSizeChange(() => this.#unsized && this.#reset());
    this.configure(shown, kind, []);
    this.restyle([]);
  }

  /** Releases the library's resources. */
  close() {
    this.#chart.remove();
  }

  /** Sets the decimals of the prices, before other bars are drawn. @param {number} decimals @returns {boolean} whether they differ */
  use(decimals) {
    if (decimals === this.#decimals) return false;
    this.#decimals = decimals;
    this.#prices.applyOptions({ priceFormat: this.#priceFormat });
    return true;
  }

  /** Applies changed settings. @param {readonly Bar[]} bars to draw again */
  restyle(bars) {
    const size = parseFloat(getComputedStyle(document.documentElement).getPropertyValue('--t-xs')) || 11;
    const still = document.documentElement.dataset.motion === 'none' || matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.#chart.applyOptions({ layout: { fontSize: size }, kineticScroll: { touch: !still, mouse: false } });
    this.#axis.use();
    this.#clear(); // or the axis would keep its marks when the time zone changes
    this.#chart.timeScale().applyOptions({}); // or their labels
    this.recolour(bars);
  }

  /** Changes what is shown besides the price, and the kind of chart. @param {Shown} shown @param {Kind} kind @param {readonly Bar[]} bars to draw again */
  configure(shown, kind, bars) {
    this.#shown = shown;
    if (kind !== this.#kind) {
      this.#kind = kind;
      this.#clearDay();
      this.#levelLines.clear(); // recolour draws them again
      this.#chart.removeSeries(this.#prices);
      this.#prices = this.#makePrices();
    }
    for (const a of this.#averages) this.#chart.removeSeries(a.series);
    this.#averages = averages.filter(({ name }) => shown[name]).map(({ name, kind, n, style }) => ({
      name, average: new Average(kind, n, this.#decimals), newest: NaN,
      series: this.#chart.addSeries(LineSeries, { lineWidth: 1, lineStyle: style, lastValueVisible: false, priceLineVisible: false, crosshairMarkerVisible: false }),
    }));
    this.#volumes.applyOptions({ visible: shown.volume });
    this.#chart.priceScale('right').applyOptions({ mode: shown.log ? PriceScaleMode.Logarithmic : PriceScaleMode.Normal });
    if (!shown.day) this.#clearDay();
    this.recolour(bars);
  }

  /** Draws all bars. @param {readonly Bar[]} bars @param {boolean} home scrolls to the newest */
  draw(bars, home) {
    if (home) this.#clear(); // or the axis would keep marks of the bars before
    this.#prices.setData(/** @type {any} */ (bars.map((b) => this.#price(b))));
    this.#volumes.setData(bars.map((b) => this.#volume(b)));
    for (const a of this.#averages) {
      a.average.reset();
      a.series.setData(bars.map((b, k) => point(b, (a.newest = a.average.at(bars, k)))));
    }
    this.#drawn = bars.length;
    if (home) this.#reset();
  }

  /** Draws the newest bar of the chart again, and later ones. @param {readonly Bar[]} bars */
  follow(bars) {
    for (let k = Math.max(0, this.#drawn - 1); k < bars.length; k++) {
      const b = /** @type {Bar} */ (bars[k]);
      this.#prices.update(/** @type {any} */ (this.#price(b)));
      this.#volumes.update(this.#volume(b));
      for (const a of this.#averages) a.series.update(point(b, (a.newest = a.average.at(bars, k))));
    }
    this.#drawn = bars.length;
  }

  /** Moves the day's lines; an unknown figure has no line. @param {Day | undefined} day */
  day(day) {
    if (!this.#shown.day) return;
    for (const name of /** @type {const} */ (['o', 'h', 'l', 'c'])) {
      const at = day?.[name] ?? NaN;
      const now = this.#dayLines.get(name);
      if (now ? now.at === at : Number.isNaN(at)) continue;
      if (Number.isNaN(at)) {
        this.#clearDay(name);
      } else if (now) {
        now.at = at;
        now.line.applyOptions({ price: at });
      } else {
        const line = this.#prices.createPriceLine({
          price: at, title: this.#hooks.label(name), lineWidth: 1, lineStyle: name === 'c' ? LineStyle.LargeDashed : LineStyle.Dotted,
          color: name === 'c' ? this.#colours.soft : this.#colours.edge, axisLabelVisible: false,
        });
        this.#dayLines.set(name, { at, line });
      }
    }
  }

  /** Draws lines at prices instead of those before. @param {readonly Level[]} levels */
  levels(levels) {
    this.#levels = levels;
    const gone = new Map(this.#levelLines);
    for (const { id, price, title, quiet } of levels) {
      const options = /** @type {const} */ ({
        price, title, lineWidth: 1, lineStyle: quiet ? LineStyle.SparseDotted : LineStyle.Dashed, color: this.#colours[quiet ? 'edge' : 'text'], axisLabelColor: this.#colours.edge, axisLabelVisible: true,
      });
      gone.delete(id);
      const line = this.#levelLines.get(id);
      if (line) line.applyOptions(options);
      else this.#levelLines.set(id, this.#prices.createPriceLine(options));
    }
    for (const [id, line] of gone) {
      this.#prices.removePriceLine(line);
      this.#levelLines.delete(id);
    }
  }

  /** The width of the price axis and the height of the bars above the time axis, in px. */
  get size() {
    return { axis: this.#chart.priceScale('right').width(), height: this.#chart.paneSize().height };
  }

  /** @param {number} price @returns {number} px from the top; NaN before the first bar */
  yOf(price) {
    return this.#prices.priceToCoordinate(price) ?? NaN;
  }

  /** @param {number} y px from the top @returns {number} NaN before the first bar */
  priceAt(y) {
    return this.#prices.coordinateToPrice(y) ?? NaN;
  }

  /** The averages at a bar. @param {number} t µs @param {boolean} newest @returns {{ name: string, value: number }[]} */
  averagesAt(t, newest) {
    return this.#averages.map(({ name, series, newest: value }) => {
      if (newest) return { name, value };
      const index = this.#chart.timeScale().timeToIndex(seconds(t));
      const found = index === null ? null : /** @type {any} */ (series.dataByIndex(index));
      return { name, value: found?.value ?? NaN };
    });
  }

  /**
   * The chart as it is on the screen, after its next frame and without its crosshair. The library's takeScreenshot isn't
   * used: called while a redraw of the whole chart is pending, it never returns (5.2.1).
   * @returns {Promise<HTMLCanvasElement>}
   */
  async picture() {
    this.#chart.clearCrosshairPosition();
    await new Promise(requestAnimationFrame);
    const root = this.#chart.chartElement();
    const { left, top, width, height } = root.getBoundingClientRect();
    const scale = devicePixelRatio;
    const picture = document.createElement('canvas');
    picture.width = Math.round(width * scale);
    picture.height = Math.round(height * scale);
    const to = /** @type {CanvasRenderingContext2D} */ (picture.getContext('2d'));
    for (const layer of root.querySelectorAll('canvas')) {
      const at = layer.getBoundingClientRect();
      to.drawImage(layer, (at.left - left) * scale, (at.top - top) * scale, at.width * scale, at.height * scale);
    }
    return picture;
  }

  /** Moves the crosshair to a bar and scrolls to it; null removes it. @param {Bar | null} bar @param {number} index */
  cross(bar, index) {
    if (!bar) return this.#chart.clearCrosshairPosition();
    const time = this.#chart.timeScale();
    const range = time.getVisibleLogicalRange();
    if (range && (index < range.from + 1 || index > range.to - 1)) {
      const by = index < range.from + 1 ? index - range.from - 1 : index - range.to + 1;
      time.setVisibleLogicalRange({ from: range.from + by, to: range.to + by });
    }
    this.#chart.setCrosshairPosition(bar.c, seconds(bar.t), this.#prices);
  }

  /** Moves the crosshair to a bar if that is in sight; null, or a bar that is not, removes it. @param {Bar | null} bar @param {number} index */
  mirror(bar, index) {
    const range = this.#chart.timeScale().getVisibleLogicalRange();
    if (bar && range && index >= range.from && index <= range.to) this.#chart.setCrosshairPosition(bar.c, seconds(bar.t), this.#prices);
    else this.#chart.clearCrosshairPosition();
  }

  /** @param {number} factor above 1 zooms in */
  zoom(factor) {
    const time = this.#chart.timeScale();
    time.applyOptions({ barSpacing: Math.min(60, Math.max(0.5, time.options().barSpacing * factor)) });
  }

  /** Leaves space for the legend, which has two lines when there are several charts. @param {boolean} alone */
  room(alone) {
    this.#chart.priceScale('right').applyOptions({ scaleMargins: { top: alone ? 0.12 : 0.24, bottom: 0.16 } });
  }

  /** Scrolls to the newest bars. */
  home() {
    this.#chart.timeScale().scrollToPosition(AFTER, false);
  }

  /** @param {string} interval such as "10s" */
  scale(interval) {
    this.#axis.use(interval);
    this.#chart.timeScale().applyOptions({}); // forgets the labels of the marks
  }

  /** Applies the theme's colours. @param {readonly Bar[]} bars to draw again */
  recolour(bars) {
    const c = (this.#colours = colours(names));
    const line = { color: c.edge, labelBackgroundColor: c.edge };
    this.#chart.applyOptions({
      layout: { background: { type: ColorType.Solid, color: c.panel }, textColor: c.faint },
      grid: { vertLines: { visible: false }, horzLines: { color: c.grid } },
      crosshair: { vertLine: line, horzLine: line },
    });
    if (this.#kind === 'line') {
      this.#prices.applyOptions({ color: c.text });
    } else {
      const up = this.#hollow ? c.panel : c.up;
      this.#prices.applyOptions({ upColor: up, downColor: c.down, borderVisible: this.#hollow, borderUpColor: c.up, borderDownColor: c.down, wickUpColor: c.up, wickDownColor: c.down, priceLineColor: this.#hollow ? c.edge : '' });
    }
    for (const a of this.#averages) a.series.applyOptions({ color: c[averages.find(({ name }) => name === a.name)?.colour ?? 'soft'] });
    for (const [name, { line }] of this.#dayLines) line.applyOptions({ color: name === 'c' ? c.soft : c.edge });
    this.levels(this.#levels);
    if (bars.length) this.draw(bars, false);
  }

  /** Whether rising bars are hollow: by option, with the colour-blind palette, and with forced colours. */
  get #hollow() {
    return this.#shown.hollow || document.documentElement.dataset.colours === 'blue' || matchMedia('(forced-colors: active)').matches;
  }

  #makePrices() {
    const options = { priceLineStyle: LineStyle.Dotted, priceFormat: this.#priceFormat };
    if (this.#kind === 'line') return this.#chart.addSeries(LineSeries, { lineWidth: 2, ...options });
    return this.#chart.addSeries(CandlestickSeries, options);
  }

  /** The price axis has no finer steps than the prices. */
  get #priceFormat() {
    return /** @type {const} */ ({ type: 'price', precision: this.#decimals, minMove: fromUnits(1, this.#decimals) });
  }

  /** Shows the newest bars in the spacing of a new chart. */
  #reset() {
    const time = this.#chart.timeScale();
    this.#unsized = time.width() === 0;
    time.applyOptions({ fixLeftEdge: false, barSpacing: spacing(this.#drawn, time.width()) });
    time.scrollToPosition(AFTER, false);
    this.#chart.priceScale('right').applyOptions({ autoScale: true });
  }

  /** Removes all bars. */
  #clear() {
    for (const series of [this.#prices, this.#volumes, ...this.#averages.map((a) => a.series)]) series.setData([]);
    this.#drawn = 0;
  }

  /** @param {(keyof Day)[]} which all when not given */
  #clearDay(...which) {
    for (const [name, { line }] of this.#dayLines) {
      if (which.length && !which.includes(name)) continue;
      this.#prices.removePriceLine(line);
      this.#dayLines.delete(name);
    }
  }

  /** @param {Bar} b */
  #price(b) {
    return this.#kind === 'line' ? point(b, b.c) : { time: seconds(b.t), open: b.o, high: b.h, low: b.l, close: b.c };
  }

  /** @param {Bar} b */
  #volume(b) {
    return { time: seconds(b.t), value: b.v, color: faded(b.c >= b.o ? this.#colours.up : this.#colours.down, 0.25) };
  }
}

/** @param {Bar} b @param {number} value NaN leaves a gap */
const point = (b, value) => (Number.isNaN(value) ? { time: seconds(b.t) } : { time: seconds(b.t), value });
