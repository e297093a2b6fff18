import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeServer, settled } from '../test/fakeServer.js';
import { Session } from './session.js';

const MINUTE = 60_000;

/** @param {{ expires?: number, life?: number | null }} [options] expires in ms from now, 0 for a session that doesn't end; life as in FakeServer */
async function begin({ expires = 60 * MINUTE, life = 60 * MINUTE } = {}) {
  const server = new FakeServer();
  server.session = { subject: 'ana', expires: expires && (server.time + expires) * 1000 };
  server.life = life;
  /** @type {import('../types.js').SessionState[]} */
  const states = [];
  const session = new Session(server.options, (state) => states.push(state));
  await session.check();
  /** Lets time pass in steps, as timers of a session are at most five minutes long. @param {number} ms */
  const pass = async (ms) => {
    for (let left = ms; left > 0; left -= MINUTE) {
      server.advance(Math.min(left, MINUTE));
      for (let k = 0; k < 4; k++) await settled();
    }
  };
  const posts = () => server.fetched.filter((path) => path === '/api/session/renew').length;
  return { server, session, states, pass, posts };
}

test('a session is renewed well before its end, and each renewal is counted', async () => {
  const { server, session, pass, posts } = await begin();
  const first = session.state.ends;
  assert.deepEqual({ ...session.state, ends: 0 }, { name: 'valid', subject: 'ana', ends: 0, final: false, renewals: 0 });
  assert.equal(first, server.time + 60 * MINUTE);
  await pass(35 * MINUTE);
  assert.equal(posts(), 0);
  await pass(10 * MINUTE);
  assert.equal(posts(), 1);
  assert.equal(session.state.ends, Number(first) + 60 * MINUTE);
  assert.equal(session.state.renewals, 1);
  await pass(10 * 60 * MINUTE);
  assert.equal(session.state.name, 'valid', 'it lasts');
  assert.ok(posts() < 30, `${posts()} requests`);
  session.stop();
});

test('a session without an end is never renewed', async () => {
  const { session, pass, posts } = await begin({ expires: 0 });
  await pass(300 * MINUTE);
  assert.equal(posts(), 0);
  assert.deepEqual(session.state, { name: 'valid', subject: 'ana', ends: null, final: true, renewals: 0 });
});

test('a session that the server does not extend is final, and over at its end', async () => {
  const { server, session, states, pass, posts } = await begin({ life: 0 });
  await pass(50 * MINUTE);
  assert.equal(session.state.final, true);
  assert.equal(posts(), 1, 'it is not tried again');
  server.session = null;
  await pass(11 * MINUTE);
  assert.equal(session.state.name, 'over');
  assert.deepEqual(states.map(({ name, final }) => [name, final]), [['valid', false], ['valid', true], ['over', true]]);
  await pass(60 * MINUTE);
  assert.equal(posts(), 2, 'an ended session is left alone');
});

test('a renewal that is refused does not end a session that is still valid', async () => {
  const { session, pass } = await begin({ life: null });
  await pass(50 * MINUTE);
  assert.deepEqual([session.state.name, session.state.final], ['valid', true]);
  session.stop();
});

test('a renewal without an answer is tried again, and the session stays', async () => {
  const { server, session, pass, posts } = await begin();
  server.failing.add('/api/session');
  await pass(50 * MINUTE);
  assert.equal(session.state.name, 'valid');
  assert.equal(session.state.renewals, 0);
  server.failing.clear();
  await pass(2 * MINUTE);
  assert.equal(session.state.renewals, 1);
  assert.equal(posts(), 1);
  session.stop();
});

test('a renewal by another page is found, and no second one is requested', async () => {
  const { server, session, pass, posts } = await begin();
  if (server.session) server.session.expires += 60 * MINUTE * 1000;
  await pass(50 * MINUTE);
  assert.equal(posts(), 0);
  assert.equal(session.state.renewals, 1, "this page's streams need the new rights, too");
  session.stop();
});

test('a session that is over is found again after the user signed in', async () => {
  const { server, session } = await begin();
  server.session = null;
  await session.check();
  assert.equal(session.state.name, 'over');
  server.session = { subject: 'ana', expires: (server.time + MINUTE) * 1000 };
  server.advance(10_000);
  session.suspect();
  server.advance(10_000);
  await settled();
  assert.equal(session.state.name, 'over', 'refused requests cause no further ones');
  await session.check();
  assert.deepEqual([session.state.name, session.state.renewals], ['valid', 1]);
  session.stop();
});

test('a server without sessions is left alone', async () => {
  const server = new FakeServer();
  const session = new Session(server.options, () => {});
  await session.check();
  assert.equal(session.state.name, 'none');
  assert.deepEqual(server.fetched, ['/api/session']);
  assert.equal(server.timers.size, 0);
});
