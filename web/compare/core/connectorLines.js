/**
 * Lines of our connectors that aren't blank or comment, as written in web/lane: what each lane needs of its own, and
 * about what both share to resume without loss. A bundle has no lines left to count, so the figures stand here; a test
 * holds them to the files.
 */
export const connectorLines = Object.freeze({ sse: 48, ws: 54, shared: 600 });

/** The files that are counted. */
export const connectorFiles = Object.freeze({
  sse: ['sse.js'],
  ws: ['ws.js'],
  shared: ['feed.js', 'delivery.js', 'connection.js', 'sequence.js', 'parse.js', 'backoff.js', 'watchdog.js'],
});

/** Lines that are neither blank nor comment only. @param {string} source JavaScript without comments inside of lines */
export function countLines(source) {
  let inside = false;
  return source.split('\n').filter((line) => {
    const text = line.trim();
    if (inside || text.startsWith('/*')) {
      inside = !text.endsWith('*/');
      return false;
    }
    return text !== '' && !text.startsWith('//');
  }).length;
}
