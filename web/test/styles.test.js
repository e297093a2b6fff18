// Every page loads the dashboard's styles with its own, so they must not use a class for different things.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { read } from './sources.js';

const DASHBOARD = ['chart', 'lane', 'market', 'trades', 'watchlist'];
const OTHERS = ['page', 'compare', 'reports', 'cluster', 'docs'];
const STYLES = readdirSync(new URL('../css', import.meta.url)).map((file) => file.replace('.css', ''));
const SAME = new Set(['app', 'menu']); // the same element on both, with a different layout

/** The selectors of a stylesheet. @param {string} name */
const selectors = (name) => read(`web/css/${name}.css`).replace(/\/\*[\s\S]*?\*\//g, '').replace(/@(?:media|container|import)[^{;]*[{;]/g, '')
  .split(/\{[^{}]*\}|\}/).flatMap((s) => s.split(/,(?![^(]*\))/)).map((s) => s.trim()).filter(Boolean);

test("the dashboard's styles and those of the other pages share no class", () => {
  // A rule of the dashboard that starts with a class applies to other pages, too.
  const bare = new Map(DASHBOARD.flatMap((name) => selectors(name).flatMap((s) => {
    const [, first] = /^\.([\w-]+)/.exec(s) ?? [];
    return first ? [[first, `${name}.css: ${s}`]] : [];
  })));
  assert.ok(bare.size > 40, 'the rules were found');
  for (const name of OTHERS) {
    for (const s of selectors(name)) for (const [, used = ''] of s.matchAll(/\.([\w-]+)/g)) {
      if (!SAME.has(used)) assert.ok(!bare.has(used), `${name}.css styles .${used} (${s}), and so does ${bare.get(used)}`);
    }
  }
});

test('what is hidden stays hidden', () => {
  for (const name of STYLES) for (const [, selectors = ''] of read(`web/css/${name}.css`).matchAll(/([^{}]*)\{[^{}]*display:(?!none)[\w-]+!important[^{}]*\}/g)) {
    for (const s of selectors.split(',')) assert.ok(s.trim().endsWith(':not([hidden])'), `${name}.css: ${s.trim()} overrides the rule of [hidden]`);
  }
});

test("every scroll bar but the page's has the theme's colours, which it inherits", () => {
  assert.deepEqual(STYLES.filter((name) => read(`web/css/${name}.css`).includes('scrollbar-color')), ['base']);
  assert.match(read('web/css/base.css'), /body\{[^}]*scrollbar-color:var\(--line\) transparent/);
});
