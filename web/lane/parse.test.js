import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageError, parse } from './parse.js';

const GOOD = [
  '{"T":"q","S":"AAPL","bp":184.26,"bs":300,"ap":184.27,"as":100,"p":184.27,"v":21100000,"t":1700000000000000,"n":7,"i":482913}',
  '{"T":"hello","conn":"c","lane":"ws","engine":"stream","epoch":"9f3c1a","head":5,"oldest":1,"resume":"none","mode":"all","topics":["*"],"hb":15000,"t":1}',
  '{"T":"hello","conn":"c","lane":"sse","engine":"shard","epoch":"9f3c1a","head":5,"oldest":1,"resume":"none","mode":"all","topics":["*"],"hb":15000,"t":1,"expires":9,"delay":900000,"narrowed":true}',
  '{"T":"snapshot","i":5,"quotes":[]}',
  '{"T":"gap","from":1,"to":5,"missed":5,"reason":"expired"}',
  '{"T":"hb","t":1,"head":5}',
  '{"T":"bye","reason":"shutdown","retry":2000}',
  '{"T":"subscription","topics":["AAPL"],"i":5,"id":1}',
  '{"T":"status","status":"stale","since":3,"t":9}',
  '{"T":"status","status":"symbols","symbols":57,"t":9}',
  '{"T":"auth","status":"expiring","expires":9}',
  '{"T":"auth","status":"renewed","id":1}',
  '{"T":"trade","S":"AAPL","p":184.27,"s":100,"id":"7","c":["@"],"x":"V","corrects":"6","t":1700000000000000,"n":7,"i":482913}',
  '{"T":"time","received":1,"sent":2}',
  '{"T":"error","code":"rate","msg":"slower","id":1}',
];

test('every message of the protocol is parsed unchanged', () => {
  for (const text of GOOD) assert.deepEqual(parse(text), JSON.parse(text));
});

test("a message without a required field is rejected with the field's name", () => {
  for (const text of GOOD) {
    const whole = JSON.parse(text);
    let refused = 0;
    for (const field of Object.keys(whole)) {
      const { [field]: _, ...rest } = whole;
      try {
        parse(JSON.stringify(rest));
      } catch (err) {
        assert.ok(err instanceof MessageError);
        assert.ok(err.message.includes(`"${field}"`), err.message);
        refused++;
      }
    }
    assert.ok(refused >= 2, `${whole.T} refused for ${refused} fields`);
  }
});

test('anything but a message is rejected', () => {
  const bad = ['', 'x', 'null', '3', '[]', '"T"', '{"T":3}', '{}', '{"T":"hb","head":"5"}', '{"T":"snapshot","i":1,"quotes":{}}',
    '{"T":"subscription","i":1,"topics":null}', '{"T":"hb","t":1,"head":5', '{"T":"status","status":"stale","since":"3","t":9}',
    '{"T":"trade","S":"A","p":1,"s":1,"t":1,"n":1,"i":1,"c":{}}', '{"T":"trade","S":"A","p":1,"s":1,"t":1,"n":1,"i":1,"id":7}'];
  for (const text of bad) assert.throws(() => parse(text), MessageError, text);
});

test('an unknown type is ignored', () => {
  assert.equal(parse('{"T":"weather"}'), null);
  assert.equal(parse('{"T":"constructor"}'), null);
});

test('a long message is truncated in the error', () => {
  assert.throws(() => parse('x'.repeat(5000)), (/** @type {Error} */ err) => err.message.length < 120);
});
