// Symbols from a pasted text or a file.

const COLUMN = /^(?:symbol|ticker)s?$/i; // the header of a table's column of symbols

/** The fields of a line of a table; separators within double quotes are text. @param {string} line @param {string} separator */
function fields(line, separator) {
  const list = [''];
  let quoted = false;
  for (const c of line) {
    if (c === '"') quoted = !quoted;
    else if (c === separator && !quoted) list.push('');
    else list[list.length - 1] += c;
  }
  return list.map((f) => f.trim());
}

/** The fields of the column of symbols; null when the first line is no table's header. @param {string} text @returns {string[] | null} */
function columnOf(text) {
  const [header = '', ...rows] = text.split(/[\r\n]+/).filter((line) => line.trim());
  for (const separator of [',', ';', '\t']) {
    const at = fields(header, separator).findIndex((name) => COLUMN.test(name));
    if (at >= 0) return rows.map((row) => fields(row, separator)[at] ?? '');
  }
  return null;
}

/**
 * The symbols of a text in its order, without checking them: separated by line breaks, commas, semicolons,
 * tabs or spaces, or the column of a table whose header is "Symbol" or "Ticker".
 * @param {string} text @returns {string[]}
 */
export function parseSymbols(text) {
  const plain = text.replace(/^\ufeff/, '');
  return (columnOf(plain) ?? plain.split(/[\s,;]+/)).map((s) => s.replace(/^["'$]+|["']+$/g, '')).filter(Boolean);
}

/**
 * @typedef {object} Plan
 * @property {string[]} add the symbols to add, in order
 * @property {string[]} unknown what is no symbol of the server
 * @property {number} ignored symbols that are repeated, or that the list has
 * @property {number} over symbols for which the list has no room
 */

/**
 * What an import of a text into a list would do. A symbol that the server has only in upper case may be written in any case.
 * @param {string} text @param {{ known: (symbol: string) => boolean, present: readonly string[], most: number }} options present: the list's symbols; most: the limit of their number
 * @returns {Plan}
 */
export function planImport(text, { known, present, most }) {
  const seen = new Set(present);
  const unknown = new Set();
  /** @type {string[]} */
  const add = [];
  let ignored = 0;
  let over = 0;
  for (const written of parseSymbols(text)) {
    const symbol = known(written) ? written : written.toUpperCase();
    if (seen.has(symbol)) {
      ignored++;
    } else if (!known(symbol)) {
      unknown.add(written);
    } else {
      seen.add(symbol);
      if (present.length + add.length < most) add.push(symbol);
      else over++;
    }
  }
  return { add, unknown: [...unknown], ignored, over };
}
