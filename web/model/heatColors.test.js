import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { contrast, legend, palette, rgb, step } from './heatColors.js';

test('steps range from no change to three per cent', () => {
  assert.deepEqual([0, 0.004, 0.01, 0.25, 1.5, 3, 9, -0.3, -99].map(step), [0, 0, 1, 1, 6, 12, 12, -1, -12]);
  assert.ok(Number.isNaN(step(undefined)) && Number.isNaN(step(NaN)));
  assert.deepEqual([legend[0], legend[4], legend[8]], [-12, 0, 12]);
});

test('text is readable on every tile with all colours', () => {
  const css = readFileSync(new URL('../css/tokens.css', import.meta.url), 'utf8');
  const pairs = (/** @type {string} */ name) => [...css.matchAll(new RegExp(`--${name}:light-dark\\((#\\w+),(#\\w+)\\)`, 'g'))].map((m) => [m[1], m[2]]);
  const long = (/** @type {string | undefined} */ c = '') => (c.length === 4 ? c.replace(/[^#]/g, '$&$&') : c);
  const schemes = [[pairs('green')[0], pairs('red')[0]], [pairs('red')[0], pairs('green')[0]], [pairs('up')[0], pairs('down')[0]]];
  for (const theme of [0, 1]) {
    for (const [up, down] of schemes) {
      const colours = { flat: long(pairs('raise')[0]?.[theme]), up: long(up?.[theme]), down: long(down?.[theme]) };
      assert.ok(Object.values(colours).every((c) => /^#\w{6}$/.test(c)), JSON.stringify(colours));
      const of = palette(colours);
      const fills = new Set();
      for (let k = -12; k <= 12; k++) {
        const { fill, ink } = of(k);
        fills.add(fill);
        const have = contrast(rgb(fill), ink === '#fff' ? [255, 255, 255] : [0, 0, 0]);
        assert.ok(have >= 4.5, `${ink} on ${fill}: ${have}`);
      }
      assert.equal(fills.size, 25, 'each step has another colour');
      assert.equal(of(NaN).fill, of(0).fill);
    }
  }
});
