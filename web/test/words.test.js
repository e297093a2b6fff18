// The catalogues are complete and have no unused texts, and no page or view contains other texts.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { t, use } from '../text.js';
import { bare, graph, read, root } from './sources.js';

/** @type {Record<string, string | { one: string, other: string }>} */
const en = JSON.parse(read('views/text/en.json'));
/** @type {Record<string, string | { one: string, other: string }>} */
const zh = JSON.parse(read('views/text/zh-CN.json'));
/** @type {Record<string, string[]>} */
const pages = JSON.parse(read('views/text/pages.json'));

const list = (/** @type {string} */ dir, /** @type {string} */ end) => readdirSync(join(root, dir), { recursive: true })
  .map((name) => `${dir}/${name}`).filter((name) => name.endsWith(end) && !/\/test\/|\.test\.js$/.test(name));
const templates = list('views', '.html');
const scripts = list('web', '.js');

/** The first argument of a call, from after its parenthesis. @param {string} code @param {number} from */
function firstArgument(code, from) {
  let depth = 0;
  for (let at = from; at < code.length; at++) {
    const c = code.charAt(at);
    if ('([{'.includes(c)) depth++;
    else if (')]}'.includes(c) && depth-- === 0) return code.slice(from, at);
    else if (c === ',' && depth === 0) return code.slice(from, at);
  }
  return code.slice(from);
}

/** The keys that code uses: complete ones, and the prefixes of computed ones. @param {string} code */
function asked(code) {
  const text = bare(code);
  const whole = new Set();
  const begun = new Set();
  for (const call of text.matchAll(/\b(?:t|has|named)\(/g)) {
    const key = firstArgument(text, call.index + call[0].length); // it may be a conditional expression
    for (const [, k] of key.matchAll(/'([a-z]+(?:\.[\w-]+)+)'/gi)) whole.add(k);
    for (const [, start] of key.matchAll(/`([a-z]+\.[^$`]*)\$\{/gi)) begun.add(start);
  }
  return { whole, begun };
}

const forms = (/** @type {any} */ text) => (typeof text === 'string' ? [text] : [text.one, text.other]);
const holes = (/** @type {any} */ text) => [...new Set(forms(text).join(' ').match(/\{\w+\}/g) ?? [])].sort().join(' ');

test('both catalogues have the same keys, in order, with the same placeholders', () => {
  assert.deepEqual(Object.keys(en), Object.keys(en).sort(), 'keys are sorted, which avoids merge conflicts');
  assert.deepEqual(Object.keys(zh), Object.keys(en));
  for (const [key, text] of Object.entries(en)) {
    assert.equal(holes(zh[key]), holes(text), key);
    if (typeof text !== 'string') assert.match(text.one + text.other, /\{n\}.*\{n\}/, `${key} has forms, so it needs n`);
    for (const form of [...forms(text), ...forms(zh[key])]) assert.notEqual(form.trim(), '', key);
  }
});

test('every key in use exists, and every key is used', () => {
  const used = new Set();
  for (const path of templates) {
    for (const [, key = ''] of read(path).matchAll(/\$?\.(?:T|Rich) "([^"]+)"/g)) {
      assert.ok(en[key] !== undefined, `${path}: ${key}`);
      used.add(key);
    }
    for (const [, start = ''] of read(path).matchAll(/\.T \(print "([^"]+)" /g)) {
      const found = Object.keys(en).filter((key) => key.startsWith(start));
      assert.ok(found.length, `${path}: no key begins with ${start}`);
      for (const key of found) used.add(key);
    }
  }
  for (const path of scripts) {
    const { whole, begun } = asked(read(path));
    for (const key of whole) {
      assert.ok(en[key] !== undefined, `${path}: ${key}`);
      used.add(key);
    }
    for (const start of begun) {
      const found = Object.keys(en).filter((key) => key.startsWith(start));
      assert.ok(found.length, `${path}: no key begins with ${start}`);
      for (const key of found) used.add(key);
    }
  }
  // Texts that the server uses: titles by page and status, and errors.
  const server = list('handlers', '.go').filter((path) => !path.endsWith('_test.go')).map(read).join('\n');
  for (const key of Object.keys(en)) {
    const own = server.includes(`"${key}"`) || [...server.matchAll(/"((?:error|page)\.[a-z.]+\.)"/g)].some(([, start = '-']) => key.startsWith(start));
    assert.ok(used.has(key) || own, `nothing uses ${key}`);
  }
});

test('each page contains the texts that its scripts use', () => {
  for (const [page, areas] of Object.entries(pages)) {
    for (const path of graph(`web/${page}.js`)) {
      const { whole, begun } = asked(read(path));
      for (const key of [...whole, ...begun]) assert.ok(areas.includes(key.split('.')[0]), `${path} uses ${key}, which ${page} does not contain; see views/text/pages.json`);
    }
    for (const area of areas) assert.ok(Object.keys(en).some((key) => key.startsWith(`${area}.`)), `${page}: no key has the prefix ${area}`);
  }
});

// Names and signs that are the same in every language.
const NAMES = /\b(?:Ticklane|SSE|WebSocket|Server-Sent Events|WS|Lightweight Charts|p50|p99|UTC|English|Esc|Enter|Space|B|10s|1m|5m|15m|1h|1d)\b|简体中文/g;

test('no template contains texts', () => {
  for (const path of templates) {
    const html = read(path).replace(/\{\{[\s\S]*?\}\}/g, ' ').replace(/<(script|style|svg|code|pre|kbd)\b[\s\S]*?<\/\1>/g, '');
    const texts = [...html.matchAll(/>([^<]*)</g), ...html.matchAll(/(?:aria-label|title|placeholder|alt|data-bold|aria-description)="([^"]*)"/g)];
    for (const [, text = ''] of texts) {
      assert.doesNotMatch(text.replace(/&\w+;|&#\d+;/g, '').replace(NAMES, '').replace(/^\s*\((?:a|p|,)\)\s*$/, ''), /\p{L}/u, `${path}: “${text.trim()}”`);
    }
  }
});

// Files for programs are in English.
const OTHER = new Set(['web/compare/core/export.js', 'web/compare/core/runFile.js']);
// What the comparison and load reports call their findings; a catalogue has a word for each.
const CODES = /^(?:our connector|not needed|half true|no longer true|no difference|not measured yet|A higher|A lower)$/;

test('no view contains texts', () => {
  // A text is a capitalised word, or two words separated by a space. Class lists, styles, selectors and names of the
  // platform are recognised by their form or position.
  const platform = /^(?:[A-Z][a-z]*(?:-[A-Z][a-z]+)+|Edg|Edge|Safari|Version|Arrow\w+|Page\w+|Home|End|Enter|Escape|America\/New_York|Notification|Files)$/;
  const files = scripts.filter((p) => /^web\/(?:ui\/|compare\/|lane\/sentences|cluster|compare|dashboard|reports|text|model\/)/.test(p) && !OTHER.has(p));
  assert.ok(files.length > 25, 'the views were found');
  for (const path of files) {
    const code = bare(read(path)).replace(/^import .*$|\bimport\('[^']*'\)/gm, '').replace(/new Error\([^;]*\);/g, '').replace(/console\.\w+\([^;]*\);/g, '').replace(/failed\(`[^`]*`/g, 'failed(')
      .replace(/(?:class|viewBox|preserveAspectRatio|d): (?:'[^']*'|`[^`]*`)/g, '').replace(/(?:className = |querySelector(?:All)?\(|closest\(|matchMedia\(|cell\()(?:'[^']*'|`[^`]*`)/g, '');
    for (const [, template, string] of code.matchAll(/`((?:[^`\\]|\\.)*)`|'((?:[^'\\\n]|\\.)*)'/g)) {
      const text = template ?? string ?? '';
      const own = text.replace(/\$\{[^}]*\}/g, '').replace(NAMES, '');
      if (platform.test(own) || CODES.test(own) || /^[\w-]+\.[\w.-]+$/.test(own) || /[;=]|^num |sans-serif$/.test(own)) continue;
      assert.doesNotMatch(own, /[A-Z][a-z]{2,}|[A-Za-z]{2,} [A-Za-z]{2,}/, `${path}: “${text}”`);
    }
  }
});

test("the catalogue has the names of a load report's figures and states", () => {
  const report = read('internal/loadtest/report/report.go');
  const metrics = [...read('internal/loadtest/report/metric.go').matchAll(/^\t\{"(\w+)", "([^"]+)", "[^"]*", /gm)];
  assert.ok(metrics.length >= 12, 'the figures were found');
  for (const [, key, name] of metrics) assert.equal(en[`reports.metric.${key}`], name);
  const states = [...report.matchAll(/^\tStatus\w+ += "(\w+)"/gm)];
  assert.equal(states.length, 5);
  for (const [, state] of states) assert.equal(en[`reports.status.${state}`], state);
  for (const [, verdict = ''] of read('internal/loadtest/stats/estimate.go').matchAll(/ Verdict = "([^"]+)"/g)) {
    if (!/^(?:no difference|A higher|A lower)$/.test(verdict)) assert.equal(en[`reports.verdict.${verdict.replace(/ /g, '-')}`], verdict);
  }
  for (const [, drill] of read('internal/loadtest/report/drill.go').matchAll(/^\tDrill\w+ += "(\w+)"/gm)) assert.equal(en[`reports.kind.drill-${drill}`], `drill ${drill}`);
});

test('a text replaces its placeholders, formats its numbers and chooses its form', (c) => {
  c.after(() => use(/** @type {any} */ (en), 'en'));
  use({ a: { one: '{n} tick of {s}', other: '{n} ticks of {s}' }, b: 'x{y}z' }, 'en');
  assert.equal(t('a', { n: 1, s: 'A' }), '1 tick of A');
  assert.equal(t('a', { n: 0, s: 'A' }), '0 ticks of A');
  assert.equal(t('a', { n: 1204, s: '$&' }), '1\u202f204 ticks of $&');
  assert.equal(t('b', { y: '' }), 'xz');
  assert.throws(() => t('b'), /b needs y/);
  assert.throws(() => t('c'), /no text c/);
  assert.throws(() => t('toString'), /no text toString/);
});
