import { Feed } from '../../lane/feed.js';
import { t } from '../../text.js';
import { within } from './drills.js';

/** @typedef {import('./types.js').Lane} Lane */
/** @typedef {import('./types.js').TopicTimes} TopicTimes */

const ROUNDS = 7; // changes that each median is of
const LIMIT = 5_000; // ms a step may take
const PAUSE = 220; // ms between commands, below the server's usual ten a second

/**
 * Measures what it takes to change topics, on streams of their own: by a command in the stream (WebSocket), by a POST
 * beside it (SSE), each to the server's answer, and by a new stream with the other topics, to its first quotes. The
 * ways take turns, so that a slow moment meets all of them.
 *
 * @param {any} platform as a Feed's
 * @param {string[]} symbols two of the market
 * @param {string} tag
 * @returns {Promise<TopicTimes>} a way that failed is NaN
 */
export async function measureTopics(platform, symbols, tag) {
  const [one, two] = symbols;
  if (one === undefined || two === undefined) throw new Error(t('compare.topics.few'));
  /** @type {Record<string, number[]>} */
  const times = { command: [], post: [], sse: [], ws: [] };
  /** @type {Record<Lane, Feed>} */
  const feeds = { sse: make(platform, 'sse', [one], tag), ws: make(platform, 'ws', [one], tag) };
  try {
    await Promise.all([begun(feeds.sse, platform), begun(feeds.ws, platform)]);
    for (let round = 0; round < ROUNDS; round++) {
      const topics = round % 2 === 0 ? [one, two] : [one];
      const ways = [
        () => timed(platform, times.command, () => feeds.ws.setTopics(topics)),
        () => timed(platform, times.post, () => feeds.sse.setTopics(topics)),
        () => timed(platform, times.sse, () => reopened(platform, 'sse', topics, tag)),
        () => timed(platform, times.ws, () => reopened(platform, 'ws', topics, tag)),
      ];
      if (round % 2 === 1) ways.reverse();
      for (const way of ways) await way();
      await new Promise((resolve) => platform.setTimeout(() => resolve(undefined), PAUSE));
    }
  } finally {
    feeds.sse.stop();
    feeds.ws.stop();
  }
  const of = (/** @type {string} */ way) => median(times[way] ?? []);
  return { command: of('command'), post: of('post'), reconnect: { sse: of('sse'), ws: of('ws') }, samples: ROUNDS };
}

/** @param {any} platform @param {Lane} lane @param {string[]} topics @param {string} tag */
const make = (platform, lane, topics, tag) =>
  new Feed({ ...platform, lifecycle: false, lane, topics, user: `compare-topics-${tag}` });

/** Starts a feed and waits for its first quotes. @param {Feed} feed @param {any} platform */
function begun(feed, platform) {
  /** @type {Promise<void>} */
  const snapshot = new Promise((resolve) => feed.on('message', (m) => m.T === 'snapshot' && resolve()));
  feed.start();
  return within(snapshot, LIMIT, platform, t('compare.topics.late'));
}

/** @param {any} platform @param {Lane} lane @param {string[]} topics @param {string} tag */
async function reopened(platform, lane, topics, tag) {
  const feed = make(platform, lane, topics, tag);
  try {
    await begun(feed, platform);
  } finally {
    feed.stop();
  }
}

/** @param {any} platform @param {number[] | undefined} into @param {() => Promise<void>} change one that fails isn't counted */
async function timed(platform, into, change) {
  const start = platform.now();
  try {
    await within(change(), LIMIT, platform, t('compare.topics.silent'));
    into?.push(platform.now() - start);
  } catch {
    // The median is of those that came about; NaN when none did.
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
