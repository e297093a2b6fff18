import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keepFocus } from './dom.js';
import { composing } from './keys.js';

class Fake {
  /** @type {Fake[]} */
  children = [];
  /** @param {any} doc @param {string} tagName @param {Record<string, string>} data */
  constructor(doc, tagName, data = {}) {
    this.ownerDocument = doc;
    this.tagName = tagName;
    this.attributes = [{ name: 'class', value: String(Math.random()) }, ...Object.entries(data).map(([k, value]) => ({ name: `data-${k}`, value }))];
  }
  focus() { this.ownerDocument.activeElement = this; }
  /** @param {any} e */
  contains(e) { return e === this || this.children.includes(e); }
  /** @param {string} tag */
  querySelectorAll(tag) { return this.children.filter((c) => c.tagName === tag); }
}

test('rendering a list again keeps the focus', (t) => {
  /** @type {any} */ (globalThis).HTMLElement = Fake;
  t.after(() => { delete /** @type {any} */ (globalThis).HTMLElement; });
  /** @type {any} */
  const doc = { activeElement: null };
  const box = new Fake(doc, 'UL');
  const render = (/** @type {string[]} */ ...ids) => keepFocus(/** @type {any} */ (box), () => {
    if (box.children.includes(doc.activeElement)) doc.activeElement = null; // as a browser does
    box.children = ids.flatMap((id) => ['again', 'remove'].map((action) => new Fake(doc, 'BUTTON', { id, action })));
  });
  render('a', 'b');
  assert.equal(doc.activeElement, null, 'an unfocused list gets no focus');
  box.children[3]?.focus();
  render('new', 'a', 'b');
  assert.equal(doc.activeElement, box.children[5]);
  render('a');
  assert.equal(doc.activeElement, null, 'a removed element loses the focus');
  const other = new Fake(doc, 'INPUT');
  other.focus();
  render('a', 'b');
  assert.equal(doc.activeElement, other);
});

test('keys of an input method are recognised', () => {
  assert.ok(composing(/** @type {any} */ ({ key: 'Enter', isComposing: true, keyCode: 13 })));
  assert.ok(composing(/** @type {any} */ ({ key: 'Enter', isComposing: false, keyCode: 229 })));
  assert.ok(!composing(/** @type {any} */ ({ key: 'Enter', isComposing: false, keyCode: 13 })));
});
