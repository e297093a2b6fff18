import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useInstruments } from '../../model/instruments.js';
import { condition, conditionOnly, errorText, stateText } from './alertText.js';

/** @import { Alert } from '../../model/alerts.js' */

/** @param {Partial<Alert>} [a] @returns {Alert} */
const alert = (a) => ({ id: 'x', S: 'A', kind: 'above', level: 230.87, minutes: 0, every: true, armed: false, done: false, n: 0, epoch: 'e', i: 0, ...a });

test('an alert that waits says at which price it is armed', () => {
  assert.equal(stateText(alert({ n: 1 })), 'Re-arms below 230.64');
  assert.equal(stateText(alert()), 'Arms below 230.64', 'it has not fired yet');
  assert.equal(stateText(alert({ kind: 'below', n: 2 })), 'Re-arms above 231.10');
  assert.equal(stateText(alert({ kind: 'day', level: -2 })), 'Arms above −1.80\u202f%');
  assert.deepEqual([alert({ armed: true }), alert({ done: true }), alert({ epoch: '' })].map(stateText), ['Active', 'Triggered', 'Waiting for a quote']);
});

test('a condition without its symbol', () => {
  assert.equal(conditionOnly(alert()), 'at 230.87 or above');
  assert.equal(conditionOnly(alert({ kind: 'within', level: 1, minutes: 5 })), '▲ +1.00\u202f% within 5 min');
});

test('levels and errors have the decimals of the instrument', (c) => {
  c.after(() => useInstruments([]));
  useInstruments([{ symbol: 'EURUSD', name: '', sector: '', value: 0, decimals: 5 }, { symbol: 'CL', name: '', sector: '', value: 0, negative: true }, { symbol: 'N225', name: '', sector: '', value: 0, decimals: 0 }]);
  assert.equal(condition(alert({ S: 'EURUSD', level: 1.0834 })), 'EURUSD at 1.08340 or above');
  assert.equal(stateText(alert({ S: 'EURUSD', level: 1.0834, n: 1 })), 'Re-arms below 1.08232');
  assert.equal(condition(alert({ S: 'CL', kind: 'below', level: -40.3 })), 'CL at −40.30 or below');
  assert.equal(errorText('level', { S: 'EURUSD', kind: 'above' }), 'Enter a price of at least 0.00001.');
  assert.equal(errorText('level', { S: 'N225', kind: 'above' }), 'Enter a price of at least 1.');
  assert.equal(errorText('level', { S: 'CL', kind: 'above' }), 'Enter a price.');
  assert.equal(errorText('decimals', { S: 'EURUSD', kind: 'above' }), 'Enter at most 5 decimals.');
  assert.equal(errorText('decimals', { S: 'EURUSD', kind: 'day' }), 'Enter at most 2 decimals.');
});
