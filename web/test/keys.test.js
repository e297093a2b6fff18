// The dialog of keyboard shortcuts lists the keys that the page handles, and no others.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bare, graph, read } from './sources.js';

/** KeyboardEvent.key by label. @type {Record<string, string>} */
const SHOWN = {
  '↑': 'ArrowUp', '↓': 'ArrowDown', '←': 'ArrowLeft', '→': 'ArrowRight', PgUp: 'PageUp', PgDn: 'PageDown', Esc: 'Escape', Space: ' ', '−': '-',
};
const NAMED = /\b(?:Arrow(?:Up|Down|Left|Right)|Page(?:Up|Down)|Home|End|Enter|Escape)\b/g;

/** The keys that a page's code handles. @param {string} page */
function handled(page) {
  const found = new Set(['?']); // opens the dialog
  for (const path of graph(`web/${page}.js`)) {
    const code = bare(read(path));
    for (const [, table = ''] of code.matchAll(/^listen\(\{(.*?)^\}\);/gms)) {
      for (const [, quoted, plain] of table.matchAll(/^ {2}(?:'([^']+)'|(\w+)):? ?/gm)) found.add(quoted ?? plain);
    }
    if (!/'keydown'/.test(code) || path === 'web/ui/common/keys.js') continue; // it handles the keys of those tables
    for (const [name] of code.matchAll(NAMED)) found.add(name);
    for (const [, key = ''] of code.matchAll(/(?:\bkey === |case )'(.)'/g)) found.add(key);
    for (const [, modifier] of code.matchAll(/e\.(shift|alt)Key/g)) found.add(modifier === 'shift' ? 'Shift' : 'Alt');
  }
  return found;
}

/** The keys that a page's dialog lists. @param {'watch' | 'compare'} page */
function listed(page) {
  const html = read('views/partials/keys.html').replace(/\{\{if eq \.Page "watch"\}\}([\s\S]*?)(?:\{\{else\}\}([\s\S]*?))?\{\{end\}\}/g,
    (_, watch, other = '') => (page === 'watch' ? watch : other));
  return new Set([...html.matchAll(/<kbd>(.*?)<\/kbd>/g)].map(([, k = '']) => SHOWN[k] ?? k));
}

for (const [page, name] of /** @type {const} */ ([['dashboard', 'watch'], ['compare', 'compare']])) {
  test(`the dialog of ${page} lists the keys that it handles`, () => {
    const [has, lists] = [handled(page), listed(name)];
    assert.ok(lists.size >= (name === 'watch' ? 20 : 4), 'the dialog was found');
    // Enter and Escape work as usual in fields and menus; Alt is checked to leave its keys to the browser.
    for (const key of has) if (!['Enter', 'Escape', 'Alt', '='].includes(key)) assert.ok(lists.has(key), `${page} handles ${key}, which its dialog does not list`);
    for (const key of lists) assert.ok(has.has(key), `the dialog of ${page} lists ${key}, which nothing handles`);
  });
}
