// States of ARIA have values: an attribute without one, as toggleAttribute writes it, means false or the default.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { bare, read, root } from './sources.js';

const files = (/** @type {string} */ dir, /** @type {string} */ end) => readdirSync(join(root, dir), { recursive: true })
  .map((name) => `${dir}/${name}`).filter((name) => name.endsWith(end) && !name.endsWith('.test.js'));

test('every ARIA attribute is written with a value', () => {
  const [scripts, templates] = [files('web', '.js'), files('views', '.html')];
  assert.ok(scripts.length > 100 && templates.length > 10, 'the sources were found');
  for (const path of scripts) assert.doesNotMatch(bare(read(path)), /toggleAttribute\(\s*['"`]aria-/, path);
  for (const path of templates) assert.doesNotMatch(read(path), /\saria-[a-z]+(?![a-z]*=)[\s>]|\saria-[a-z]+=""/, path);
});
