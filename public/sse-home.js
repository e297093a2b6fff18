// A complete client of Server-Sent Events. The browser reconnects with Last-Event-ID, so nothing is lost. After an error
// status, such as a proxy's 503, it does not: this script then opens a new EventSource from the last event id.
const { base, user, topics } = document.body.dataset;
const [news, ticks] = document.querySelectorAll('ol');
const state = document.querySelector('#state');
let from, wait = 1_000; // ms

function open() {
  const source = new EventSource(`${location.origin}${base}/sse/subscribe?${new URLSearchParams({ user, topics, ...(from && { from }) })}`);

  source.onopen = () => ([wait, state.textContent] = [1_000, state.dataset.connected]);
  source.onerror = () => {
    const done = from === 'end'; // the id of a bye after which nothing follows
    state.textContent = state.dataset[done ? 'closed' : 'reconnecting'];
    if (done) return source.close();
    if (source.readyState === EventSource.CLOSED) setTimeout(open, (wait = Math.min(2 * wait, 30_000)) * Math.random());
  };
  for (const name of ['message', 'hello', 'snapshot', 'gap', 'bye']) {
    source.addEventListener(name, (e) => {
      from = e.lastEventId || from; // an EventSource that has had no id yet has ''
      show(name === 'message' ? 'tick' : name, e.data); // ticks have no event name
    });
  }
}

function show(name, text) {
  const item = document.createElement('li');
  item.textContent = `${name} ${text.length > 400 ? `${text.slice(0, 400)}… (${text.length} characters)` : text}`;
  const list = name === 'tick' ? ticks : news;
  list.prepend(item);
  if (list.children.length > 50) list.lastChild.remove();
}

open();
