// A complete client of Server-Sent Events. The browser reconnects with Last-Event-ID, so nothing is lost, and stops when
// the server responds with 204.
const { user, topics } = document.body.dataset;
const [news, ticks] = document.querySelectorAll('ol');
const state = document.querySelector('#state');

const source = new EventSource(`/sse/subscribe?${new URLSearchParams({ user, topics })}`);

source.onopen = () => (state.textContent = state.dataset.connected);
source.onerror = () => (state.textContent = state.dataset[source.readyState === EventSource.CLOSED ? 'closed' : 'reconnecting']);

source.onmessage = (e) => show('tick', e.data); // ticks have no event name
for (const name of ['hello', 'snapshot', 'gap', 'bye']) {
  source.addEventListener(name, (e) => show(name, e.data));
}

function show(name, text) {
  const item = document.createElement('li');
  item.textContent = `${name} ${text.length > 400 ? `${text.slice(0, 400)}… (${text.length} characters)` : text}`;
  const list = name === 'tick' ? ticks : news;
  list.prepend(item);
  if (list.children.length > 50) list.lastChild.remove();
}
