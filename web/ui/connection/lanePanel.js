import { laneName, sentence, why } from '../../lane/sentences.js';
import { other } from '../../lane/autoLane.js';
import { bytes, count, countdown, position, timeOfDay } from '../../model/formats.js';
import { t } from '../../text.js';
import { el, part, setText } from '../common/dom.js';

/** @typedef {import('../../types.js').FeedEvent} FeedEvent */
/** @typedef {import('../../lane/feed.js').Feed} Feed */
/** @typedef {import('../../model/connectionStats.js').ConnectionStats} ConnectionStats */

const KEPT = 200; // sentences

const ENCODINGS = /** @type {Record<string, string>} */ ({ json: 'JSON', protobuf: 'protobuf' });

/** How the lane does: what must be 0 in the open, the position, and what happened, in sentences. */
export class LanePanel {
  #panel = part('lane');
  #log = part('log');
  #live = part('live');
  #position = part('position');
  #now = part('lane-now');
  #auto = part('lane-auto');
  #state = part('state-text');
  #feed;
  #stats;
  #share;
  #figures = {
    gaps: part('n-gaps'), doubled: part('n-doubled'), lost: part('n-lost'),
    reconnects: part('n-reconnects'), switches: part('n-switches'), wire: part('n-wire'),
  };

  /** @param {{ feed: Feed, stats: ConnectionStats, share: import('../../lane/sharedConnections.js').SharedConnections | null }} parts */
  constructor({ feed, stats, share }) {
    this.#feed = feed;
    this.#share = share;
    this.#stats = stats;
    feed.on('event', (e) => this.#tell(e));
    part('lane-shut').addEventListener('click', () => this.open(false));
    part('state').addEventListener('click', () => this.open(!this.#panel.classList.contains('open')));
    this.#panel.addEventListener('keydown', (e) => { if (e.key === 'Escape') this.open(false); });
  }

  /** On a phone the panel is a sheet; elsewhere it is always in sight. @param {boolean} open */
  open(open) {
    this.#panel.classList.toggle('open', open);
    part('state').setAttribute('aria-expanded', String(open));
    if (open) part('lane-shut').focus();
    else part('state').focus();
  }

  paint() {
    const c = this.#feed.counters;
    const f = this.#figures;
    setText(f.gaps, count(c.gaps));
    setText(f.doubled, count(c.doubled));
    setText(f.lost, count(c.lost));
    setText(f.reconnects, count(c.reconnects));
    setText(f.switches, count(c.switches));
    setText(f.wire, bytes(this.#stats.perTick));
    f.gaps.parentElement?.classList.toggle('warned', c.gaps > 0);
    f.doubled.parentElement?.classList.toggle('bad', c.doubled > 0);
    f.lost.parentElement?.classList.toggle('bad', c.lost > 0);
    setText(this.#position, position(this.#feed.position));
    setText(this.#now, this.#connection());
    this.#paintAuto();
  }

  /** State, lane, and what the server agreed on for the connection. */
  #connection() {
    const { conn, lane, switching } = this.#feed;
    const says = [this.#state.textContent, switching ? `${laneName(lane)} → ${laneName(switching)}` : laneName(lane)];
    const { info } = this.#stats;
    if (conn !== undefined && info?.conn === conn) {
      says.push(ENCODINGS[info.encoding] ?? info.encoding, info.compression === 'none' ? t('lane.uncompressed') : info.compression);
    }
    const tabs = conn !== undefined && this.#share?.tabs || 0;
    if (tabs > 1) says.push(t('lane.shared', { n: tabs }));
    return says.join(' · ');
  }

  #paintAuto() {
    const { auto, lane, switching } = this.#feed;
    this.#auto.hidden = auto === null;
    if (!auto) return;
    const { preferred, fallen } = auto;
    if (!fallen) {
      setText(this.#auto, t('lane.auto.normal', { lane: laneName(preferred), other: laneName(other(preferred)) }));
      return;
    }
    const left = countdown(fallen.retryAt - Date.now());
    setText(this.#auto, t(switching ? 'lane.auto.retrying' : 'lane.auto.fallback', { lane: laneName(lane), preferred: laneName(preferred), why: why(fallen.reason), time: left }));
  }

  /** Says something to those who can't see it, and only to them. @param {string} text */
  announce(text) {
    setText(this.#live, text);
  }

  /** @param {FeedEvent} e */
  #tell(e) {
    const text = sentence(e);
    const at = new Date(e.t);
    const line = el('li', { class: e.level },
      el('time', { datetime: at.toISOString() }, timeOfDay(e.t)), el('span', {}, text));
    this.#log.prepend(line);
    while (this.#log.childElementCount > KEPT) this.#log.lastElementChild?.remove();
    this.announce(text);
  }
}
