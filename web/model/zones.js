const QUARTER = 900_000; // ms; time zones change their offset only at a quarter of an hour
const MOST = 10_000; // offsets kept for a zone, twice as many as a chart has bars

/** @typedef {{ format: Intl.DateTimeFormat, offsets: Map<number, number> }} Zone offsets: by quarter of an hour since 1970 */

/** @type {Map<string, Zone>} */
const zones = new Map();

/**
 * A time zone's offset from UTC at a time; 0 for a zone that the browser doesn't know.
 * @param {string} name such as "America/New_York" @param {number} ms since 1970 @returns {number} ms
 */
export function offsetIn(name, ms) {
  const { format, offsets } = zones.get(name) ?? add(name);
  const quarter = Math.floor(ms / QUARTER);
  let found = offsets.get(quarter);
  if (found === undefined) {
    const at = quarter * QUARTER;
    const parts = Object.fromEntries(format.formatToParts(at).map((p) => [p.type, Number(p.value)]));
    found = Date.UTC(Number(parts.year), Number(parts.month) - 1, parts.day, parts.hour, parts.minute) - at;
    if (offsets.size > MOST) offsets.clear();
    offsets.set(quarter, found);
  }
  return found;
}

/** @param {string} name @returns {Zone} */
function add(name) {
  const options = /** @type {const} */ ({ hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' });
  let format;
  try {
    format = new Intl.DateTimeFormat('en', { timeZone: name, ...options });
  } catch {
    format = new Intl.DateTimeFormat('en', { timeZone: 'UTC', ...options });
  }
  const zone = { format, offsets: new Map() };
  zones.set(name, zone);
  return zone;
}
