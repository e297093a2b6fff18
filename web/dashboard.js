// The watch page: connects the feed, the quote store and the views. Each message goes to the store and to the views that
// need every message; an animation frame then paints what changed.
import { Feed } from './lane/feed.js';
import { QuoteStore } from './model/quotes.js';
import { t } from './text.js';
import { AlertsPanel } from './ui/alerts/alertsPanel.js';
import { Banner } from './ui/connection/banner.js';
import { StatusBar, shown } from './ui/connection/statusBar.js';
import { Charts } from './ui/chart/charts.js';
import { ColumnsDialog } from './ui/watchlist/columnsDialog.js';
import { part, setText } from './ui/common/dom.js';
import { Frames } from './ui/common/frames.js';
import { PausedQuotes } from './model/pausedQuotes.js';
import { getJSON } from './browser/http.js';
import { Retry } from './browser/retry.js';
import { Stored } from './browser/storage.js';
import { nextTask, Throttle } from './browser/timers.js';
import { listen } from './ui/common/keys.js';
import { fullName, useInstruments } from './model/instruments.js';
import { LanePanel } from './ui/connection/lanePanel.js';
import { KEY, Lists, readLists } from './model/lists.js';
import { ListBar } from './ui/lists/listBar.js';
import { Market } from './ui/market/market.js';
import { ProxyNotice } from './ui/connection/proxyNotice.js';
import { QuoteHead } from './ui/chart/quoteHead.js';
import { settings } from './ui/settings/settings.js';
import { PageSession } from './ui/session/pageSession.js';
import { SettingsDialog } from './ui/settings/settingsDialog.js';
import { FeedStall } from './model/feedStall.js';
import { ReplayEnd } from './model/replayEnd.js';
import { shareConnections } from './ui/connection/shareConnections.js';
import { SparkSeed } from './model/sparkSeed.js';
import { Theme } from './ui/settings/theme.js';
import { ViewState } from './ui/common/viewState.js';
import { LatencyStats } from './model/latencyStats.js';
import { missingText } from './model/notice.js';
import { Subscriptions } from './model/subscriptions.js';
import { Watchlist } from './ui/watchlist/watchlist.js';
import { ConnectionStats } from './model/connectionStats.js';

/** @import { Listing } from './model/order.js' */

const TICK = 100; // ms between paints of what changes with time: ages, flashes, countdowns
const BUSY = 16; // ticks in a frame above which quotes are painted only every PACE, to limit the cost of layout
const PACE = 50; // ms
const MANY = 36; // visible rows above which the pace is slower, as each costs layout
const SLOWER = 80; // ms
const NEW = 200; // new symbols above which the quotes of all are requested
const GROWTH = 500; // ms between requests for the list of symbols while new ones appear
const INCOMPLETE = 2000; // ms between requests for the figures of symbols whose first message was a tick

await nextTask(); // reading the modules was long enough for one task
const boot = JSON.parse(part('boot').textContent || '{}');
const store = new QuoteStore();
const quotes = new PausedQuotes(store);
const view = new ViewState();
const theme = new Theme(settings);
const shared = shareConnections(boot.worker, boot.limits, boot.auth === true);
const feed = new Feed({
  lane: view.now.lane === 'auto' ? view.now.prefer : view.now.lane, auto: view.now.lane === 'auto', encoding: view.now.encoding,
  topics: ['*'], mode: 'all', user: 'dashboard', commandBytes: boot.limits.message, share: shared,
  ...(boot.source !== 'simulator' && { query: { channels: 'quotes,trades,status' } }),
});
const subscriptions = new Subscriptions({ set: (topics) => feed.setTopics(topics), most: boot.limits.topics });
const frames = new Frames(paint);
const seed = new SparkSeed(store, () => frames.request());
const connectionStats = new ConnectionStats(() => (feed.conn === undefined ? null : { lane: feed.lane, conn: feed.conn }), () => !document.hidden);
const latencyStats = new LatencyStats({ timed: boot.timed !== false });

const storedLists = new Stored(KEY, readLists);
const lists = new Lists({ view, stored: storedLists, first: t('watch.list.first') });
storedLists.onChange(() => lists.reload());
const list = new Watchlist({ view, quotes, frames, subscriptions, lists, onVisible: (symbols) => seed.request(symbols), onFound: (listings) => market.setListed(listings), announce: (text) => lane.announce(text) });
const charts = new Charts({ view, frames, theme, subscriptions, record: (symbol) => quotes.get(symbol), announce: (text) => lane.announce(text), alerts: () => alerts });
const head = new QuoteHead();
const market = new Market({ view, quotes, frames, theme, subscriptions });
const lane = new LanePanel({ feed, stats: connectionStats, share: shared });
const bar = new StatusBar({ feed, quotes, onLane: chooseLane, onPause: togglePause });
const symbols = new Retry(loadSymbols);
const growth = new Throttle(() => void symbols.start(), GROWTH);
const incomplete = new Throttle(() => void complete(store.takeIncomplete()), INCOMPLETE);
const banner = new Banner({ feed, symbols, close: () => setMissing(null) });
const session = new PageSession({ feeds: () => [feed], share: shared });
const dialog = new SettingsDialog();
const listBar = new ListBar({ lists, known: (symbol) => nameOf(symbol), narrowed: () => narrowed, announce: (text) => lane.announce(text) });
new ColumnsDialog({ view, widths: list.widths, shown: () => list.list, announce: (text) => lane.announce(text) });
const proxy = new ProxyNotice({ symbol: () => view.now.symbol });
const stall = new FeedStall();
const replay = new ReplayEnd(boot.source === 'replay' ? async () => (await getJSON('/api/stats')).feed.ended : null);
const alerts = new AlertsPanel({ store, view, subscriptions, announce: (text) => lane.announce(text) });
alerts.alerts.on(() => charts.refreshAlerts());

/** @type {Map<string, Listing>} */
let listings = new Map();
/** @type {Map<string, number>} symbols that changed since the last paint, with bits of Changed */
const changed = new Map();
let ticks = 0; // since quotes were painted
let paintedAt = 0;
let stateAt = 0;
let stale = 0; // ms since 1970, by the server's clock, since when the feed is stale; 0 while it is not
let loaded = false; // the list of symbols, which may be empty
let newest = 0; // local ms of the newest message that has quotes or confirms them
let measured = feed.lane; // the lane that latencyStats measures
let agedAt = 0;
let marked = false; // the first painted quote has been marked
let narrowed = false; // "*" stands for the symbols that the user may read, which aren't all
let asked = new URLSearchParams(location.search).get('symbol') ?? ''; // by the address, also if it can't be a symbol
/** @type {{ wanted: string[], shown: string } | null} */
let missing = null;
let secondAt = 0; // when the figures that are painted once a second were painted

feed.on('message', (m, arrival) => {
  const at = Date.now();
  if (m.T === 'q' || m.T === 'snapshot' || m.T === 'hb') newest = at;
  store.apply(m, arrival.received);
  charts.take(m);
  market.take(m);
  alerts.take(m);
  latencyStats.take(m, arrival);
  proxy.take(m, arrival);
  if (m.T === 'q') {
    stall.tick(at);
    replay.tick(at);
    ticks++;
    if (quotes.paused) quotes.behind++;
    if (store.incomplete) incomplete.request();
  } else if (m.T === 'snapshot') {
    seed.invalidate(m.quotes);
    if (loaded && m.quotes.some(({ S }) => !listings.has(S))) growth.request();
    list.refresh();
  } else if (m.T === 'hello') {
    if (m.resume === 'reset' && loaded) void symbols.start();
    if (arrival.lane !== measured) latencyStats.clear();
    measured = arrival.lane;
    latencyStats.setDelay(m.delay ?? 0);
    access(m);
    stall.begin(at);
    stale = 0;
    replay.tick(at);
    connectionStats.begin();
    list.refresh(); // fetches what failed while the server was unreachable
  } else if (m.T === 'subscription') {
    access(m);
  } else if (m.T === 'auth') {
    session.take(m);
  } else if (m.T === 'status') {
    if (m.S !== undefined) return frames.request();
    if (m.status === 'stale') stale = (m.since ?? m.t) / 1000;
    else if (m.status === 'live') stale = 0;
    else if (m.status === 'symbols') growth.request();
    stateAt = 0;
  }
  frames.request();
});
feed.on('closed', (end) => {
  const { opened, reason, retry = 0 } = end;
  proxy.closed(end);
  if (reason === 'unauthorized' || reason === 'expired' || (boot.auth && !opened)) session.suspect();
  if (!opened && retry === 0 && loaded && !symbols.failure) void symbols.start();
});
// Symbols that the stream no longer has must not look live.
subscriptions.on(() => {
  store.retain((symbol) => subscriptions.has(symbol));
  list.refresh();
});
feed.on('state', () => {
  connectionStats.changed();
  view.set(lanes());
  stateAt = agedAt = secondAt = 0;
  frames.request();
});
view.on((now, before) => {
  if (now.symbol === before.symbol) return;
  setMissing(null);
  if (listings.size > 0 && !listings.has(now.symbol)) replaceMissing(); // the history may have one that the server no longer has
  else showSymbol();
});
settings.on(() => {
  list.refresh();
  charts.restyle();
  market.refresh();
  alerts.refresh();
  agedAt = secondAt = stateAt = 0;
});
listen({
  '/': () => list.focusSearch(),
  s: () => list.star(),
  a: () => void alerts.make(underKeyboard() || view.now.symbol),
  l: () => chooseLane((feed.switching ?? feed.lane) === 'sse' ? 'ws' : 'sse'),
  p: togglePause,
  ' ': togglePause,
  i: () => void charts.picture(),
  t: () => theme.toggle(),
  ',': () => dialog.open(),
});
setInterval(() => frames.request(), TICK);
await nextTask();
feed.start();
await nextTask();
latencyStats.start();
void symbols.start();

/** @param {number} now performance.now() */
function paint(now) {
  if (quotes.paused) {
    list.paint(changed, now); // for scrolling and sorting
    head.paint(listed(quotes), now);
    charts.paint(now, true);
    market.paint(now);
  } else if (ticks < BUSY || now - paintedAt >= (list.visible > MANY ? SLOWER : PACE)) {
    paintedAt = now;
    ticks = 0;
    store.drain((r) => changed.set(r.S, r.changed));
    list.paint(changed, now);
    if (changed.size && !marked) {
      marked = true;
      performance.mark('first-quote');
    }
    changed.clear();
    head.paint(listed(store), now);
    charts.paint(now, false);
    market.paint(now);
  }
  list.flash(now);
  if (now - stateAt >= TICK) {
    stateAt = now;
    if (feed.state.name === 'live') replay.check(Date.now());
    bar.paint(replay.at > 0);
    banner.paint(shown(feed, quotes.paused, replay.at > 0), replay.at || newest && newest - (feed.hello?.delay ?? 0), stall.stalled(Date.now()), stale, store.values().next().done ? feed.hello?.delay ?? 0 : 0, missing && { ...missing, narrowed }, session.notice ?? (proxy.lane === feed.lane && feed.hello === undefined ? proxy.notice : null), proxy.notice);
  }
  if (now - agedAt >= 250) {
    agedAt = now;
    if (!quotes.paused) list.paintAges((r) => latencyStats.age(r));
    lane.paint();
  }
  if (now - secondAt >= 1000) {
    secondAt = now;
    bar.paintStats({ ...latencyStats.read(), wire: connectionStats.rate });
    setText(part('clock'), latencyStats.clockText());
  }
}

/** @param {import('./types.js').Lane | 'auto'} to */
function chooseLane(to) {
  if (to !== 'auto') {
    feed.setAuto(null);
    feed.switchLane(to);
  } else if (!feed.auto) feed.setAuto(feed.switching ?? feed.lane);
  view.set(lanes());
  stateAt = 0;
  frames.request();
}

/** The lane's part of the address. @returns {Pick<import('./model/urlState.js').View, 'lane' | 'prefer'>} */
function lanes() {
  return feed.auto ? { lane: 'auto', prefer: feed.auto.preferred } : { lane: feed.switching ?? feed.lane, prefer: 'sse' };
}

/** Takes the stream's topics, and whether the user may read only a part of all. @param {{ topics: string[], narrowed?: boolean }} m */
function access(m) {
  if (narrowed !== (m.narrowed === true)) {
    narrowed = !narrowed;
    lane.narrowed = list.narrowed = narrowed;
    listBar.paint();
  }
  subscriptions.confirm(m.topics);
}

function togglePause() {
  if (quotes.paused) quotes.resume();
  else quotes.pause();
  market.setPaused(quotes.paused);
  lane.announce(t(quotes.paused ? 'bar.announce.paused' : 'bar.announce.live'));
  list.refresh();
  stateAt = 0;
  frames.request();
}

/** The symbol that the keyboard is on in the watchlist, if that has the focus. */
function underKeyboard() {
  const grid = part('grid');
  return (document.activeElement === grid && grid.getAttribute('aria-activedescendant')?.replace(/^row-/, '')) || '';
}

/** The symbol's name with currency and venue; undefined for one that the server doesn't have. @param {string} symbol */
function nameOf(symbol) {
  const listing = listings.get(symbol);
  return listing && fullName(listing);
}

/** The quote of the chart's symbol, once the decimals of its prices are known. @param {{ get(symbol: string): import('./types.js').SymbolRecord | undefined }} from */
function listed(from) {
  return listings.has(view.now.symbol) ? from.get(view.now.symbol) : undefined;
}

function showSymbol() {
  const { symbol } = view.now;
  subscriptions.require('chart', symbol ? [symbol] : []);
  head.show(symbol, nameOf(symbol) ?? '');
  frames.request();
}

/** Shows the first symbol instead of those of the address or the history that the user's list doesn't have, and says so. */
function replaceMissing() {
  const [shown] = listings.keys();
  const wanted = [...new Set([view.now.symbol || asked.trim().slice(0, 40), ...charts.symbols])].filter((symbol) => symbol && !listings.has(symbol));
  if (shown !== undefined && !listings.has(view.now.symbol)) view.adjust({ symbol: shown });
  charts.setSymbols([...listings.keys()]);
  if (shown === undefined) return;
  asked = '';
  if (wanted.length > 0) setMissing({ wanted, shown });
  else if (missing?.wanted.every((symbol) => listings.has(symbol))) setMissing(null); // they have appeared
}

/** @param {typeof missing} now */
function setMissing(now) {
  missing = now;
  if (now) lane.announce(missingText({ ...now, narrowed }));
  stateAt = 0;
  frames.request();
}

/** Loads the instruments in their order. A restarted server may have others, and refuses unknown topics. */
async function loadSymbols() {
  const { symbols, sectors } = await getJSON('/api/symbols');
  const same = symbols.length === listings.size && symbols.every((/** @type {Listing} */ l) => JSON.stringify(listings.get(l.symbol)) === JSON.stringify(l));
  if (same && loaded) return;
  const added = loaded ? symbols.map((/** @type {Listing} */ l) => l.symbol).filter((/** @type {string} */ s) => !listings.has(s)) : [];
  useInstruments(symbols, boot.source !== 'replay');
  store.refresh();
  listings = new Map(symbols.map((/** @type {Listing} */ l) => [l.symbol, l]));
  subscriptions.setSymbols(symbols);
  feed.retainTopics((topic) => subscriptions.knows(topic));
  list.fill(symbols, sectors);
  listBar.paint();
  market.fill(symbols);
  replaceMissing();
  alerts.refresh();
  showSymbol();
  loaded = true;
  if (added.length > 0) await complete(added);
}

/** Fetches what the ticks of symbols lack that were in no snapshot. @param {readonly string[]} added */
async function complete(added) {
  const query = new URLSearchParams({ topics: added.length > NEW ? '*' : added.join(',') });
  const { quotes } = await getJSON(`/api/quotes?${query}`).catch(() => ({ quotes: [] })); // the next snapshot has them
  store.complete(quotes, Date.now());
  frames.request();
}
