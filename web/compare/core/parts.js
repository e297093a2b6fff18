/** @typedef {import('./types.js').Part} Part */

const MARK = '\u0001'; // occurs in no text

/**
 * Splits a sentence into parts. Text between asterisks is strong; a given part replaces its placeholder, so that each
 * language can have its own order.
 * @param {(args: Record<string, string>) => string} sentence calls t with the given arguments
 * @param {Record<string, Part | Part[]>} [given] by placeholder
 * @returns {Part[]}
 */
export function parts(sentence, given = {}) {
  const names = Object.keys(given);
  const text = sentence(Object.fromEntries(names.map((name, k) => [name, `${MARK}${k}${MARK}`])));
  return text.split('*').flatMap((piece, k) => piece.split(MARK).flatMap((words, at) => {
    if (at % 2 === 1) return given[names[Number(words)] ?? ''] ?? [];
    return words ? [k % 2 === 1 ? { text: words, strong: true } : { text: words }] : [];
  }));
}
