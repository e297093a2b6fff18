// The table of the nodes.
import { age, byteRate, count, latency } from '../model/formats.js';
import { named, t } from '../text.js';
import { el } from '../ui/common/dom.js';
import { stateOf } from './nodes.js';

/** @import { ClusterNode, ClusterView, Quantiles } from './types.js' */

/** @param {Quantiles} q */
const quantiles = (q) => (q.p99 ? `${latency(q.p50 / 1000)} / ${latency(q.p99 / 1000)}` : '–');

/** The columns: a text's key, whether its cells are numbers, and the cell's content. @type {[string, boolean, (n: ClusterNode, view: ClusterView) => (Node | string)[]][]} */
const columns = [
  ['role', false, (n) => [n.state === 'up' ? named(`cluster.role.${n.role}`, n.role) : '–']],
  ['state', false, state],
  ['head', true, (n) => [count(n.head)]],
  ['behind', true, (n) => [count(n.behind), ...(n.lag ? [el('small', {}, t('cluster.messages', { n: n.lag }))] : [])]],
  ['sse', true, (n) => [count(n.sse)]],
  ['ws', true, (n) => [count(n.ws)]],
  ['ticks', true, (n) => [count(n.ticks)]],
  ['bytes', true, (n) => [byteRate(n.bytes)]],
  ['read', true, (n) => [quantiles(n.read)]],
  ['ack', true, (n) => [n.role === 'writer' ? quantiles(n.ack) : '–']],
  ['server', false, (n) => [n.server ? n.server.replace(/^nats:\/\//, '') : n.connected ? t('cluster.embedded') : '–']],
  ['version', false, (n) => [n.version]],
  ['uptime', true, (n, view) => [age((view.now - n.started) / 1000)]],
];

/** @param {ClusterNode} n */
function state(n) {
  const s = stateOf(n);
  return [el('span', { class: `state ${s.look}` }, s.text)];
}

/** The head of the table. */
export const tableHead = () => el('tr', {}, el('th', { scope: 'col' }, t('cluster.column.node')),
  ...columns.map(([key, number]) => el('th', { scope: 'col', ...(number && { class: 'num' }) }, t(`cluster.column.${key}`))));

/** A row for each node, and one for what fails on it. @param {ClusterView} view */
export const tableRows = (view) => view.nodes.flatMap((n) => {
  const row = el('tr', n.state === 'up' ? {} : { class: 'gone' },
    el('th', { scope: 'row' }, n.name, el('small', {}, n.address)),
    ...columns.map(([, number, cell]) => el('td', number ? { class: 'num' } : {}, ...cell(n, view))));
  return n.error && n.connected && n.state === 'up' ? [row, el('tr', {}, el('td', { class: 'cause', lang: 'en', colspan: String(columns.length + 1) }, `${n.name}: ${n.error}`))] : [row];
});
