import { laneName, sentence, why } from '../../lane/sentences.js';
import { other } from '../../lane/autoLane.js';
import { age, bytes, count, countdown, position, timeOfDay } from '../../model/formats.js';
import { t } from '../../text.js';
import { el, part, setText } from '../common/dom.js';

/** @import { FeedEvent } from '../../types.js' */
/** @import { Feed } from '../../lane/feed.js' */
/** @import { ConnectionStats } from '../../model/connectionStats.js' */

const KEPT = 200; // events

const ENCODINGS = /** @type {Record<string, string>} */ ({ json: 'JSON', protobuf: 'protobuf' });

/** The lane's state: the counters that must be 0, the position, and the events as sentences. */
export class LanePanel {
  #panel = part('lane');
  #log = part('log');
  #live = part('live');
  #position = part('position');
  #now = part('lane-now');
  #auto = part('lane-auto');
  #access = part('lane-access');
  /** Whether the user may read only a part of the symbols. */
  narrowed = false;
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
    feed.on('event', (e) => this.#add(e));
    part('lane-close').addEventListener('click', () => this.open(false));
    part('state').addEventListener('click', () => this.open(!this.#panel.classList.contains('open')));
    this.#panel.addEventListener('keydown', (e) => { if (e.key === 'Escape') this.open(false); });
  }

  /** Opens or closes the panel on a phone, where it is a sheet; elsewhere it is always visible. @param {boolean} open */
  open(open) {
    this.#panel.classList.toggle('open', open);
    part('state').setAttribute('aria-expanded', String(open));
    if (open) part('lane-close').focus();
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
    this.#paintAccess();
  }

  /** What the user's rights change about the quotes. */
  #paintAccess() {
    const { hello } = this.#feed;
    if (!hello) return;
    const text = [hello.delay ? t('lane.delayed', { time: age(hello.delay) }) : '', this.narrowed ? t('lane.narrowed') : ''].join(' ').trim();
    this.#access.hidden = text === '';
    setText(this.#access, text);
  }

  /** State, lane, and the negotiated encoding and compression. */
  #connection() {
    const { conn, lane, switching } = this.#feed;
    const words = [this.#state.textContent, switching ? `${laneName(lane)} → ${laneName(switching)}` : laneName(lane)];
    const { info } = this.#stats;
    if (conn !== undefined && info?.conn === conn) {
      words.push(ENCODINGS[info.encoding] ?? info.encoding, info.compression === 'none' ? t('lane.uncompressed') : info.compression);
    }
    const tabs = conn !== undefined && this.#share?.tabs || 0;
    if (tabs > 1) words.push(t('lane.shared', { n: tabs }));
    return words.join(' · ');
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

  /** Announces a text to screen readers. @param {string} text */
  announce(text) {
    setText(this.#live, text);
  }

  /** @param {FeedEvent} e */
  #add(e) {
    const text = sentence(e);
    const at = new Date(e.t);
    const line = el('li', { class: e.level },
      el('time', { datetime: at.toISOString() }, timeOfDay(e.t)), el('span', {}, text));
    this.#log.prepend(line);
    while (this.#log.childElementCount > KEPT) this.#log.lastElementChild?.remove();
    this.announce(text);
  }
}
