// Numbers and times as text. Pure functions. What isn't known (NaN, undefined) reads "–". Minus is U+2212 and groups
// are set apart by U+202F, a narrow space that doesn't break: both are as wide as a figure's neighbours expect.

const MINUS = '\u2212';
const THIN = '\u202f';
const NONE = '–';

/** @param {string} digits */
const group = (digits) => digits.replace(/\B(?=(\d{3})+$)/g, THIN);

/** @param {number} x @param {number} decimals @returns {string} without a sign */
function plain(x, decimals) {
  const [whole, part] = Math.abs(x).toFixed(decimals).split('.');
  return group(/** @type {string} */ (whole)) + (part ? `.${part}` : '');
}

/** True for a figure that reads as zero once rounded, so that it gets no sign. @param {number} x @param {number} decimals */
const isZero = (x, decimals) => Number(Math.abs(x).toFixed(decimals)) === 0;

/** @param {number | undefined} x @returns {x is number} */
const known = (x) => x !== undefined && Number.isFinite(x);

/** Dollars with two decimals: "184.27", "12 204.50". @param {number | undefined} dollars */
export function price(dollars) {
  if (!known(dollars)) return NONE;
  return (dollars < 0 && !isZero(dollars, 2) ? MINUS : '') + plain(dollars, 2);
}

/** A difference with its sign: "+3.41", "−0.22", "0.00". @param {number | undefined} x @param {number} [decimals] */
export function signed(x, decimals = 2) {
  if (!known(x)) return NONE;
  if (isZero(x, decimals)) return plain(0, decimals);
  return (x < 0 ? MINUS : '+') + plain(x, decimals);
}

/** ▲ for up, ▼ for down, nothing else: the mark that makes direction readable without colour. @param {number | undefined} x @param {number} [decimals] */
export function arrow(x, decimals = 2) {
  if (!known(x) || isZero(x, decimals)) return '';
  return x > 0 ? '▲' : '▼';
}

/** A per cent figure in full: "▲ +1.89 %". @param {number | undefined} x in per cent */
export function percent(x) {
  if (!known(x)) return NONE;
  const mark = arrow(x);
  return `${mark ? `${mark} ` : ''}${signed(x)}${THIN}%`;
}

/** A per cent figure for a column headed "%": "▲ 1.89", "▼ 0.66", "0.00". @param {number | undefined} x in per cent */
export function move(x) {
  if (!known(x)) return NONE;
  const mark = arrow(x);
  return `${mark ? `${mark} ` : ''}${plain(x, 2)}`;
}

/** A large count in four characters or so: "940", "8.9k", "21.1M", "1.2B". @param {number | undefined} x */
export function compact(x) {
  if (!known(x)) return NONE;
  const sign = x < 0 ? MINUS : '';
  let n = Math.abs(x);
  if (n < 999.5) return sign + Math.round(n);
  for (const unit of ['k', 'M', 'B', 'T']) {
    n /= 1000;
    if (n < 99.95) return sign + n.toFixed(1) + unit;
    if (n < 999.5) return sign + Math.round(n) + unit;
  }
  return sign + group(Math.round(n).toString()) + 'T';
}

/** A whole count in groups of three: "482 201". @param {number | undefined} x */
export function count(x) {
  if (!known(x)) return NONE;
  const n = Math.round(x);
  return (n < 0 ? MINUS : '') + group(Math.abs(n).toString());
}

/** Bytes in decimal units, as network figures are: "58 B", "6.1 kB", "1.2 MB". @param {number | undefined} x */
export function bytes(x) {
  if (!known(x)) return NONE;
  if (x < 999.5) return `${Math.round(x)}${THIN}B`;
  let n = x;
  for (const unit of ['kB', 'MB', 'GB', 'TB']) {
    n /= 1000;
    if (n < 99.95) return `${n.toFixed(1)}${THIN}${unit}`;
    if (n < 999.5 || unit === 'TB') return `${group(Math.round(n).toString())}${THIN}${unit}`;
  }
  return NONE;
}

/** Bytes in a second. @param {number | undefined} x */
export const byteRate = (x) => (known(x) ? `${bytes(x)}/s` : NONE);

/** Milliseconds of latency, two figures that matter: "0.38", "1.2", "38", "1 204". @param {number | undefined} ms */
export function latency(ms) {
  if (!known(ms)) return NONE;
  const n = Math.abs(ms);
  const sign = ms < 0 && n >= 0.005 ? MINUS : '';
  return sign + plain(n, n < 0.995 ? 2 : n < 9.95 ? 1 : 0);
}

/** How long ago: "0.4 s", "9 s", "3 min", "2 h", "4 d". A negative age is none. @param {number | undefined} ms */
export function age(ms) {
  if (!known(ms)) return NONE;
  const s = Math.max(0, ms) / 1000;
  if (s < 0.95) return `${(Math.floor(s * 10) / 10).toFixed(1)}${THIN}s`;
  if (s < 60) return `${Math.max(1, Math.floor(s))}${THIN}s`;
  if (s < 3600) return `${Math.floor(s / 60)}${THIN}min`;
  if (s < 86400) return `${Math.floor(s / 3600)}${THIN}h`;
  return `${Math.floor(s / 86400)}${THIN}d`;
}

/** Whole seconds left, never "0 s" before it is over: "3 s". @param {number | undefined} ms */
export const countdown = (ms) => (known(ms) ? `${Math.max(0, Math.ceil(ms / 1000))}${THIN}s` : NONE);

/** Seconds of a duration: "0.41 s", "12.3 s", "3 min". @param {number | undefined} seconds */
export function seconds(seconds) {
  if (!known(seconds)) return NONE;
  if (seconds < 10) return `${seconds.toFixed(2)}${THIN}s`;
  if (seconds < 60) return `${seconds.toFixed(1)}${THIN}s`;
  return age(seconds * 1000);
}

/** Local time of day with seconds: "14:02:11". @param {number | undefined} ms since 1970 */
export function timeOfDay(ms) {
  if (!known(ms)) return NONE;
  const d = new Date(ms);
  const two = (/** @type {number} */ n) => String(n).padStart(2, '0');
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

/** A position for reading: "9f3c1a-482 913". @param {string | undefined} position */
export function position(position) {
  if (!position) return NONE;
  const dash = position.indexOf('-');
  return position.slice(0, dash + 1) + group(position.slice(dash + 1));
}
