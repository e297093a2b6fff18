/**
 * Follows the page's life.
 *
 * pagehide closes, so that the page may enter the back/forward cache (an open connection would keep it out) and the
 * server doesn't write to nobody; pageshow of a cached page reopens at the position. A hidden page stays connected.
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
    [page.document, 'resume', () => feed.visible()], // Page Lifecycle: a frozen tab goes on
  ];
  for (const [target, name, fn] of listeners) target.addEventListener(name, fn);
  return () => {
    for (const [target, name, fn] of listeners) target.removeEventListener(name, fn);
  };
}
