import { count, countdown } from '../../model/formats.js';
import { t } from '../../text.js';
import { part, setText } from '../../ui/common/dom.js';
import { elapsed } from './formats.js';

/** @typedef {import('../core/types.js').Result} Result */
/** @typedef {import('../core/types.js').SideResult} SideResult */
/** @typedef {import('../../model/notice.js').Notice} Notice */

const BANNER_DELAY = 3000; // ms without a stream until the banner appears

/** State of the run in the bar, and a banner while a stream is disconnected. */
export class Status {
  #app = part('app');
  #running = part('running');
  #banner = part('banner');
  #text = part('banner-text');
  #retry = part('banner-action');
  #downSince = [NaN, NaN];
  /** @type {Notice | null} */
  #notice = null;
  #label;

  /** @param {{ retry: () => void }} parts */
  constructor({ retry }) {
    this.#label = this.#retry.textContent ?? '';
    this.#retry.addEventListener('click', () => (this.#notice?.act ?? retry)());
  }

  /** @param {Result} r @param {number} now performance.now() @param {string} rejection why the server rejects the setup, '' when it accepts it @param {Notice | null} notice about the session, which takes precedence */
  paint(r, now, rejection, notice) {
    if (this.#app.dataset.state !== r.state) this.#app.dataset.state = r.state;
    const sides = r.setup.sides.join(',');
    if (this.#app.dataset.sides !== sides) this.#app.dataset.sides = sides;
    setText(this.#running, t('compare.running', { state: t(`compare.state.${r.state}`), time: elapsed(r.elapsedMs), n: r.pairs.count }));
    const down = r.sides.filter((s, k) => {
      if (s.state === 'live') this.#downSince[k] = NaN;
      else if (Number.isNaN(this.#downSince[k])) this.#downSince[k] = now;
      return s.state !== 'live' && now - Number(this.#downSince[k]) > BANNER_DELAY;
    });
    const line = r.state === 'drill' || r.state === 'stopped' ? '' : notice?.text || rejection || disconnection(down);
    this.#banner.hidden = line === '';
    this.#notice = notice;
    this.#retry.hidden = !notice && rejection !== '';
    setText(this.#retry, notice?.button ?? this.#label);
    if (line) {
      this.#banner.className = `banner ${notice?.level === 'bad' || down.some((s) => s.state === 'offline') ? 'down' : ''}`;
      setText(this.#text, line);
    }
  }
}

/** Which sides are disconnected, and the effect on the figures. @param {SideResult[]} down */
export function disconnection(down) {
  const [first, second] = down;
  if (!first) return '';
  const left = first.retryAt ? Math.max(0, first.retryAt - Date.now()) : NaN;
  const next = Number.isFinite(left) ? t('compare.unreachable.next', { time: countdown(left) }) : t('compare.unreachable.retrying');
  const full = down.find((s) => s.reason === 'overload');
  if (full) return t('compare.unreachable.full', { side: full.name, next });
  if (second) return first.state === 'offline' ? t('compare.unreachable.offline') : t('compare.unreachable.both', { next });
  return first.lane === 'ws' ? t('compare.unreachable.ws', { side: first.name, next }) : t('compare.unreachable.sse', { side: first.name, next });
}

/** What a link would change for every user. @param {import('../core/types.js').ServerChange | null} change @returns {string} a sentence, '' for nothing */
export function offer(change) {
  if (!change) return '';
  const { rate: n, background: b } = change;
  const rate = n === null ? '' : n < 10 ? String(n) : count(n);
  if (!b) return t('compare.offer.rate', { rate });
  return rate ? t('compare.offer.both', { rate, sse: b.sse, ws: b.ws }) : t('compare.offer.clients', { sse: b.sse, ws: b.ws });
}

/**
 * Conditions that affect the figures.
 * @param {Result} r
 * @param {readonly string[]} problems of the address
 * @returns {string[]} sentences
 */
export function notes(r, problems) {
  const all = [...problems];
  const [a, b] = r.sides;
  if (!r.sound) all.push(t('compare.note.unsound'));
  if (a.gaps + b.gaps > 0 && r.sound) all.push(t('compare.note.gaps', { n: a.gaps + b.gaps }));
  const { a: da, b: db } = r.setup.delay;
  const delays = { a: String(da), b: String(db), sideA: a.name, sideB: b.name };
  if (da && db) all.push(t('compare.note.delays', delays));
  else if (da || db) all.push(t('compare.note.delay', { ms: da ? delays.a : delays.b, side: da ? a.name : b.name }));
  for (const s of r.sides) {
    const requested = r.setup.compress?.[s.index === 0 ? 'a' : 'b'];
    if (requested && s.compression && (requested === 'on') !== (s.compression !== 'none')) {
      const args = { side: s.name, actual: s.compression };
      all.push(requested === 'on' ? t('compare.note.uncompressed', args) : t('compare.note.compressed', args));
    }
  }
  if (r.state === 'frozen') all.push(t('compare.note.frozen'));
  if (r.state === 'hidden') all.push(t('compare.note.hidden'));
  return all;
}
