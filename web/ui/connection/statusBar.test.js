import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shown } from './statusBar.js';

/** @param {object} state @param {boolean} [paused] @param {boolean} [replayed] */
const of = (state, paused = false, replayed = false) => shown(/** @type {any} */ ({ state }), paused, replayed);

test('the displayed state names a full server, and an unreachable one after three failed tries', () => {
  assert.equal(of({ name: 'waiting', attempt: 1, reason: 'closed' }), 'waiting');
  assert.equal(of({ name: 'waiting', attempt: 3, reason: 'closed' }), 'unreachable');
  assert.equal(of({ name: 'connecting', attempt: 3, reason: 'closed' }), 'unreachable');
  assert.equal(of({ name: 'waiting', attempt: 0, reason: 'overload' }), 'full');
  assert.equal(of({ name: 'connecting', attempt: 0, reason: 'overload' }), 'full');
  assert.equal(of({ name: 'offline', attempt: 0, reason: 'overload' }), 'offline');
  assert.equal(of({ name: 'waiting', attempt: 0, reason: 'shutdown' }), 'waiting');
  assert.equal(of({ name: 'live', attempt: 0 }), 'live');
  assert.equal(of({ name: 'live', attempt: 0 }, true), 'paused');
  assert.equal(of({ name: 'live', attempt: 0 }, true, true), 'replayed');
  assert.equal(of({ name: 'waiting', attempt: 1 }, false, true), 'waiting');
});
