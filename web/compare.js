// The compare page: connects the comparison to its views. Every frame shows the newest tick of each side, which is what
// 'paint' measures; the results are painted less often.
import { claims } from './compare/core/claims.js';
import { Comparison } from './compare/core/comparison.js';
import { DRILLS } from './compare/core/drills.js';
import { KeptRuns } from './compare/core/keptRuns.js';
import { sentence } from './compare/core/sentence.js';
import { format, parse } from './compare/core/setup.js';
import { browserName } from './compare/ui/browserName.js';
import { ByteBars } from './compare/ui/byteBars.js';
import { ClaimTable } from './compare/ui/claimTable.js';
import { DrillTable } from './compare/ui/drillTable.js';
import { Exports, address, copyLink } from './compare/ui/exports.js';
import { Figures } from './compare/ui/figures.js';
import { Heatmap, rows } from './compare/ui/heatmap.js';
import { CostTable } from './compare/ui/costTable.js';
import { OverlayPanel } from './compare/ui/overlayPanel.js';
import { PaintQueue } from './compare/ui/paintQueue.js';
import { PaintProbe } from './compare/ui/paintProbe.js';
import { Plots } from './compare/ui/plots.js';
import { RunsDialog } from './compare/ui/runsDialog.js';
import { SetupForm } from './compare/ui/setupForm.js';
import { Status, notes, offer } from './compare/ui/status.js';
import { Verdict } from './compare/ui/verdict.js';
import { getJSON } from './browser/http.js';
import { nextTask } from './browser/timers.js';
import { withSettings } from './model/choices.js';
import { age, timeOfDay } from './model/formats.js';
import { ReplayEnd } from './model/replayEnd.js';
import { byId, part, setText } from './ui/common/dom.js';
import { Frames } from './ui/common/frames.js';
import { listen } from './ui/common/keys.js';
import { settings } from './ui/settings/settings.js';
import { PageSession } from './ui/session/pageSession.js';
import { SettingsDialog } from './ui/settings/settingsDialog.js';
import { Theme } from './ui/settings/theme.js';
import { t } from './text.js';

/** @import { DrillAction, KeptRun, Result, Setup } from './compare/core/types.js' */

// ms between paintings, which take time from the thread that is measured
const FIGURES = 500;
const SENTENCE = 1000;
const CLAIMS = 2000;

await nextTask(); // reading the modules was long enough for one task
const boot = JSON.parse(part('boot').textContent || '{}');
const lab = boot.lab === true;
const denied = boot.labDenied === true;
const initial = parse(location.search);
let problems = initial.problems;

const theme = new Theme(settings);
const dialog = new SettingsDialog();
const frames = new Frames(paint);
const verdict = new Verdict({ apply: () => comparison.pendingChange && form.apply(comparison.pendingChange) });
const figures = new Figures();
const plots = new Plots({ theme });
const heatmaps = [new Heatmap(part('heat-a'), { theme }), new Heatmap(part('heat-b'), { theme })];
const bytes = new ByteBars();
const drillTable = new DrillTable({ drills: DRILLS, lab, denied, run, topics });
const local = /^(localhost|127\.|\[::1\])/.test(location.hostname);
const comparison = new Comparison({ setup: initial.setup, lab, timed: boot.timed !== false, document, storage: session() });
const form = new SetupForm({ setup: comparison.setup, lab, onChange: change, announce: (text) => announce(text) });
const replay = new ReplayEnd(boot.source === 'replay' ? async () => (await getJSON('/api/stats')).feed.ended : null);
let ticksBefore = 0;
const status = new Status({ retry: () => comparison.sides.forEach((side) => side.feed.retry()) });
const account = new PageSession({ feeds: () => comparison.sides.map((side) => side.feed) });
const claimTable = new ClaimTable({ find: (label) => drillTable.find(label) ?? form.find(label), denied });
const button = byId('freeze', HTMLButtonElement);

const probe = new PaintProbe({ frames, show: (side, q) => comparison.frozen || figures.show(side, q) });
const queue = new PaintQueue({
  frames,
  parts: [
    { boxes: [part('figures')], paint: (r) => figures.paint(r) },
    { boxes: [part('latency-plot'), part('rolling-plot'), part('diff-plot')], paint: (r) => plots.paint(r) },
    { boxes: [part('bytes')], paint: (r) => bytes.paint(r) },
    ...heatmaps.map((map, k) => ({ boxes: [part(k === 0 ? 'heat-a' : 'heat-b')], paint: (/** @type {Result} */ { sides }) => {
      const s = sides[k];
      if (s) map.set(s.heat, rows(sides.map(({ heat }) => heat)), s.name, k === 0 ? '--a' : '--b');
    } })),
  ],
});
let dirty = true;
/** Time of each part's last painting, performance.now(); −Infinity paints it in the next frame. */
const painted = { figures: -Infinity, sentence: -Infinity, claims: -Infinity };

const announce = (/** @type {string} */ text) => verdict.announce(text, performance.now());
const json = () => JSON.stringify(comparison.export({ url: location.origin + location.pathname, browser: navigator.userAgent, local }), null, 1);

/** Lays a kept run over the current one; null removes it. @param {KeptRun | null} run @param {string} [name] @param {boolean} [kept] */
function layOver(run, name = '', kept = false) {
  for (const view of [figures, plots, drillTable]) view.over(run);
  overlay.show(run, name, kept);
  overlay.compare(comparison.setup, navigator.userAgent);
  announce(run ? t('compare.over.shown', { name }) : t('compare.over.removed'));
}

const runs = new RunsDialog({
  runs: new KeptRuns(() => localStorage),
  current: () => ({ text: json(), setup: comparison.setup, pairs: comparison.snapshot().pairs.count }),
  over: layOver, announce,
});
const overlay = new OverlayPanel({
  keep: (run, name) => runs.keep(run.text, name),
  repeat: (setup) => form.use(setup),
  remove: () => {
    layOver(null);
    part('export-open').focus();
  },
});
addEventListener('storage', () => runs.refresh());

new Exports({
  csv: () => comparison.toCSV(),
  json,
  contents,
  announce,
});

/** What a picture of this run shows. @returns {import('./compare/ui/picture.js').Contents} */
function contents() {
  const result = comparison.snapshot();
  queue.paint(result);
  const { parts, small } = sentence(result, comparison.drills, { local });
  const [a, b] = result.sides;
  const over = overlay.name;
  return {
    sentence: parts, small: [...small, environment()].join(' · '),
    keys: [{ name: a.name, colour: a.lane }, { name: b.name, colour: a.lane === b.lane ? 'soft' : b.lane }, ...(over ? [{ name: over, colour: /** @type {const} */ ('soft'), dashed: true }] : [])],
    plots: [...plots.canvases, ...heatmaps.map((h, k) => ({ title: t('compare.heat.title', { side: comparison.sides[k]?.name }), canvas: h.canvas }))],
    foot: `Ticklane · ${new Date().toISOString()} · ${address()}`,
  };
}

/** That the replay has ended, '' while ticks may come. @param {Result} result */
function replayEnd({ sides }) {
  if (sides.some((s) => s.state !== 'live')) return '';
  const ticks = sides[0].ticks + sides[1].ticks;
  if (ticks !== ticksBefore) replay.tick(Date.now());
  ticksBefore = ticks;
  replay.check(Date.now());
  return replay.at > 0 ? t('compare.replayed', { time: timeOfDay(replay.at) }) : '';
}

/** @param {number} now performance.now() */
function paint(now) {
  probe.frame(comparison.sides);
  if (dirty && now - painted.figures >= FIGURES) {
    painted.figures = now;
    dirty = false;
    const result = comparison.snapshot();
    status.paint(result, now, form.rejection || replayEnd(result), account.notice);
    queue.set(result);
    if (now - painted.sentence >= SENTENCE) {
      painted.sentence = now;
      verdict.paint(sentence(result, comparison.drills, { local }), notes(result, delayed(problems)), now, offer(comparison.pendingChange));
    }
    if (now - painted.claims >= CLAIMS) {
      painted.claims = now;
      claimTable.paint(claims({ result, drills: comparison.drills, topicTimes: comparison.topicTimes, probe: comparison.probe }));
    }
  } else {
    queue.next();
  }
}

/** Adds that the quotes are delayed. @param {string[]} problems */
function delayed(problems) {
  const delay = comparison.sides[0].feed.hello?.delay;
  return delay ? [...problems, t('lane.delayed', { time: age(delay) })] : problems;
}

/** A changed setup starts a new run. @param {Setup} setup */
async function change(setup) {
  problems = [];
  history.replaceState(history.state, '', location.pathname + withSettings(format(setup), location.search) + location.hash);
  startRun();
  overlay.compare(setup, navigator.userAgent);
  try {
    await comparison.change(setup);
  } catch (err) {
    form.showError(/** @type {Error} */ (err).message);
  }
}

function startRun() {
  freeze(false);
  drillTable.clear();
  plots.clear();
  paintAll();
  verdict.announce(t('compare.announce.begins'), performance.now());
}

function paintAll() {
  dirty = true;
  painted.figures = painted.sentence = painted.claims = -Infinity;
}

/** @param {DrillAction} action */
async function run(action) {
  plots.drilled(Date.now(), DRILLS.find((d) => d.action === action)?.label.toLowerCase() ?? action);
  await comparison.drill(action);
  paintAll();
}

async function topics() {
  await comparison.measureTopics();
  paintAll();
}

/** @param {boolean} on */
function freeze(on) {
  if (on === comparison.frozen) return;
  comparison.freeze(on);
  button.toggleAttribute('data-frozen', on);
  setText(button, on ? t('compare.resume') : t('compare.freeze'));
}

button.addEventListener('click', () => freeze(!comparison.frozen));
part('reset').addEventListener('click', () => {
  startRun();
  comparison.reset();
});
part('copy').addEventListener('click', async () => {
  const ok = await copyLink();
  const copy = part('copy');
  setText(copy, ok ? t('compare.copy.done') : t('compare.copy.address'));
  verdict.announce(ok ? t('compare.announce.copied') : t('compare.announce.uncopied'), performance.now());
  setTimeout(() => setText(copy, t('compare.copy')), 2000);
});
listen({
  f: () => freeze(!comparison.frozen),
  t: () => theme.toggle(),
  ',': () => dialog.open(),
});
comparison.on('update', () => {
  dirty = true;
  frames.request();
});
comparison.on('drill', (rows) => drillTable.add(rows));
comparison.on('event', (e) => {
  if (e.level === 'bad' || e.level === 'warn') verdict.announce(e.text, performance.now());
  if (e.code === 'lab') form.showError(e.text);
});
addEventListener('beforeprint', () => queue.paint(comparison.snapshot())); // also what is out of sight
// Feeds close their connections when the page enters the back/forward cache; otherwise everything stops.
addEventListener('pagehide', (e) => { if (!e.persisted) comparison.stop(); });
setText(part('environment'), environment());
await nextTask();
comparison.start();
frames.request();
await nextTask();
void new CostTable().load();

/** Browser, HTTP version and host. */
function environment() {
  const [nav] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType('navigation'));
  const http = nav?.nextHopProtocol === 'h2' ? 'HTTP/2' : nav?.nextHopProtocol === 'h3' ? 'HTTP/3' : 'HTTP/1.1';
  const host = local ? t('compare.loopback') : location.hostname;
  return [browserName(navigator.userAgent), http, host].filter(Boolean).join(' · ');
}

/** sessionStorage; null where it is forbidden. */
function session() {
  try {
    return sessionStorage;
  } catch {
    return null;
  }
}
