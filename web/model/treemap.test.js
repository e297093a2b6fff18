import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layout, neighbour, squarify, tileAt } from './treemap.js';

/** @import { Box } from './treemap.js' */

/** Seeded random numbers. @param {number} seed */
const random = (seed) => () => (seed = (seed * 16807) % 2147483647) / 2147483647;

/** @param {Box[]} boxes @param {Box} box */
function tiled(boxes, box) {
  const near = 1e-6 * box.w * box.h;
  const area = boxes.reduce((a, b) => a + b.w * b.h, 0);
  assert.ok(Math.abs(area - box.w * box.h) <= near, `${area} of ${box.w * box.h} is filled`);
  boxes.forEach((a, k) => {
    assert.ok(a.x >= box.x - 1e-6 && a.y >= box.y - 1e-6 && a.x + a.w <= box.x + box.w + 1e-6 && a.y + a.h <= box.y + box.h + 1e-6, `${k} sticks out`);
    for (const b of boxes.slice(k + 1)) {
      const over = Math.max(0, Math.min(a.x + a.w, b.x + b.w) - Math.max(a.x, b.x)) * Math.max(0, Math.min(a.y + a.h, b.y + b.h) - Math.max(a.y, b.y));
      assert.ok(over <= near, `${k} overlaps another`);
    }
  });
}

test('a treemap fills its box proportionally and without overlaps', () => {
  for (const [n, w, h] of /** @type {const} */ ([[1, 300, 200], [2, 300, 200], [7, 100, 400], [50, 430, 290], [500, 900, 300]])) {
    const next = random(n);
    const values = Array.from({ length: n }, () => 1 + 3000 * next() ** 4);
    const box = { x: 10, y: 20, w, h };
    const boxes = squarify(values, box);
    tiled(boxes, box);
    const sum = values.reduce((a, b) => a + b, 0);
    boxes.forEach((b, k) => assert.ok(Math.abs((b.w * b.h) / (w * h) - (values[k] ?? 0) / sum) < 1e-9, `${k} of ${n}`));
  }
});

test('tiles are close to squares: the example of the paper', () => {
  const boxes = squarify([6, 6, 4, 3, 2, 2, 1], { x: 0, y: 0, w: 6, h: 4 });
  const shape = boxes.map((b) => `${b.w.toFixed(2)}x${b.h.toFixed(2)}`);
  assert.deepEqual(shape.slice(0, 4), ['3.00x2.00', '3.00x2.00', '1.71x2.33', '1.29x2.33']);
  const worst = Math.max(...boxes.map((b) => Math.max(b.w / b.h, b.h / b.w)));
  assert.ok(worst < 3, `${worst}`);
  const next = random(3);
  const many = squarify(Array.from({ length: 200 }, () => 1 + 500 * next() ** 3), { x: 0, y: 0, w: 640, h: 400 });
  const ratios = many.map((b) => Math.max(b.w / b.h, b.h / b.w)).sort((a, b) => a - b);
  assert.ok((ratios[100] ?? 9) < 1.6, `the middle one has ${ratios[100]}`);
  assert.ok((ratios[190] ?? 9) < 3, `one in twenty is worse than ${ratios[190]}`);
});

test('an unknown value has a tile, and no values give no tiles', () => {
  tiled(squarify([5, 0, NaN, -1, Infinity], { x: 0, y: 0, w: 90, h: 60 }), { x: 0, y: 0, w: 90, h: 60 });
  tiled(squarify([0, 0], { x: 0, y: 0, w: 90, h: 60 }), { x: 0, y: 0, w: 90, h: 60 });
  assert.deepEqual(squarify([], { x: 0, y: 0, w: 90, h: 60 }), []);
  for (const b of squarify([1, 2], { x: 0, y: 0, w: 0, h: 60 })) assert.equal(b.w * b.h, 0);
});

const next = random(11);
const listings = Array.from({ length: 60 }, (_, k) => ({ symbol: `S${k}`, name: '', sector: `s${k % 7}`, value: 1 + 900 * next() ** 3 }));

test('symbols are inside their sector, below its name', () => {
  const box = { x: 0, y: 0, w: 500, h: 300 };
  const { sectors, tiles } = layout(listings, box);
  tiled(sectors, box);
  assert.equal(tiles.length, 60);
  for (const s of sectors) {
    tiled(tiles.filter((t) => t.listing.sector === s.sector), { x: s.x, y: s.y + s.label, w: s.w - 2, h: s.h - s.label - 2 });
  }
  assert.ok(sectors.some((s) => s.label > 0), 'names fit');
  assert.ok(layout(listings, { x: 0, y: 0, w: 90, h: 60 }).sectors.every((s) => s.label === 0), 'no name fits');
});

test('arrow keys reach every tile in their direction', () => {
  const { tiles } = layout(listings, { x: 0, y: 0, w: 500, h: 300 });
  const ways = /** @type {const} */ ([[1, 0], [-1, 0], [0, 1], [0, -1]]);
  const reached = new Set([0]);
  for (const at of reached) {
    for (const [dx, dy] of ways) {
      const to = neighbour(tiles, at, dx, dy);
      reached.add(to);
      const [a, b] = [tiles[at], tiles[to]];
      if (to !== at && a && b) assert.ok(dx * (b.x - a.x) + dy * (b.y - a.y) > 0, `${at} → ${to}`);
    }
  }
  assert.equal(reached.size, 60);
  tiles.forEach((b, k) => assert.equal(tileAt(tiles, b.x + b.w / 2, b.y + b.h / 2), k));
  assert.equal(tileAt(tiles, -1, 5), -1);
});
