import { t } from '../../text.js';
import { el, part, setText } from '../../ui/common/dom.js';
import { faded, patterned } from '../../ui/settings/theme.js';
import { byAge, matched, newestOf } from '../core/overlay.js';
import { extent, place, shares, ticks } from './bins.js';
import { Plot, mark } from './plot.js';
import { axis, ms } from './formats.js';

/** @typedef {import('../core/types.js').Result} Result */
/** @typedef {import('../core/types.js').KeptRun} KeptRun */
/** @typedef {import('../../ui/settings/theme.js').Theme} Theme */
/** @typedef {import('./plot.js').Columns} Columns */

const SECONDS = 120; // of the rolling plot
const MIN_TICKS = 20; // for a histogram

/** Latency of both sides, difference of the same tick, and p99 over time. */
export class Plots {
  #latency;
  #difference;
  #rolling;
  /** @type {Result | null} */
  #result = null;
  /** @type {[number, number]} visible buckets */
  #latencyRange = [0, 1];
  /** @type {[number, number]} */
  #diffRange = [0, 1];
  /** @type {{ at: number, label: string }[]} local ms since 1970 */
  #drills = [];
  #now = 0; // local ms since 1970 of the newest second
  #sides = '';
  #drawn = 0; // second up to which p99 was drawn
  /** @type {KeptRun | null} */
  #kept = null;

  /** @param {{ theme: Theme }} parts */
  constructor({ theme }) {
    this.#latency = new Plot(part('latency-plot'), { theme, make: (c) => this.#latencyOptions(c), describe: (d, k) => this.#readLatency(d, k) });
    this.#difference = new Plot(part('diff-plot'), { theme, make: (c) => this.#diffOptions(c), describe: (d, k) => this.#readDifference(d, k) });
    this.#rolling = new Plot(part('rolling-plot'), { theme, make: (c) => this.#rollingOptions(c), describe: (d, k) => this.#readRolling(d, k) });
  }

  /** @returns {{ title: string, canvas: HTMLCanvasElement | null }[]} */
  get canvases() {
    return [
      { title: t('compare.plot.latency'), canvas: this.#latency.canvas },
      { title: t('compare.plot.same', { pair: this.#result?.pairs.label ?? '' }), canvas: this.#difference.canvas },
      { title: t('compare.plot.p99'), canvas: this.#rolling.canvas },
    ];
  }

  /** Marks a drill. @param {number} at ms since 1970 @param {string} label */
  drilled(at, label) {
    this.#drills = [...this.#drills.filter((d) => at - d.at < SECONDS * 1000), { at, label }];
  }

  /** Removes all marks. */
  clear() {
    this.#drills = [];
  }

  /** Lays a kept run over the current one. @param {KeptRun | null} run null removes it */
  over(run) {
    this.#kept = run;
    this.#drawn = 0;
    for (const p of [this.#latency, this.#difference, this.#rolling]) p.clear();
    if (!this.#result) return;
    this.#nameSides(this.#result);
    this.paint(this.#result);
  }

  /** @param {Result} result */
  paint(result) {
    const sides = result.setup.sides.join(',');
    const changed = sides !== this.#sides;
    this.#sides = sides;
    this.#result = result;
    const [a, b] = result.sides;
    const untimed = t('compare.plot.untimed');
    const waiting = t('compare.plot.waiting');

    const both = [a.histogram, b.histogram, ...this.#keptSides(result).map((s) => s?.histogram ?? { bounds: a.histogram.bounds, counts: [] })];
    const range = result.timed && a.latency.count + b.latency.count >= MIN_TICKS ? extent(both) : null;
    if (range) this.#latencyRange = cutBelowError(range, both[0]?.bounds ?? [], result.clock.error);
    this.#latency.set(range && measured(shares(both, this.#latencyRange), both), result.timed ? waiting : untimed);

    const differences = [result.pairs.histogram, ...(this.#kept ? [this.#kept.pairs.histogram] : [])];
    const pairs = result.pairs.count >= MIN_TICKS ? extent(differences) : null;
    if (pairs) this.#diffRange = balance(pairs, result.pairs.histogram.counts.length);
    this.#difference.set(pairs && measured(shares(differences, this.#diffRange), differences), t('compare.plot.waiting.both'));

    const second = a.series.at(-1)?.t ?? 0;
    if (second !== this.#drawn || second === 0) {
      this.#drawn = second;
      this.#rolling.set(result.timed ? this.#columns(result) : null, result.timed ? waiting : untimed);
    }
    if (changed) this.#nameSides(result);
    if (changed) for (const p of [this.#latency, this.#difference, this.#rolling]) p.rebuild();
    this.#describe(result);
  }

  /** @param {Result} result */
  #nameSides({ sides: [a, b] }) {
    const keys = [a, b].map((s, k) => el('span', {}, el('i', { class: `key side-${'ab'[k]}`, 'aria-hidden': 'true' }), s.name));
    if (this.#kept) keys.push(el('span', {}, el('i', { class: 'key kept', 'aria-hidden': 'true' }), t('compare.figures.kept')));
    part('latency-key').replaceChildren(...keys);
  }

  /** The kept sides that belong to the current ones; [] without a kept run. @param {Result} result */
  #keptSides(result) {
    return this.#kept ? matched(result, this.#kept) : [];
  }

  /** @param {Result} result @returns {Columns | null} seconds before now, p99 of each side, then of each kept one */
  #columns(result) {
    const { sides: [a, b] } = result;
    const newest = Math.max(a.series.at(-1)?.t ?? 0, b.series.at(-1)?.t ?? 0);
    if (newest === 0) return null;
    this.#now = newest;
    const kept = this.#kept;
    const sides = [...[a, b].map((s) => byAge(s.series, newest)), ...this.#keptSides(result).map((s) => (kept && s ? byAge(s.series, newestOf(kept)) : new Map()))];
    const ages = new Set([...[...a.series, ...b.series].map((s) => Math.round((s.t - newest) / 1000)), ...sides.flatMap((s) => [...s.keys()])]);
    const x = [...ages].filter((s) => s >= -SECONDS && s <= 0).sort((x, y) => x - y);
    const columns = sides.map((side) => x.map((s) => side.get(s) ?? null));
    return columns.slice(0, 2).some((c) => c.some((v) => v !== null)) ? [x, ...columns] : null;
  }

  /** @param {import('./plot.js').Palette} c @returns {[string, string]} the sides' colours */
  #colours(c) {
    const [a, b] = this.#result?.setup.sides ?? ['sse', 'ws'];
    return [c[a], a === b ? c.soft : c[b]];
  }

  /** The lines of a kept run; [] without one. @param {string[]} colours of the current run's lines */
  #faint(colours) {
    return this.#kept ? colours.map((colour) => ({ stroke: faded(colour, 0.6), width: 1.2, dash: [4, 3], points: { show: false }, spanGaps: false })) : [];
  }

  /** @param {import('./plot.js').Palette} c */
  #latencyOptions(c) {
    const [a, b] = this.#colours(c);
    const bounds = () => this.#result?.sides[0].histogram.bounds ?? [];
    const one = (/** @type {string} */ colour) => ({ stroke: colour, fill: faded(colour, 0.16), width: 1.6, points: { show: false } });
    return {
      scales: { x: { time: false, range: () => this.#latencyRange }, y: { range: (/** @type {any} */ _u, /** @type {number} */ _low, /** @type {number} */ high) => /** @type {[number, number]} */ ([0, high * 1.05 || 1]) } },
      series: [{}, one(a), { ...one(b), ...patterned() }, ...this.#faint([a, b])],
      axes: [
        { size: 22, splits: () => ticks(bounds(), this.#latencyRange).map((v) => place(bounds(), v)), values: () => ticks(bounds(), this.#latencyRange).map(axis) },
        { show: false },
      ],
    };
  }

  /** @param {import('./plot.js').Palette} c */
  #diffOptions(c) {
    const bounds = () => this.#result?.pairs.histogram.bounds ?? [];
    return {
      scales: { x: { time: false, range: () => this.#diffRange }, y: { range: (/** @type {any} */ _u, /** @type {number} */ _low, /** @type {number} */ high) => /** @type {[number, number]} */ ([0, high * 1.05 || 1]) } },
      series: [{}, { stroke: c.soft, fill: faded(c.soft, 0.2), width: 1.6, points: { show: false } }, ...this.#faint([c.soft])],
      axes: [
        { size: 22, splits: () => ticks(bounds(), this.#diffRange).map((v) => place(bounds(), v)), values: () => ticks(bounds(), this.#diffRange).map((v) => (v > 0 ? `+${axis(v)}` : axis(v))) },
        { show: false },
      ],
      hooks: {
        draw: [(/** @type {import('uplot')} */ u) => {
          const zero = place(bounds(), 0);
          if (!Number.isNaN(zero)) mark(u, zero, c.text);
        }],
      },
    };
  }

  /** @param {import('./plot.js').Palette} c */
  #rollingOptions(c) {
    const [a, b] = this.#colours(c);
    const one = (/** @type {string} */ colour) => ({ stroke: colour, width: 1.6, points: { show: false }, spanGaps: false });
    return {
      scales: {
        x: { time: false, range: () => /** @type {[number, number]} */ ([-SECONDS, 0]) },
        y: { distr: /** @type {any} */ (3), range: (/** @type {any} */ _u, /** @type {number} */ low, /** @type {number} */ high) => span(low, high) },
      },
      series: [{}, one(a), { ...one(b), ...patterned() }, ...this.#faint([a, b])],
      axes: [
        { size: 22, splits: () => [-120, -90, -60, -30, 0], values: () => [t('compare.plot.ago', { s: '120' }), '−90', '−60', '−30', t('compare.plot.now')] },
        { size: 34, splits: (/** @type {any} */ _u, /** @type {any} */ _k, /** @type {number} */ low, /** @type {number} */ high) => logSplits(low, high), filter: (/** @type {any} */ _u, /** @type {number[]} */ v) => v, values: (/** @type {any} */ _u, /** @type {number[]} */ v) => v.map(axis) },
      ],
      hooks: {
        drawClear: [(/** @type {import('uplot')} */ u) => this.#shade(u, c.grid)],
        draw: [(/** @type {import('uplot')} */ u) => this.#drills.forEach((d, k) => mark(u, (d.at - this.#now) / 1000, c.bad, d.label, k % 3))],
      },
    };
  }

  /** Greys the seconds that are left out. @param {import('uplot')} u @param {string} colour */
  #shade(u, colour) {
    const out = this.#result?.sides[0].series.filter((s) => s.leftOut !== null) ?? [];
    u.ctx.save();
    u.ctx.fillStyle = colour;
    for (const s of out) {
      const x = (s.t - this.#now) / 1000;
      if (x < -SECONDS) continue;
      const left = u.valToPos(Math.max(-SECONDS, x - 0.5), 'x', true);
      const right = u.valToPos(Math.min(0, x + 0.5), 'x', true);
      u.ctx.fillRect(left, u.bbox.top, right - left, u.bbox.height);
    }
    u.ctx.restore();
  }

  /** @param {Columns} d @param {number} k */
  #readLatency(d, k) {
    const [a, b] = this.#result?.sides ?? [];
    const at = value(this.#result?.sides[0].histogram.bounds, d[0]?.[k]);
    const args = { at, sideA: a?.name, sideB: b?.name, a: share(d[1]?.[k]), b: share(d[2]?.[k]) };
    return withKept(k === 0 ? t('compare.plot.reading.first', args) : t('compare.plot.reading', args), d.slice(3), k, share);
  }

  /** @param {Columns} d @param {number} k */
  #readDifference(d, k) {
    return withKept(t('compare.plot.reading.pairs', { at: value(this.#result?.pairs.histogram.bounds, d[0]?.[k]), share: share(d[1]?.[k]) }), d.slice(2), k, share);
  }

  /** @param {Columns} d @param {number} k */
  #readRolling(d, k) {
    const [a, b] = this.#result?.sides ?? [];
    const at = Math.round(Number(d[0]?.[k]));
    const args = { s: String(-at), sideA: a?.name, sideB: b?.name, a: ms(d[1]?.[k] ?? NaN), b: ms(d[2]?.[k] ?? NaN) };
    return withKept(at === 0 ? t('compare.plot.reading.now', args) : t('compare.plot.reading.ago', args), d.slice(3), k, (v) => ms(v ?? NaN));
  }

  /** Describes the plots for screen readers. @param {Result} r */
  #describe({ sides: [a, b], pairs }) {
    const names = { sideA: a.name, sideB: b.name };
    part('latency-plot').setAttribute('aria-label', t('compare.plot.description.latency', { ...names, a: ms(a.latency.p50), b: ms(b.latency.p50) }));
    part('diff-plot').setAttribute('aria-label', t('compare.plot.description.same', { median: ms(pairs.median), n: pairs.count }));
    part('rolling-plot').setAttribute('aria-label', t('compare.plot.description.p99', { ...names, a: ms(a.series.at(-1)?.p99 ?? NaN), b: ms(b.series.at(-1)?.p99 ?? NaN) }));
    const [first = 'A', second = 'B'] = pairs.label.split(' − ');
    setText(part('t-diff'), t('compare.plot.head', { first, second }));
  }
}

/** Shares without lines for empty histograms. @param {number[][]} columns @param {readonly import('../core/types.js').Buckets[]} all @returns {Columns} */
const measured = (columns, all) => columns.map((column, k) => (k === 0 || Array.from(all[k - 1]?.counts ?? []).some((n) => n > 0) ? column : column.map(() => null)));

/**
 * Cuts off latencies far below the clock's error, to which a logarithmic axis would give most of its width.
 * @param {[number, number]} range @param {ArrayLike<number>} bounds @param {number} error of the clock, ms
 * @returns {[number, number]}
 */
function cutBelowError([from, to], bounds, error) {
  const least = Math.floor(place(bounds, error / 4));
  return [least > from && least < to - 8 ? least : from, to];
}

/** Keeps 0 in the middle, so that asymmetry is visible. @param {[number, number]} range @param {number} buckets @returns {[number, number]} */
function balance([from, to], buckets) {
  const middle = (buckets - 1) / 2;
  const reach = Math.min(middle, Math.max(middle - from, to - middle));
  return [Math.floor(middle - reach), Math.ceil(middle + reach)];
}

/** At least a decade, so that small variations do not look large. @param {number} low @param {number} high @returns {[number, number]} */
function span(low, high) {
  if (!(low > 0) || !(high > 0)) return [0.1, 10];
  const middle = Math.sqrt(low * high);
  return [Math.min(low / 1.3, middle / 3.2), Math.max(high * 1.3, middle * 3.2)];
}

/** @param {number} low @param {number} high */
function logSplits(low, high) {
  const out = [];
  for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); e++) {
    for (const d of high / low > 300 ? [1] : [1, 3]) {
      const v = d * 10 ** e;
      if (v >= low && v <= high) out.push(v);
    }
  }
  return out;
}

/**
 * A readout with the values of a kept run, if there are any.
 * @param {string} text @param {Columns} columns of the kept run @param {number} k @param {(v: number | null | undefined) => string} show
 */
const withKept = (text, columns, k, show) => (columns.length ? t('compare.plot.reading.kept', { text, kept: columns.map((c) => show(c[k])).join(' · ') }) : text);

/** @param {number | null | undefined} x */
const share = (x) => `${(x ?? 0).toFixed((x ?? 0) < 9.95 ? 1 : 0)} %`;

/** The value at a bucket number. @param {ArrayLike<number> | undefined} bounds @param {number | null | undefined} at */
function value(bounds, at) {
  const x = Number(bounds?.[Math.floor(at ?? 0)]);
  return Number.isFinite(x) ? String(Number(x.toPrecision(2))).replace('-', '−') : '–';
}
