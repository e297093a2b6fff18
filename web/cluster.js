// The page of the nodes: requests the list each second while it is visible.
import docs from '../docs/cluster.md';
import { RefusedError, getJSON } from './browser/http.js';
import { summary, troubles } from './cluster/nodes.js';
import { picture } from './cluster/picture.js';
import { Series } from './cluster/series.js';
import { tableHead, tableRows } from './cluster/table.js';
import { dates, timeOfDay } from './model/formats.js';
import { t } from './text.js';
import { byId, el, part, setText } from './ui/common/dom.js';
import { PageSession } from './ui/session/pageSession.js';
import { settings } from './ui/settings/settings.js';
import { SettingsDialog } from './ui/settings/settingsDialog.js';

/** @import { ClusterView } from './cluster/types.js' */

const INTERVAL = 1000; // ms
const TIMEOUT = 5000;

new SettingsDialog();
new PageSession({ feeds: () => [] });
byId('cluster-docs', HTMLAnchorElement).href = String(new URL(docs, import.meta.url));
if (document.getElementById('nodes')) begin();

/** Sets the rows of a table. Cells that don't change stay, so that their text can be selected. @param {HTMLElement} body @param {HTMLElement[]} rows */
function setRows(body, rows) {
  if (body.children.length !== rows.length) return body.replaceChildren(...rows);
  rows.forEach((row, i) => {
    const old = /** @type {HTMLElement} */ (body.children[i]);
    if (old.children.length !== row.children.length) return old.replaceWith(row);
    old.className = row.className;
    [...row.children].forEach((cell, k) => {
      if (!old.children[k]?.isEqualNode(cell)) old.children[k]?.replaceWith(cell);
    });
  });
}

function begin() {
  const series = new Series();
  /** @type {ClusterView | null} */
  let view = null;
  let failed = ''; // why the newest request failed
  let answered = 0; // when the newest answer came, ms since 1970
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let waiting = false; // for an answer

  function paint() {
    if (view) {
      setText(part('summary'), summary(view));
      setText(part('seen-by'), t('cluster.seenBy', { node: view.self }));
      setRows(part('nodes-head'), [tableHead()]);
      setRows(part('nodes'), tableRows(view));
      const { head, rows } = picture(view, series);
      setRows(part('picture-head'), [head]);
      setRows(part('picture'), rows);
      const when = dates({ dateStyle: 'medium', timeStyle: 'medium' });
      setRows(part('changes'), series.changes.map((c) => el('tr', {}, el('td', {}, when.format(c.at / 1000)),
        el('td', {}, c.node || t('cluster.noWriter')), el('td', {}, c.node ? String(c.term) : '–'))));
    }
    paintTroubles();
  }

  function paintTroubles() {
    const all = view ? troubles(view) : [];
    if (failed) all.unshift(answered ? { text: t('cluster.failed.since', { time: timeOfDay(answered), why: failed }) } : { text: t('cluster.failed', { why: failed }) });
    const list = part('troubles');
    list.hidden = !all.length;
    const rows = all.map(({ text, english }) => el('p', {}, text, ...english ? [' ', el('span', { lang: 'en' }, english)] : []));
    // Written only when it changes: it is read out.
    if ([...list.children].map((e) => e.textContent).join('\n') !== rows.map((e) => e.textContent).join('\n')) list.replaceChildren(...rows);
  }

  async function poll() {
    clearTimeout(timer);
    if (waiting || document.hidden) return;
    waiting = true;
    let pause = INTERVAL;
    try {
      const next = /** @type {ClusterView} */ (await getJSON(`/api/cluster?since=${series.since}`, { timeout: TIMEOUT }));
      series.add(next);
      view = next;
      failed = '';
      answered = Date.now();
    } catch (err) {
      failed = err instanceof RefusedError && err.status ? err.message : t('cluster.unreachable');
      if (err instanceof RefusedError) pause = Math.max(pause, err.retryAfter);
    }
    waiting = false;
    paint();
    timer = setTimeout(poll, pause);
  }

  settings.on(paint);
  document.addEventListener('visibilitychange', poll);
  void poll();
}
