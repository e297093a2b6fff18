// Whether two load reports were made under the same conditions, so that their figures may be held against each other.

/** @typedef {import('./pairtable.js').Report} Report */

/** What is asked of a setup, as the sentence names it. An unknown member goes by its own name. @type {Record<string, string>} */
const ASKED = {
  conns: 'connections', topics: 'topics', mode: 'modes', encoding: 'encodings', compress: 'kinds of compression', rounds: 'rounds',
  duration_s: 'durations', warmup_s: 'warm-ups', ramp_s: 'ramps', slow_readers: 'slow readers', churn_per_s: 'rates of churn', seed: 'seeds', cuts: 'cuts',
};

/** @type {Record<string, string>} */
const HARDWARE = {
  os: 'operating systems', arch: 'architectures', cpu: 'processors', cores: 'numbers of cores', memory_bytes: 'amounts of memory', go: 'Go versions',
};

/** @type {Record<string, string>} */
const SERVER = {
  own: 'kinds of server (own, running)', loopback: 'ways to the server (loopback, network)', version: 'versions', symbols: 'numbers of symbols', feed: 'feeds',
  seed: 'seeds of the feed', heartbeat_ms: 'heartbeats',
};

/**
 * What differs, each as a part of a sentence; empty when nothing does.
 * @param {Report} a @param {Report} b
 */
export function unlike(a, b) {
  /** @type {string[]} */
  const found = [];
  for (const [r, which] of /** @type {const} */ ([[a, 'first'], [b, 'second']])) {
    if (r.status !== 'complete') found.push(`the ${which} is ${r.status}`);
  }
  if (a.kind !== b.kind) found.push(`one is a ${a.kind}, the other a ${b.kind}`);
  found.push(...differing(a.setup, b.setup, ASKED, true));
  if (!same(settings(a), settings(b))) found.push("the server's settings differ");
  // At an address there are no settings to compare, so it has to be the same server.
  if (!a.target?.own && !b.target?.own && a.target?.url !== b.target?.url) found.push('the servers differ');
  found.push(...differing(a.target, b.target, SERVER, false));
  if (a.sides.length !== b.sides.length) found.push('the numbers of sides differ');
  else {
    a.sides.forEach((s, k) => {
      const t = b.sides[k];
      const side = String.fromCharCode(65 + k);
      if (s.lane !== t?.lane) found.push(`lane ${side} differs`);
      if (s.engine !== t?.engine) found.push(`engine ${side} differs`);
      // Reports of earlier versions are of JSON, plain, and don't say so.
      if ((s.encoding ?? 'json') !== (t?.encoding ?? 'json')) found.push(`encoding ${side} differs`);
      if ((s.compression ?? 'none') !== (t?.compression ?? 'none')) found.push(`compression ${side} differs`);
      if (!same(s.settings ?? [], t?.settings ?? [])) found.push(`the server of ${side} differs`);
      if (s.path !== t?.path) found.push(`the request of ${side} differs`);
    });
  }
  found.push(...differing(a.machine, b.machine, HARDWARE, true));
  return found;
}

/** A sentence on whether they may be held against each other. @param {[Report, Report]} reports */
export function verdict([a, b]) {
  const found = unlike(a, b);
  if (!found.length) return 'Same setup, machine and version: the columns may be held against each other.';
  return `Not the same conditions: ${found.join(', ')}. Each report stands for itself.`;
}

/** @param {Report} r */
const settings = (r) => [...(r.target?.settings ?? [])].sort();

/**
 * @param {object} a @param {object} b @param {Record<string, string>} names
 * @param {boolean} whole members without a name count too
 */
function differing(a, b, names, whole) {
  const [x, y] = /** @type {Record<string, unknown>[]} */ ([a ?? {}, b ?? {}]);
  const keys = Object.keys(names);
  if (whole) keys.push(...Object.keys({ ...x, ...y }).filter((k) => !(k in names)));
  return keys.filter((k) => !same(x?.[k], y?.[k])).map((k) => `${names[k] ?? k} differ`);
}

/** @param {unknown} x @param {unknown} y */
const same = (x, y) => JSON.stringify(x) === JSON.stringify(y);
