import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HoverHold } from './hoverHold.js';

test('a resting mouse holds the rows for 30 s', () => {
  const hold = new HoverHold();
  assert.ok(hold.over(0));
  hold.mouse(1000, 10, 10);
  assert.ok(!hold.over(30_999));
  assert.ok(hold.over(31_000));
  hold.mouse(31_500, 10, 10); // the rows moved under it, not the mouse
  assert.ok(hold.over(31_500));
  hold.mouse(32_000, 11, 10);
  assert.ok(!hold.over(61_999));
  assert.ok(hold.over(62_000));
});

test('a leaving mouse releases the rows at once, and may return to the same position', () => {
  const hold = new HoverHold();
  hold.mouse(1000, 10, 10);
  hold.leave();
  assert.ok(hold.over(1001));
  hold.mouse(1500, 10, 10);
  assert.ok(!hold.over(1501));
});

test("a touch or a key holds the rows for 2 s and never shortens the mouse's time", () => {
  const hold = new HoverHold();
  hold.touch(0);
  assert.ok(!hold.over(1999));
  assert.ok(hold.over(2000));
  hold.mouse(3000, 1, 1);
  hold.touch(4000);
  assert.ok(!hold.over(20_000));
});
