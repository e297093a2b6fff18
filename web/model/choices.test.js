import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runInNewContext } from 'node:vm';
import { ownName } from '../browser/http.js';
import { parseJSON } from '../browser/storage.js';
import { choices, defaults, inAddress, readChoices, withSettings } from './choices.js';

const script = readFileSync(fileURLToPath(new URL('../../public/theme.js', import.meta.url)), 'utf8');

/**
 * The result of public/theme.js in a browser.
 * @param {{ stored?: Record<string, string>, search?: string, lang?: string, path?: string, forbidden?: boolean, navigator?: { language?: any, languages?: any } }} [given]
 */
function painted({ stored = {}, search = '', lang = 'en', path = '', forbidden = false, navigator = { language: lang, languages: [lang] } } = {}) {
  const storage = new Map(Object.entries(stored));
  const no = () => { throw new Error('forbidden'); };
  const localStorage = forbidden ? { getItem: no, setItem: no, removeItem: no } : {
    getItem: (/** @type {string} */ k) => storage.get(k) ?? null,
    setItem: (/** @type {string} */ k, /** @type {string} */ v) => storage.set(k, v),
    removeItem: (/** @type {string} */ k) => storage.delete(k),
  };
  /** @type {Record<string, string>} */
  const dataset = {};
  runInNewContext(script, { document: { documentElement: { lang, dataset }, currentScript: { src: `http://127.0.0.1${path}/static/theme.js` } }, localStorage, location: { search }, URL, URLSearchParams, navigator });
  return { look: { ...dataset }, storage, navigator };
}

const keep = (/** @type {any} */ value) => ({ 'ticklane.settings': JSON.stringify(value) });

test('before the first paint every setting has a valid value', () => {
  for (const [name, values] of Object.entries(choices)) {
    for (const value of values) assert.deepEqual(painted({ stored: keep({ v: 1, [name]: value }) }).look, { ...defaults('en'), [name]: value });
    assert.deepEqual(painted({ stored: keep({ v: 1, [name]: 'nonsense' }) }).look, defaults('en'));
  }
});

test('the default depends on the language: red is up in Chinese', () => {
  assert.deepEqual(painted().look, defaults('en'));
  assert.deepEqual(painted({ lang: 'zh-CN' }).look, defaults('zh-CN'));
  assert.equal(defaults('zh-CN').colours, 'red');
  assert.equal(painted({ lang: 'zh-CN', stored: keep({ v: 1, colours: 'green' }) }).look.colours, 'green', "a person's own choice wins");
});

test('invalid values, another version and forbidden storage give the defaults', () => {
  for (const text of ['', '{', 'null', '7', '"x"', '[]', '{"v":2,"theme":"dark"}', '{"theme":"dark"}']) {
    assert.deepEqual(painted({ stored: { 'ticklane.settings': text } }).look, defaults('en'), text);
    assert.deepEqual(readChoices(parseJSON(text)), {}, text);
  }
  assert.deepEqual(painted({ forbidden: true }).look, defaults('en'));
  assert.deepEqual(readChoices({ v: 1, theme: 'dark', colours: 5, more: 1 }), { theme: 'dark' });
});

test('values stored by earlier versions are migrated once', () => {
  const { look, storage } = painted({ stored: { 'ticklane.theme': 'light', 'ticklane.colours': 'cvd' } });
  assert.deepEqual(look, { ...defaults('en'), theme: 'light', colours: 'blue' });
  assert.deepEqual([...storage], [['ticklane.settings', '{"v":1,"theme":"light","colours":"blue"}']]);
  assert.equal(painted().storage.size, 0, 'nothing is stored without a choice');
});

test('servers below different paths of one origin have their own settings', () => {
  const stored = { ...keep({ v: 1, theme: 'light' }), '/a:ticklane.settings': '{"v":1,"theme":"dark"}', 'ticklane.colours': 'cvd' };
  assert.equal(painted({ stored }).look.theme, 'light');
  assert.equal(painted({ stored, path: '/a' }).look.theme, 'dark');
  const { look, storage } = painted({ stored, path: '/a/b' });
  assert.deepEqual(look, defaults('en'));
  assert.deepEqual(Object.fromEntries(storage), stored, 'those of others stay');
  assert.equal(ownName('ticklane.settings', '/a'), '/a:ticklane.settings', 'the key by which the page stores them');
});

test('the address takes precedence for its page and is not stored', () => {
  const stored = keep({ v: 1, theme: 'light', density: 'compact', volume: 'full' });
  const { look, storage } = painted({ stored, search: '?theme=dark&colours=blue&density=wall&tz=ny&numbers=point&volume=short&lang=zh-CN' });
  assert.deepEqual(look, { ...defaults('en'), theme: 'dark', colours: 'blue', density: 'wall', tz: 'ny', numbers: 'point', volume: 'full' });
  assert.deepEqual(Object.fromEntries(storage), stored);
  assert.equal(painted({ stored, search: '?theme=pink' }).look.theme, 'light');
});

test('writing the view into the address keeps its settings', () => {
  assert.equal(withSettings('?symbol=V', '?symbol=A&theme=dark&lang=zh-CN&q=x'), '?symbol=V&theme=dark&lang=zh-CN');
  assert.equal(withSettings('', '?symbol=A'), '');
  for (const name of inAddress) assert.equal(withSettings('', `?${name}=x`), `?${name}=x`);
});

test('a language of the browser that Intl rejects is replaced by one that it accepts; others stay', () => {
  for (const [language, want] of /** @type {const} */ ([['en-US@posix', 'en-US'], ['en_US.UTF-8', 'en-US'], ['C', 'zh-CN'], ['@', 'zh-CN'], ['', 'zh-CN'], [undefined, 'zh-CN']])) {
    const { navigator } = painted({ lang: 'zh-CN', navigator: { language, languages: language === undefined ? undefined : [language, 'de-CH'] } });
    assert.equal(navigator.language, want, language);
    assert.doesNotThrow(() => new Intl.NumberFormat(navigator.language), language);
    assert.doesNotThrow(() => new Intl.DateTimeFormat([...navigator.languages]), language);
  }
  const fine = Object.freeze({ language: 'zh-hans-CN', languages: Object.freeze(['zh-hans-CN', 'de-CH-1996']) });
  assert.equal(painted({ navigator: fine }).navigator, fine, 'nothing is changed');
});
