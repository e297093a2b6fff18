/** @typedef {import('./types.js').Part} Part */

const HOLE = '\u0001'; // stands in no text

/**
 * A sentence as parts: what stands between asterisks is strong, and a part that is given stands where its placeholder
 * is, so that each language has its own order.
 * @param {(args: Record<string, string>) => string} sentence calls t with what it is given
 * @param {Record<string, Part | Part[]>} [given] by placeholder
 * @returns {Part[]}
 */
export function parts(sentence, given = {}) {
  const names = Object.keys(given);
  const text = sentence(Object.fromEntries(names.map((name, k) => [name, `${HOLE}${k}${HOLE}`])));
  return text.split('*').flatMap((piece, k) => piece.split(HOLE).flatMap((words, at) => {
    if (at % 2 === 1) return given[names[Number(words)] ?? ''] ?? [];
    return words ? [k % 2 === 1 ? { text: words, strong: true } : { text: words }] : [];
  }));
}
