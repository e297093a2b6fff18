/** @typedef {{ median: number, min: number, max: number, count: number }} Range */
/** @typedef {{ name: string, lane: string, engine: string, encoding?: string, compression?: string }} ReportVariant */
/** @typedef {{ status: string, started: string, headline: string, variants: ReportVariant[], metrics?: { key: string, name: string, unit: string, variants?: Range[] }[], pairwise?: unknown[] }} LoadReport the parts of a `ticklane load` report that are read here */
/** @typedef {{ sse: Range | null, ws: Range | null }} Cell */
/** @typedef {{ headline: string, started: string, figures: { key: string, name: string, unit: string, most: number }[], engines: { name: string, cells: Cell[] }[] }} Costs */

const FIGURES = ['cpu_per_million', 'kib_per_connection', 'wire_per_tick', 'latency_p99'];

/**
 * The engines × lanes of a load report: a row compares protocols, a column implementations. null when the report has no
 * such table or is not complete.
 * @param {LoadReport} r @returns {Costs | null}
 */
export function costs(r) {
  if (r?.status !== 'complete' || !r.pairwise?.length || !Array.isArray(r.variants)) return null;
  /** @type {Map<string, { sse?: number, ws?: number }>} */
  const at = new Map();
  r.variants.forEach((s, k) => {
    const plain = (s.encoding ?? 'json') === 'json' && (s.compression ?? 'none') === 'none';
    if (!plain || (s.lane !== 'sse' && s.lane !== 'ws')) return;
    const lanes = at.get(s.engine) ?? {};
    lanes[s.lane] ??= k;
    at.set(s.engine, lanes);
  });
  if (at.size < 2) return null;
  const metrics = FIGURES.flatMap((key) => r.metrics?.find((m) => m.key === key) ?? []);
  const range = (/** @type {Range[] | undefined} */ variants, /** @type {number | undefined} */ k) => {
    const found = k === undefined ? undefined : variants?.[k];
    return found?.count ? found : null;
  };
  const engines = [...at].map(([name, lanes]) => ({
    name, cells: metrics.map((m) => ({ sse: range(m.variants, lanes.sse), ws: range(m.variants, lanes.ws) })),
  }));
  const figures = metrics.map((m, k) => ({
    key: m.key, name: m.name, unit: m.unit, most: Math.max(0, ...engines.flatMap(({ cells }) => [cells[k]?.sse?.median ?? 0, cells[k]?.ws?.median ?? 0])),
  }));
  return { headline: r.headline, started: r.started, figures, engines };
}
