// Reads the project's sources, for tests of their contents.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const read = (/** @type {string} */ path) => readFileSync(join(root, path), 'utf8');

/** Removes comments. In a string, // is part of a URL, after a colon. @param {string} code */
export const bare = (code) => code.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(?<![:'"`\\])\/\/.*$/gm, '');

/** The modules that an entry imports, including itself. @param {string} entry @param {Set<string>} seen @returns {Set<string>} */
export function graph(entry, seen = new Set()) {
  if (seen.has(entry)) return seen;
  seen.add(entry);
  for (const [, from = ''] of bare(read(entry)).matchAll(/^import [^;]*? from '(\.[^']*)'/gm)) graph(join(dirname(entry), from), seen);
  return seen;
}
