// What the page says of the nodes: the state of each, and what needs attention.
import { timeOfDay } from '../model/formats.js';
import { t } from '../text.js';

/** @import { ClusterNode, ClusterView, Difference } from './types.js' */

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

/** @typedef {{ text: string, english?: string }} Trouble a sentence, and what follows of it: the server's words, which are English */

/**
 * Sentences about what needs attention, the most urgent first.
 * @param {ClusterView} view @returns {Trouble[]}
 */
export function troubles({ connected, self, writer, nodes, differences }) {
  /** @type {Trouble[]} */
  const all = [];
  const add = (/** @type {string} */ text) => all.push({ text });
  const up = nodes.filter((n) => n.state === 'up');
  if (!connected) add(t('cluster.trouble.away', { node: self }));
  else if (!writer) all.push(noWriter(up));
  const lost = nodes.filter((n) => connected && n.state === 'lost');
  if (lost.length) add(t('cluster.trouble.lost', { nodes: names(lost) }));
  const epochs = new Set(up.map((n) => n.epoch));
  if (epochs.size > 1) {
    const current = up.find((n) => n.name === writer)?.epoch;
    add(t('cluster.trouble.epochs', { n: epochs.size, nodes: names(up.filter((n) => n.epoch !== current)) }));
  }
  const duplicate = up.filter((n) => n.duplicate);
  if (duplicate.length) add(t('cluster.trouble.duplicate', { nodes: names(duplicate) }));
  const stale = up.filter((n) => n.stale && n.connected);
  if (stale.length) add(t('cluster.trouble.stale', { nodes: names(stale), time: time(Math.min(...stale.map((n) => n.stale))) }));
  const versions = new Set(up.map((n) => n.version));
  if (versions.size > 1) add(t('cluster.trouble.versions', { n: versions.size }));
  for (const setting of new Set(differences.map((d) => d.setting))) all.push(different(self, differences.filter((d) => d.setting === setting)));
  return all;
}

/** Why no node runs the feed. @param {readonly ClusterNode[]} up the nodes that run @returns {Trouble} */
function noWriter(up) {
  const able = up.filter((n) => n.role !== 'reader');
  if (!able.length) return { text: t('cluster.trouble.readers') };
  const failed = able.find((n) => n.self && n.error) ?? able.find((n) => n.error);
  return failed ? { text: t('cluster.trouble.failed', { node: failed.name }), english: failed.error } : { text: t('cluster.trouble.noWriter') };
}

/** The values of one setting. @param {string} self @param {Difference[]} others the nodes with another value @returns {Trouble} */
function different(self, others) {
  const { setting, here, effect: english } = /** @type {Difference} */ (others[0]);
  if (others.every((d) => !d.here && !d.there)) return { text: t('cluster.trouble.secret', { setting, self, nodes: others.map((d) => d.node).join(', ') }), english };
  const values = new Map([[here, [self]]]);
  for (const { there, node } of others) values.set(there, [...values.get(there) ?? [], node]);
  const list = [...values].map(([value, nodes]) => t('cluster.trouble.value', { value: value || t('cluster.trouble.empty'), nodes: nodes.join(', ') }));
  return { text: t('cluster.trouble.setting', { setting, values: list.join('; ') }), english };
}

/** One sentence about all nodes. @param {ClusterView} view */
export function summary({ writer, nodes }) {
  const up = nodes.filter((n) => n.state === 'up');
  const args = { n: up.length, ready: up.filter((n) => stateOf(n).look === 'good' && !n.error).length, writer, streams: up.reduce((sum, n) => sum + n.sse + n.ws, 0) };
  return writer ? t('cluster.summary', args) : t('cluster.summary.noWriter', args);
}
