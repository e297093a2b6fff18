/**
 * Lines of code in web/lane, without blank lines and comments: for each lane alone, and the approximate number shared by
 * both to resume without loss. The bundle is minified, so the numbers are recorded here; a test compares them with the files.
 */
export const connectorLines = Object.freeze({ sse: 71, ws: 61, shared: 740 });

/** The counted files. */
export const connectorFiles = Object.freeze({
  sse: ['sse.js', 'refusal.js'],
  ws: ['ws.js'],
  shared: ['feed.js', 'delivery.js', 'connection.js', 'sequence.js', 'parse.js', 'snapshotParts.js', 'backoff.js', 'watchdog.js'],
});

/** Number of lines that are neither blank nor only a comment. @param {string} source JavaScript */
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
