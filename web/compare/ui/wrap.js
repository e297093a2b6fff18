// Breaks a sentence of differently set parts into lines, for a canvas.

/** @import { Part } from '../core/types.js' */
/** @typedef {{ part: Part, text: string, x: number }} Piece x from the start of the line */

// Chinese may be broken after each character, but not before closing punctuation.
const CLOSING = /^[，。；：、！？）》」”’.,;:!?)\]}%]/;
const TOKENS = /\s+|[\u2e80-\u9fff\uff00-\uffef]|[^\s\u2e80-\u9fff\uff00-\uffef]+/gu;
const CHINESE = /^[\u2e80-\u9fff\uff00-\uffef]$/u;

/**
 * @param {readonly Part[]} parts
 * @param {number} width
 * @param {(text: string, part: Part) => number} measure
 * @returns {Piece[][]} lines; a wider word has its own line
 */
export function wrap(parts, width, measure) {
  /** @type {Piece[][]} */
  const lines = [[]];
  let used = 0;
  let space = 0; // before the next word
  for (const word of words(parts)) {
    const size = word.reduce((n, { text, part }) => n + measure(text, part), 0);
    const [first] = word;
    if (!first) continue;
    if (first.text.trim() === '') {
      space = size;
      continue;
    }
    if (used > 0 && used + space + size > width) {
      lines.push([]);
      used = space = 0;
    }
    if (used > 0) used += space;
    space = 0;
    for (const { text, part } of word) {
      lines.at(-1)?.push({ part, text, x: used });
      used += measure(text, part);
    }
  }
  return lines.filter((line) => line.length > 0);
}

/** Pieces between which a line may end; spaces are words of their own. @param {readonly Part[]} parts @returns {{ part: Part, text: string }[][]} */
function words(parts) {
  /** @type {{ part: Part, text: string }[][]} */
  const all = [];
  let open = false; // whether the next token belongs to the last word
  for (const part of parts) {
    for (const [text] of part.text.matchAll(TOKENS)) {
      const blank = text.trim() === '';
      const last = all.at(-1);
      const joins = last && !blank && last[0]?.text.trim() !== '' && (CLOSING.test(text) || (open && !CHINESE.test(text)));
      if (joins) last.push({ part, text });
      else all.push([{ part, text }]);
      open = !blank && !CHINESE.test(text);
    }
  }
  return all;
}
