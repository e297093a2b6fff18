/**
 * Follows the page's life.
 *
 * pagehide closes, so that the page may enter the back/forward cache (an open connection would keep it out) and the
 * server doesn't write to nobody; pageshow of a cached page reopens at the position. A hidden page stays connected.
 *
 * @param {{ hide: () => void, show: () => void, visible: () => void, online: () => void, offline: () => void }} feed
 * @param {{ window: EventTarget, document: EventTarget & { visibilityState: string } }} page
 * @returns {() => void} lets go of the page
 */
export function followPage(feed, { window, document }) {
  /** @type {[EventTarget, string, (e: any) => void][]} */
  const listeners = [
    [window, 'pagehide', () => feed.hide()],
    [window, 'pageshow', (e) => e.persisted && feed.show()],
    [window, 'online', () => feed.online()],
    [window, 'offline', () => feed.offline()],
    [document, 'visibilitychange', () => document.visibilityState === 'visible' && feed.visible()],
    [document, 'resume', () => feed.visible()], // Page Lifecycle: a frozen tab goes on
  ];
  for (const [target, name, fn] of listeners) target.addEventListener(name, fn);
  return () => {
    for (const [target, name, fn] of listeners) target.removeEventListener(name, fn);
  };
}
