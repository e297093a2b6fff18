import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HoverHold } from './hoverHold.js';

test('a resting mouse holds the rows for 30 s', () => {
  const calm = new HoverHold();
  assert.ok(calm.over(0));
  calm.mouse(1000, 10, 10);
  assert.ok(!calm.over(30_999));
  assert.ok(calm.over(31_000));
  calm.mouse(31_500, 10, 10); // the rows moved under it, not the mouse
  assert.ok(calm.over(31_500));
  calm.mouse(32_000, 11, 10);
  assert.ok(!calm.over(61_999));
  assert.ok(calm.over(62_000));
});

test('a leaving mouse releases the rows at once, and may return to the same position', () => {
  const calm = new HoverHold();
  calm.mouse(1000, 10, 10);
  calm.leave();
  assert.ok(calm.over(1001));
  calm.mouse(1500, 10, 10);
  assert.ok(!calm.over(1501));
});

test("a touch or a key holds the rows for 2 s and never shortens the mouse's time", () => {
  const calm = new HoverHold();
  calm.touch(0);
  assert.ok(!calm.over(1999));
  assert.ok(calm.over(2000));
  calm.mouse(3000, 1, 1);
  calm.touch(4000);
  assert.ok(!calm.over(20_000));
});
