// The page's title: what the page shows, after the number of unseen alerts.

const page = globalThis.document ?? { title: '' };
let text = page.title;
let unread = 0;

/** @param {string} title */
export function setTitle(title) {
  text = title;
  write();
}

/** @param {number} n alerts that fired and were not seen */
export function setUnread(n) {
  unread = n;
  write();
}

function write() {
  const title = unread ? `(${unread}) ${text}` : text;
  if (page.title !== title) page.title = title;
}
