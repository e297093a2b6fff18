import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sentence } from './sentences.js';

test('events are described by sentences', () => {
  /** @type {[string, Record<string, any>, string][]} */
  const table = [
    ['connection-lost', { reason: 'closed' }, 'Connection lost'],
    ['reconnected', { seconds: 0.41, replayed: 37, lost: 0, resume: 'complete' }, 'Reconnected in 0.41 s, 37 ticks replayed'],
    ['reconnected', { seconds: 0.41, replayed: 0, lost: 0, resume: 'gap' }, 'Reconnected in 0.41 s'],
    ['reconnected', { seconds: 2, replayed: 1, lost: 0, resume: 'complete' }, 'Reconnected in 2.00 s, 1 tick replayed'],
    ['switched', { from: 'ws', to: 'sse', at: 482201, lost: 0, resume: 'complete' }, 'Switched WebSocket → SSE at 482 201, nothing lost'],
    ['switched', { from: 'ws', to: 'sse', at: 482201, lost: 3, resume: 'complete' }, 'Switched WebSocket → SSE at 482 201, 3 ticks lost'],
    ['gap', { missed: 1204, reason: 'expired', symbols: 50 }, 'Missed 1 204 ticks (position expired); snapshot received'],
    ['ended', { reason: 'limit' }, 'Stream ended: requested number of ticks reached'],
    ['ended', { reason: 'other' }, 'Stream ended: other'],
    ['reset', { symbols: 50 }, 'Sequence reset; snapshot of 50 symbols'],
    ['switch-failed', { from: 'sse', to: 'ws', reason: 'silent' }, 'Could not open WebSocket: no data received; staying on SSE'],
    ['toString', {}, 'toString'],
  ];
  for (const [code, args, want] of table) {
    assert.equal(sentence({ t: 0, level: 'info', code, args }).replaceAll('\u202f', ' '), want);
  }
});
