import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wrap } from './wrap.js';

/** Every character is one wide, bold ones two. */
const measure = (/** @type {string} */ text, /** @type {import('../core/types.js').Part} */ part) => [...text].length * (part.strong ? 2 : 1);

/** The lines as text; a space stands for a gap. @param {import('../core/types.js').Part[]} parts @param {number} width */
const lines = (parts, width) => wrap(parts, width, measure).map((line) => {
  let end = 0;
  return line.map(({ text, part, x }) => {
    const before = ' '.repeat(x - end);
    end = x + measure(text, part);
    return before + text;
  }).join('');
});

test('lines end at spaces, never within a word of several parts', () => {
  assert.deepEqual(lines([{ text: 'SSE costs 24 % more bytes.' }], 12), ['SSE costs 24', '% more', 'bytes.']);
  assert.deepEqual(lines([{ text: 'more ' }, { text: 'ab', strong: true }, { text: '. ' }, { text: 'then' }], 10), ['more ab.', 'then']);
  assert.deepEqual(lines([{ text: 'more ' }, { text: 'abc', strong: true }, { text: '.' }], 11), ['more', 'abc.']);
  assert.deepEqual(lines([{ text: 'a' }, { text: ' b' }], 3), ['a b']);
});

test('a word wider than a line has its own line; no text has none', () => {
  assert.deepEqual(lines([{ text: 'a wholelongword b' }], 5), ['a', 'wholelongword', 'b']);
  assert.deepEqual(lines([], 5), []);
  assert.deepEqual(lines([{ text: '  ' }], 5), []);
});

test('Chinese lines end after any character, not before punctuation', () => {
  assert.deepEqual(lines([{ text: '在此计算机上，每秒' }], 6), ['在此计算机', '上，每秒']);
  assert.deepEqual(lines([{ text: '快于 SSE。' }, { text: '多' }], 6), ['快于', 'SSE。多']);
});
