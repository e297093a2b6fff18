// Compares the conditions of two load reports, which decide whether their figures can be compared.
import { named, t } from '../../text.js';

/** @typedef {import('./reportTable.js').Report} Report */

/** Members in the order of the sentence. Unknown members are listed by name. */
const SETUP = ['conns', 'topics', 'mode', 'encoding', 'compress', 'rounds', 'duration_s', 'warmup_s', 'ramp_s', 'slow_readers', 'churn_per_s', 'seed', 'cuts'];
const MACHINE = ['os', 'arch', 'cpu', 'cores', 'memory_bytes', 'go'];
const TARGET = ['own', 'loopback', 'version', 'symbols', 'feed', 'seed', 'heartbeat_ms'];

/** A report's status in the page's language. @param {string} code */
export const status = (code) => named(`reports.status.${code}`, code);

/**
 * The differences, each a part of a sentence.
 * @param {Report} a @param {Report} b
 */
export function differences(a, b) {
  /** @type {string[]} */
  const found = [];
  if (a.status !== 'complete') found.push(t('reports.differs.first', { status: status(a.status) }));
  if (b.status !== 'complete') found.push(t('reports.differs.second', { status: status(b.status) }));
  if (a.kind !== b.kind) found.push(t('reports.differs.kind', { a: kind(a), b: kind(b) }));
  found.push(...differing(a.setup, b.setup, SETUP, true, (k) => named(`reports.differs.setup.${k}`, '')));
  if (!same(settings(a), settings(b))) found.push(t('reports.differs.settings'));
  // Settings of a running server are unknown, so its address must be the same.
  if (!a.target?.own && !b.target?.own && a.target?.url !== b.target?.url) found.push(t('reports.differs.servers'));
  found.push(...differing(a.target, b.target, TARGET, false, (k) => named(`reports.differs.target.${k}`, '')));
  if (a.variants.length !== b.variants.length) found.push(t('reports.differs.variants'));
  else {
    a.variants.forEach((s, k) => {
      const o = b.variants[k];
      const side = { side: String.fromCharCode(65 + k) };
      if (s.lane !== o?.lane) found.push(t('reports.differs.lane', side));
      if (s.engine !== o?.engine) found.push(t('reports.differs.engine', side));
      // Reports of earlier versions have neither member: JSON, uncompressed.
      if ((s.encoding ?? 'json') !== (o?.encoding ?? 'json')) found.push(t('reports.differs.encoding', side));
      if ((s.compression ?? 'none') !== (o?.compression ?? 'none')) found.push(t('reports.differs.compression', side));
      if (!same(s.settings ?? [], o?.settings ?? [])) found.push(t('reports.differs.server', side));
      if (s.path !== o?.path) found.push(t('reports.differs.request', side));
    });
  }
  found.push(...differing(a.machine, b.machine, MACHINE, true, (k) => named(`reports.differs.machine.${k}`, '')));
  return found;
}

/** A sentence on whether the reports can be compared. @param {[Report, Report]} reports */
export function verdict([a, b]) {
  const found = differences(a, b);
  return found.length ? t('reports.differs', { what: found.join(t('reports.comma')) }) : t('reports.comparable');
}

/** @param {Report} r */
const kind = (r) => named(`reports.kind.${r.kind.replace(/ /g, '-')}`, r.kind);

/** @param {Report} r */
const settings = (r) => [...(r.target?.settings ?? [])].sort();

/**
 * @param {object} a @param {object} b @param {string[]} known
 * @param {boolean} whole includes unknown members
 * @param {(key: string) => string} differs text for a known member, '' for none
 */
function differing(a, b, known, whole, differs) {
  const [x, y] = /** @type {Record<string, unknown>[]} */ ([a ?? {}, b ?? {}]);
  const keys = [...known];
  if (whole) keys.push(...Object.keys({ ...x, ...y }).filter((k) => !known.includes(k)));
  return keys.filter((k) => !same(x?.[k], y?.[k])).map((k) => differs(k) || t('reports.differs.member', { name: k }));
}

/** @param {unknown} x @param {unknown} y */
const same = (x, y) => JSON.stringify(x) === JSON.stringify(y);
