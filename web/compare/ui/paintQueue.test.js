import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { PaintQueue } from './paintQueue.js';

/** @type {(entries: { target: any, isIntersecting: boolean }[]) => void} */
let observed = () => {};
const real = globalThis.IntersectionObserver;
globalThis.IntersectionObserver = /** @type {any} */ (class {
  /** @param {any} fn */
  constructor(fn) { observed = fn; }
  observe() {}
});
afterEach(() => { observed = () => {}; });
process.on('exit', () => { globalThis.IntersectionObserver = real; });

/** A queue of the parts a, b and c, what it painted, and the frames that it requested. */
function setup() {
  /** @type {string[]} */
  const painted = [];
  let requested = 0;
  const boxes = ['a', 'b', 'c'].map((name) => /** @type {any} */ ({ name }));
  const queue = new PaintQueue({
    frames: { request: () => { requested++; } },
    parts: boxes.map((box) => ({ boxes: [box], paint: (/** @type {any} */ r) => painted.push(`${box.name}${r}`) })),
  });
  return {
    queue, painted, frames: () => requested,
    see: (/** @type {string} */ names) => observed(boxes.map((target) => ({ target, isIntersecting: names.includes(target.name) }))),
    set: (/** @type {number} */ r) => queue.set(/** @type {any} */ (r)),
  };
}

test('each frame paints one part, and requests another frame while any waits', () => {
  const { queue, painted, frames, see, set } = setup();
  see('abc');
  set(1);
  for (const n of [1, 2, 3, 3]) {
    queue.next();
    assert.equal(painted.length, n);
  }
  assert.deepEqual(painted, ['a1', 'b1', 'c1']);
  assert.equal(frames(), 3, 'one for the result, two for the parts after the first');
});

test('a part out of sight paints its first result, and waits with the next until it is in sight', () => {
  const { queue, painted, frames, see, set } = setup();
  see('b');
  set(1);
  for (let k = 0; k < 4; k++) queue.next();
  assert.deepEqual(painted, ['a1', 'b1', 'c1'], 'screen readers read all of the page');
  set(2);
  queue.next();
  queue.next();
  assert.deepEqual(painted.slice(3), ['b2']);
  const before = frames();
  see('bc');
  assert.equal(frames(), before + 1);
  queue.next();
  assert.deepEqual(painted.slice(3), ['b2', 'c2']);
});

test('results that replace each other keep no part waiting', () => {
  const { queue, painted, see, set } = setup();
  see('abc');
  for (const r of [1, 2, 3]) {
    set(r);
    queue.next();
  }
  assert.deepEqual(painted, ['a1', 'b2', 'c3']);
});

test('all parts can be painted at once', () => {
  const { queue, painted, see, set } = setup();
  see('');
  set(1);
  queue.paint(/** @type {any} */ (2));
  see('abc');
  queue.next();
  assert.deepEqual(painted, ['a2', 'b2', 'c2']);
});
