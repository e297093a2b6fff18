import { sentence } from '../lane/sentences.js';
import { bytes, count, position, timeOfDay } from '../store/format.js';
import { el, part, setText } from './dom.js';

/** @typedef {import('../types.js').FeedEvent} FeedEvent */
/** @typedef {import('../lane/feed.js').Feed} Feed */
/** @typedef {import('./wire.js').Wire} Wire */

const KEPT = 200; // sentences

/** How the lane does: what must be 0 in the open, the position, and what happened, in sentences. */
export class LanePanel {
  #panel = part('lane');
  #log = part('log');
  #live = part('live');
  #position = part('position');
  #feed;
  #wire;
  #figures = {
    gaps: part('n-gaps'), doubled: part('n-doubled'), lost: part('n-lost'),
    reconnects: part('n-reconnects'), switches: part('n-switches'), wire: part('n-wire'),
  };

  /** @param {{ feed: Feed, wire: Wire }} parts */
  constructor({ feed, wire }) {
    this.#feed = feed;
    this.#wire = wire;
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
    setText(f.wire, bytes(this.#wire.perTick));
    f.gaps.parentElement?.classList.toggle('warned', c.gaps > 0);
    f.doubled.parentElement?.classList.toggle('bad', c.doubled > 0);
    f.lost.parentElement?.classList.toggle('bad', c.lost > 0);
    setText(this.#position, position(this.#feed.position));
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
