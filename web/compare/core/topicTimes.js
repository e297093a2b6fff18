import { Feed } from '../../lane/feed.js';
import { t } from '../../text.js';
import { within } from './drills.js';

/** @typedef {import('./types.js').Lane} Lane */
/** @typedef {import('./types.js').TopicTimes} TopicTimes */

const ROUNDS = 7; // changes per method
const LIMIT = 5_000; // ms per change
const PAUSE = 220; // ms between commands, below the server's default limit of ten per second

/**
 * Measures how long a change of topics takes, on separate streams: by a command in the stream (WebSocket) and by a POST
 * (SSE), each until the server's response, and by a new stream with the other topics, until its first quotes. The methods
 * alternate, so that a slow moment affects all of them.
 *
 * @param {any} platform as for Feed
 * @param {string[]} symbols at least two
 * @param {string} tag
 * @returns {Promise<TopicTimes>} NaN for a method that failed
 */
export async function measureTopics(platform, symbols, tag) {
  const [one, two] = symbols;
  if (one === undefined || two === undefined) throw new Error(t('compare.topics.few'));
  /** @type {Record<string, number[]>} */
  const times = { command: [], post: [], sse: [], ws: [] };
  /** @type {Record<Lane, Feed>} */
  const feeds = { sse: make(platform, 'sse', [one], tag), ws: make(platform, 'ws', [one], tag) };
  try {
    await Promise.all([opened(feeds.sse, platform), opened(feeds.ws, platform)]);
    for (let round = 0; round < ROUNDS; round++) {
      const topics = round % 2 === 0 ? [one, two] : [one];
      const methods = [
        () => timed(platform, times.command, () => feeds.ws.setTopics(topics)),
        () => timed(platform, times.post, () => feeds.sse.setTopics(topics)),
        () => timed(platform, times.sse, () => reopened(platform, 'sse', topics, tag)),
        () => timed(platform, times.ws, () => reopened(platform, 'ws', topics, tag)),
      ];
      if (round % 2 === 1) methods.reverse();
      for (const method of methods) await method();
      await new Promise((resolve) => platform.setTimeout(() => resolve(undefined), PAUSE));
    }
  } finally {
    feeds.sse.stop();
    feeds.ws.stop();
  }
  const of = (/** @type {string} */ method) => median(times[method] ?? []);
  return { command: of('command'), post: of('post'), reconnect: { sse: of('sse'), ws: of('ws') }, samples: ROUNDS };
}

/** @param {any} platform @param {Lane} lane @param {string[]} topics @param {string} tag */
const make = (platform, lane, topics, tag) =>
  new Feed({ ...platform, lifecycle: false, lane, topics, user: `compare-topics-${tag}` });

/** Starts a feed and waits for its first quotes. @param {Feed} feed @param {any} platform */
function opened(feed, platform) {
  /** @type {Promise<void>} */
  const snapshot = new Promise((resolve) => feed.on('message', (m) => m.T === 'snapshot' && resolve()));
  feed.start();
  return within(snapshot, LIMIT, platform, t('compare.topics.late'));
}

/** @param {any} platform @param {Lane} lane @param {string[]} topics @param {string} tag */
async function reopened(platform, lane, topics, tag) {
  const feed = make(platform, lane, topics, tag);
  try {
    await opened(feed, platform);
  } finally {
    feed.stop();
  }
}

/** @param {any} platform @param {number[] | undefined} into @param {() => Promise<void>} change not counted when it fails */
async function timed(platform, into, change) {
  const start = platform.now();
  try {
    await within(change(), LIMIT, platform, t('compare.topics.silent'));
    into?.push(platform.now() - start);
  } catch {
    // The median is of the successful changes.
  }
}

/** NaN when empty. @param {number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length === 0) return NaN;
  const at = (/** @type {number} */ k) => /** @type {number} */ (sorted[k]);
  return sorted.length % 2 === 1 ? at(Math.floor(middle)) : (at(middle - 1) + at(middle)) / 2;
}
