// What the page says of the nodes: the state of each, and what needs attention.
import { timeOfDay } from '../model/formats.js';
import { t } from '../text.js';

/** @import { ClusterNode, ClusterView } from './types.js' */

const time = (/** @type {number} */ us) => timeOfDay(us / 1000);

/**
 * The state of a node: how it looks, and its text.
 * @param {ClusterNode} n @returns {{ look: 'good' | 'warn' | 'bad' | 'gone', text: string }}
 */
export function stateOf(n) {
  if (n.state === 'left') return { look: 'gone', text: t('cluster.state.left', { time: time(n.reported) }) };
  if (n.state === 'lost') return { look: 'bad', text: t('cluster.state.lost', { time: time(n.reported) }) };
  if (!n.connected) return { look: 'bad', text: t('cluster.state.away') };
  if (!n.ready) return { look: 'warn', text: n.reason === 'reading' ? t('cluster.state.reading') : t('cluster.state.stopping') };
  if (n.stale) return { look: 'warn', text: t('cluster.state.stale', { time: time(n.stale) }) };
  return { look: 'good', text: t('cluster.state.ready') };
}

/** Names in a list. @param {readonly ClusterNode[]} nodes */
const names = (nodes) => [...new Set(nodes.map((n) => n.name))].join(', ');

/**
 * Sentences about what needs attention, the most urgent first.
 * @param {ClusterView} view
 */
export function troubles({ connected, self, writer, nodes, differences }) {
  const all = [];
  const up = nodes.filter((n) => n.state === 'up');
  if (!connected) all.push(t('cluster.trouble.away', { node: self }));
  else if (!writer) all.push(unwritten(up));
  const lost = nodes.filter((n) => connected && n.state === 'lost');
  if (lost.length) all.push(t('cluster.trouble.lost', { nodes: names(lost) }));
  const epochs = new Set(up.map((n) => n.epoch));
  if (epochs.size > 1) {
    const current = up.find((n) => n.name === writer)?.epoch;
    all.push(t('cluster.trouble.epochs', { n: epochs.size, nodes: names(up.filter((n) => n.epoch !== current)) }));
  }
  const duplicate = up.filter((n) => n.duplicate);
  if (duplicate.length) all.push(t('cluster.trouble.duplicate', { nodes: names(duplicate) }));
  const stale = up.filter((n) => n.stale && n.connected);
  if (stale.length) all.push(t('cluster.trouble.stale', { nodes: names(stale), time: time(Math.min(...stale.map((n) => n.stale))) }));
  const versions = new Set(up.map((n) => n.version));
  if (versions.size > 1) all.push(t('cluster.trouble.versions', { n: versions.size }));
  const settings = new Set();
  for (const d of differences) {
    if (settings.has(d.setting)) continue; // on another node, too
    settings.add(d.setting);
    all.push(t(d.here || d.there ? 'cluster.trouble.setting' : 'cluster.trouble.secret', { ...d, self }));
  }
  return all;
}

/** Why no node runs the feed. @param {readonly ClusterNode[]} up the nodes that run */
function unwritten(up) {
  const able = up.filter((n) => n.role !== 'reader');
  if (!able.length) return t('cluster.trouble.readers');
  const failed = able.find((n) => n.error);
  return failed ? t('cluster.trouble.failed', { node: failed.name, why: failed.error }) : t('cluster.trouble.nobody');
}

/** One sentence about all nodes. @param {ClusterView} view */
export function summary({ writer, nodes }) {
  const up = nodes.filter((n) => n.state === 'up');
  const args = { n: up.length, ready: up.filter((n) => stateOf(n).look === 'good').length, writer, streams: up.reduce((sum, n) => sum + n.sse + n.ws, 0) };
  return writer ? t('cluster.summary', args) : t('cluster.summary.nobody', args);
}
