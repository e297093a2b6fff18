// What web/lane, web/model and web/compare/core may use: no DOM, and nothing of the views.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { bare, read, root } from './sources.js';

const files = ['web/lane', 'web/model', 'web/compare/core'].flatMap((dir) => readdirSync(join(root, dir), { recursive: true }).map((name) => `${dir}/${name}`))
  .filter((path) => path.endsWith('.js') && !path.endsWith('.test.js'));

/** Hands a feed the page's window and document; nothing else names them. */
const BOUNDARY = 'web/lane/platform.js';

const DOM = new RegExp([
  /(?<![\w$.#])document\b/, // a property, as in page.document, is given by the caller
  /(?<![\w$#])window\s*(?:\.|\[|\?\.)/,
  /\b(?:globalThis|self)\??\.(?:document|window|localStorage|sessionStorage)\b/,
  /\b(?:HTML\w*|SVG\w*)?Element\b/, /\bNode\b/, /\bnew (?:Custom|Pointer|Keyboard|Mouse)?Event\b/,
  /\b(?:localStorage|sessionStorage|indexedDB|matchMedia|getComputedStyle|requestAnimationFrame|(?:Resize|Mutation|Intersection)Observer)\b/,
  /(?<![\w$.#])(?:location|history)\.(?!js)/, /(?<![\w$.#])addEventListener\(/,
].map((r) => r.source).join('|'));

/** Without comments and the contents of strings. @param {string} code */
const words = (code) => bare(code).replace(/'(?:[^'\\\n]|\\.)*'/g, "''");

test('code in web/lane, web/model and web/compare/core touches no DOM', () => {
  assert.ok(files.length > 40, 'the files were found');
  for (const path of files) if (path !== BOUNDARY) assert.doesNotMatch(words(read(path)), DOM, path);
});

test('the DOM is recognised in its usual forms', () => {
  for (const code of ['document.title', 'f(document)', 'window.open()', 'x instanceof HTMLElement', 'addEventListener(a)', 'location.href', 'history.back()', 'globalThis.document', 'localStorage.x', 'requestAnimationFrame(f)', 'new Event(x)']) {
    assert.match(words(code), DOM, code);
  }
  for (const code of ['page.document.x', 'window / slices', '{ window = 3 }', 'source.addEventListener(a)', 'documents', "'document'", '// document', 'this.#location.x']) assert.doesNotMatch(words(code), DOM, code);
});

test('web/lane, web/model and web/compare/core import nothing of the views', () => {
  for (const path of files) {
    for (const [, from = ''] of bare(read(path)).matchAll(/(?:from |import\()'(\.[^']+)'/g)) {
      const to = join(dirname(path), from);
      const core = path.startsWith('web/compare/core/') && to.startsWith('web/compare/core/');
      if (!core) assert.match(to, /^web\/(?:lane|model|gen|browser)\/|^web\/text\.js$/, `${path} imports ${to}`);
    }
  }
});

/** The only module that calls fetch: it gives every request a time limit and an address without credentials. */
const REQUESTS = 'web/browser/http.js';
const REQUEST = /(?<![\w$])fetch\(|\b(?:XMLHttpRequest|sendBeacon)\b/;

test('every request has a time limit: only web/browser/http.js calls fetch', () => {
  const all = readdirSync(join(root, 'web'), { recursive: true }).map((name) => `web/${name}`)
    .filter((path) => path.endsWith('.js') && !path.endsWith('.test.js') && !/^web\/(?:gen|test|compare\/test)\//.test(path));
  assert.ok(all.length > 100 && all.includes(REQUESTS), 'the files were found');
  for (const path of all) if (path !== REQUESTS) assert.doesNotMatch(words(read(path)), REQUEST, path);
  for (const code of ['await fetch(url)', 'globalThis.fetch(url)', 'this.#fetch(url)', 'options.fetch(url)', 'new XMLHttpRequest()', 'navigator.sendBeacon(url)']) assert.match(code, REQUEST, code);
  for (const code of ['prefetch(url)', 'request(url, { fetch })', 'fetch: browserFetch']) assert.doesNotMatch(code, REQUEST, code);
});
