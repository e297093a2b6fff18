import { age, byteRate, count, countdown, latency } from '../../model/formats.js';
import { t } from '../../text.js';
import { byId, part, press, setText } from '../common/dom.js';

/** @import { Feed } from '../../lane/feed.js' */
/** @import { Lane } from '../../types.js' */
/** @import { PausedQuotes } from '../../model/pausedQuotes.js' */

const MAX_ATTEMPTS = 3; // failed tries after which the server counts as unreachable

/** @typedef {'connecting' | 'live' | 'waiting' | 'unreachable' | 'full' | 'offline' | 'ended' | 'denied' | 'replayed' | 'closed' | 'paused'} Shown */

/** The state as it is displayed. @param {Feed} feed @param {boolean} paused @param {boolean} replayed the replay has ended @returns {Shown} */
export function shown(feed, paused, replayed) {
  const { name, attempt, reason } = feed.state;
  if ((name === 'waiting' || name === 'connecting') && reason === 'overload') return 'full';
  if ((name === 'waiting' || name === 'connecting') && attempt >= MAX_ATTEMPTS) return 'unreachable';
  if (name !== 'live') return name;
  return replayed ? 'replayed' : paused ? 'paused' : 'live';
}

/** The live part of the bar: state with countdown, lane switch, figures of the lane. */
export class StatusBar {
  #app = part('app');
  #text = part('state-text');
  #pause = byId('pause', HTMLButtonElement);
  #lanes = [...document.querySelectorAll('[data-lane]')].filter((b) => b instanceof HTMLButtonElement);
  #latencyStats = new Map(['latency', 'feed', 'clock', 'rate', 'wire'].map((name) => [name, [...document.querySelectorAll(`[data-stat=${name}]`)]]));
  #auto = part('auto');
  #delayed = [...document.querySelectorAll('[data-delayed]')].filter((e) => e instanceof HTMLElement);
  #feed;
  #quotes;

  /** @param {{ feed: Feed, quotes: PausedQuotes, onLane: (lane: Lane | 'auto') => void, onPause: () => void }} parts */
  constructor({ feed, quotes, onLane, onPause }) {
    this.#feed = feed;
    this.#quotes = quotes;
    for (const b of this.#lanes) b.addEventListener('click', () => onLane(b.dataset.lane === 'ws' ? 'ws' : 'sse'));
    this.#auto.addEventListener('click', () => onLane('auto'));
    this.#pause.addEventListener('click', onPause);
  }

  /** Paints state, countdown and lane. @param {boolean} replayed the replay has ended */
  paint(replayed) {
    const { paused, behind } = this.#quotes;
    const state = shown(this.#feed, paused, replayed);
    const left = countdown((this.#feed.state.retryAt ?? NaN) - Date.now());
    if (this.#app.dataset.state !== state) this.#app.dataset.state = state;
    setText(this.#text, t(`bar.state.${state}`, { time: left, n: behind }));
    const lane = this.#feed.switching ?? this.#feed.lane;
    const auto = this.#feed.auto !== null;
    if (this.#app.dataset.lane !== lane || this.#app.hasAttribute('data-auto') !== auto) {
      this.#app.dataset.lane = lane;
      this.#app.toggleAttribute('data-auto', auto);
      press(this.#lanes, (b) => !auto && b.dataset.lane === lane);
      press([this.#auto], () => auto);
    }
    const { hello } = this.#feed;
    if (hello) for (const e of this.#delayed) {
      e.hidden = !hello.delay;
      setText(e, hello.delay ? t('bar.delayed', { time: age(hello.delay) }) : '');
    }
    // Figures that are no longer updated are grey.
    this.#app.toggleAttribute('data-stale', !['live', 'paused', 'replayed'].includes(state) && this.#feed.hello === undefined);
    if (this.#pause.getAttribute('aria-pressed') !== String(paused)) {
      this.#pause.setAttribute('aria-pressed', String(paused));
      // The button's text stays the same: a pressed "Resume" would mean the opposite.
      this.#pause.title = `${t(paused ? 'bar.resume' : 'bar.pause')} (p)`;
    }
  }

  /** @param {{ p50: number, p99: number, feed: number, error: number, rate: number, wire: number }} v ms, ticks per second, bytes per second; NaN when not known */
  paintStats({ p50, p99, feed, error, rate, wire }) {
    const live = this.#feed.state.name === 'live';
    // A latency below the clock's error is displayed as less than the error, not as 0.
    const ms = (/** @type {number} */ x) => (x <= 0.001 && error > 0 ? `<${latency(error)}` : latency(x));
    this.#show('latency', live && Number.isFinite(p50) ? `${ms(p50)} / ${ms(p99)} ms` : '–');
    for (const e of this.#latencyStats.get('feed') ?? []) /** @type {HTMLElement} */ (e.parentElement).hidden = !Number.isFinite(feed);
    this.#show('feed', live && Number.isFinite(feed) ? `${latency(feed)} ms` : '–');
    this.#show('clock', live && error > 0 ? `${latency(error)} ms` : '–');
    this.#show('rate', live ? count(rate) : '–');
    this.#show('wire', byteRate(wire));
  }

  /** @param {string} name @param {string} text */
  #show(name, text) {
    for (const e of this.#latencyStats.get(name) ?? []) setText(e, text);
  }
}
