import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sessionNotice } from './sessionNotice.js';

const MINUTE = 60_000;
const session = /** @type {const} */ ({ name: 'valid', subject: 'ana', ends: 60 * MINUTE, final: false, renewals: 0 });
const calm = { denied: '', user: 'ana', session, wall: 0 };

test('nothing is said about a session that is renewed or ends much later', () => {
  assert.equal(sessionNotice(calm), null);
  assert.equal(sessionNotice({ ...calm, session: null }), null);
  assert.equal(sessionNotice({ ...calm, wall: 59 * MINUTE }), null, 'it is going to be renewed');
  assert.equal(sessionNotice({ ...calm, session: { ...session, final: true } }), null);
  assert.equal(sessionNotice({ ...calm, session: { ...session, final: true, ends: null }, wall: 90 * MINUTE }), null);
});

test('the end of a session that cannot be renewed is announced with its time', () => {
  const found = sessionNotice({ ...calm, session: { ...session, final: true }, wall: 51 * MINUTE });
  assert.match(found?.text ?? '', /^Your session ends at \d\d:\d\d and can’t be extended\.$/);
  assert.deepEqual([found?.button, found?.action, found?.level], ['Sign in again', 'sign-in', 'warn']);
});

test('each end of access has its words, and a way to go on', () => {
  for (const [denied, text, action] of [
    ['revoked', 'You were signed out, or your access was revoked. Quotes are no longer updated.', 'sign-in'],
    ['session-over', 'Your session has ended. Quotes are no longer updated.', 'sign-in'],
    ['signed-out', 'You have signed out. Quotes are no longer updated.', 'sign-in'],
    ['other-user', 'bob has signed in to this browser. This page was opened by another user.', 'reload'],
  ]) {
    const found = sessionNotice({ ...calm, denied: /** @type {string} */ (denied), user: 'bob' });
    assert.deepEqual([found?.text, found?.action, found?.level], [text, action, 'bad']);
  }
});
