import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaults, format, parse } from '../urlstate.js';

test('an empty address is the defaults, and the defaults are an empty address', () => {
  assert.deepEqual(parse(''), defaults);
  assert.equal(format(defaults), '');
});

test('a view comes back as it was written', () => {
  const view = { symbol: 'BRK.B', interval: '10s', lane: /** @type {const} */ ('ws'), encoding: /** @type {const} */ ('protobuf'), sort: '-change', sector: 'real-estate', q: 'a&b=c é', cols: 'age,last' };
  assert.deepEqual(parse(format(view)), view);
});

test('what can not be true falls back', () => {
  assert.deepEqual(parse('?symbol=%3Cb%3E&interval=7m&lane=carrier-pigeon&encoding=morse&sort=-shoe&sort=x&cols=shoe,,'), defaults);
  assert.equal(parse(`?q=${'x'.repeat(500)}`).q.length, 40);
});
