// The project's own sources, as tests of what stands in them read them.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const read = (/** @type {string} */ path) => readFileSync(join(root, path), 'utf8');

/** Without comments. A string that holds // begins with an address, which has a colon before it. @param {string} code */
export const bare = (code) => code.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(?<![:'"`\\])\/\/.*$/gm, '');

/** The modules that an entry draws in, itself too. @param {string} entry @param {Set<string>} seen @returns {Set<string>} */
export function graph(entry, seen = new Set()) {
  if (seen.has(entry)) return seen;
  seen.add(entry);
  for (const [, from = ''] of bare(read(entry)).matchAll(/^import [^;]*? from '(\.[^']*)'/gm)) graph(join(dirname(entry), from), seen);
  return seen;
}
