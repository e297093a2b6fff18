import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Throttle } from './timers.js';

test('requests until the call are one call, later ones another', () => {
  /** @type {(() => void)[]} */
  const due = [];
  let calls = 0;
  const throttle = new Throttle(() => calls++, 500, { setTimeout: (fn) => due.push(fn), clearTimeout: () => {} });
  throttle.request();
  throttle.request();
  assert.deepEqual([calls, due.length], [0, 1], 'it does not move with each request, so it comes');
  due.pop()?.();
  assert.equal(calls, 1);
  throttle.request();
  due.pop()?.();
  assert.equal(calls, 2);
});
