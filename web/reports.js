// The page of the load reports: formats sizes and times, compares two reports from their JSON, and shows a figure over all.
// The address contains which two, and which figure.
import { bytes, dates } from './model/formats.js';
import { t } from './text.js';
import { upgrade } from './compare/core/loadReport.js';
import { ReportTable } from './compare/ui/reportTable.js';
import { TrendPanel } from './compare/ui/trendPanel.js';
import { withSettings } from './model/choices.js';
import { byId, part, setText } from './ui/common/dom.js';
import { getJSON } from './browser/http.js';
import { settings } from './ui/settings/settings.js';
import { PageSession } from './ui/session/pageSession.js';
import { SettingsDialog } from './ui/settings/settingsDialog.js';

new SettingsDialog();
new PageSession({ feeds: () => [] });

write();
settings.on(write);

const boxes = [...document.querySelectorAll('input[name=report]')].filter((b) => b instanceof HTMLInputElement);
if (boxes.length) begin();
if (boxes.length > 1) showTrend();

/** Changes the query: the pair, the figure. '' removes a member. @param {Record<string, string>} members */
function setQuery(members) {
  const query = new URLSearchParams(location.search);
  for (const [key, value] of Object.entries(members)) {
    if (value) query.set(key, value);
    else query.delete(key);
  }
  history.replaceState(history.state, '', location.pathname + withSettings(`?${query}`, location.search));
}

function showTrend() {
  part('trend').hidden = false;
  const figure = new URLSearchParams(location.search).get('figure') ?? '';
  const panel = new TrendPanel({ names: boxes.map((b) => b.value), figure, onChange: (chosen) => setQuery({ figure: chosen }) });
  settings.on(() => panel.paint());
}

function write() {
  const when = dates({ dateStyle: 'medium', timeStyle: 'short' });
  for (const e of document.querySelectorAll('time')) setText(e, when.format(new Date(e.dateTime)));
  for (const e of document.querySelectorAll('[data-bytes]')) setText(e, bytes(Number(e.getAttribute('data-bytes'))));
}

function begin() {
  const button = byId('side-by-side', HTMLButtonElement);
  const panel = part('pair');
  const table = new ReportTable();
  let request = 0; // a response to an earlier request is ignored

  const chosen = () => boxes.filter((b) => b.checked).map((b) => b.value);
  const count = () => {
    const n = chosen().length;
    button.disabled = n !== 2;
    setText(part('pick-note'), n === 2 ? '' : t(n > 2 ? 'reports.pick.many' : n === 1 ? 'reports.pick.one' : 'reports.pick'));
  };

  /** @param {string} a @param {string} b names of reports */
  const show = async (a, b) => {
    const mine = ++request;
    setQuery({ a, b });
    panel.hidden = false;
    table.clear();
    setText(part('pair-note'), t('reports.reading'));
    try {
      const both = await Promise.all([a, b].map((name) => getJSON(`/reports/${encodeURIComponent(name)}.json`).then(upgrade)));
      if (mine !== request) return;
      setText(part('pair-note'), table.show([a, b], /** @type {[any, any]} */ (both)));
    } catch {
      if (mine === request) setText(part('pair-note'), t('reports.failed'));
    }
    part('pair-title').focus();
  };

  for (const b of boxes) b.addEventListener('change', count);
  button.addEventListener('click', () => {
    const [a, b] = chosen();
    if (a !== undefined && b !== undefined) void show(a, b);
  });
  part('pair-close').addEventListener('click', () => {
    request++;
    panel.hidden = true;
    setQuery({ a: '', b: '' });
    button.focus();
  });

  const query = new URLSearchParams(location.search);
  const pair = [query.get('a') ?? '', query.get('b') ?? ''];
  for (const b of boxes) b.checked = pair.includes(b.value);
  count();
  if (chosen().length === 2) void show(String(pair[0]), String(pair[1]));
}
