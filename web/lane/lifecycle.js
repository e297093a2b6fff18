/**
 * Passes the page's lifecycle events to a feed.
 *
 * On pagehide the feed closes: an open connection would keep the page out of the back/forward cache. On pageshow of a
 * cached page it reconnects from its position. A hidden tab stays connected.
 *
 * @param {{ hide: () => void, show: () => void, visible: () => void, online: () => void, offline: () => void }} feed
 * @param {import('../types.js').Page} page
 * @returns {() => void} removes the handlers
 */
export function followPage(feed, page) {
  /** @type {[EventTarget, string, (e: any) => void][]} */
  const listeners = [
    [page.window, 'pagehide', () => feed.hide()],
    [page.window, 'pageshow', (e) => e.persisted && feed.show()],
    [page.window, 'online', () => feed.online()],
    [page.window, 'offline', () => feed.offline()],
    [page.document, 'visibilitychange', () => page.document.visibilityState === 'visible' && feed.visible()],
    [page.document, 'resume', () => feed.visible()], // Page Lifecycle API: a frozen tab was resumed
  ];
  for (const [target, name, fn] of listeners) target.addEventListener(name, fn);
  return () => {
    for (const [target, name, fn] of listeners) target.removeEventListener(name, fn);
  };
}
