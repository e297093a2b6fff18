// A complete client of WebSocket. Browsers do not reconnect WebSockets, so this script reconnects with a backoff. It stores
// the position, <epoch>-<seq>, as one string, only when a message gives one: a hello with a snapshot changes neither half.
const { base, user, topics } = document.body.dataset;
const [news, ticks] = document.querySelectorAll('ol');
const state = document.querySelector('#state');
const finished = ['limit', 'duration'];
let epoch, from, done, retry = 0, tries = 0;

function open() {
  const query = new URLSearchParams({ user, topics, ...(from && { from }) });
  const socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}${base}/ws/subscribe?${query}`, 'ticklane.v1.json');

  socket.onopen = () => (state.textContent = state.dataset.connected);
  socket.onmessage = (e) => {
    const m = JSON.parse(e.data);
    if (m.T === 'hello') [epoch, retry, tries] = [m.epoch, 0, 0];
    const seq = { q: m.i, snapshot: m.i, gap: m.to, hb: m.head, subscription: m.i }[m.T];
    const due = m.snapshot || m.part < m.parts; // this message promises a snapshot, or isn't its last part
    if (seq !== undefined && !due) from = `${epoch}-${seq}`;
    if (m.T === 'bye') [done, retry] = [finished.includes(m.reason), m.retry];
    if (m.T !== 'hb') show(m.T === 'q' ? 'tick' : m.T, e.data);
  };
  socket.onclose = () => {
    state.textContent = state.dataset[done ? 'closed' : 'reconnecting'];
    // A random wait up to 1 s, doubling to 15 s, spreads the reconnects after a restart of the server.
    if (!done) setTimeout(open, retry + Math.random() * Math.min(15_000, 1_000 * 2 ** tries++));
  };
}

function show(name, text) {
  const item = document.createElement('li');
  item.textContent = `${name} ${text.length > 400 ? `${text.slice(0, 400)}… (${text.length} characters)` : text}`;
  const list = name === 'tick' ? ticks : news;
  list.prepend(item);
  if (list.children.length > 50) list.lastChild.remove();
}

open();
