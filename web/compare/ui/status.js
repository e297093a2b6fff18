import { count, countdown } from '../../model/formats.js';
import { t } from '../../text.js';
import { part, setText } from '../../ui/common/dom.js';
import { elapsed } from './formats.js';

/** @typedef {import('../core/types.js').Result} Result */
/** @typedef {import('../core/types.js').SideResult} SideResult */

const PATIENCE = 3000; // ms without a stream before it is worth a line

/** How the run goes: a word and figures in the bar, a line below it while a stream is missing, notes under the sentence. */
export class Status {
  #app = part('app');
  #running = part('running');
  #banner = part('banner');
  #text = part('banner-text');
  #again = part('banner-do');
  #downSince = [NaN, NaN];

  /** @param {{ retry: () => void }} parts */
  constructor({ retry }) {
    this.#again.addEventListener('click', retry);
  }

  /** @param {Result} r @param {number} now performance.now() @param {string} refused why the server doesn't take the setup, '' when it does */
  paint(r, now, refused) {
    if (this.#app.dataset.state !== r.state) this.#app.dataset.state = r.state;
    const sides = r.setup.sides.join(',');
    if (this.#app.dataset.sides !== sides) this.#app.dataset.sides = sides;
    setText(this.#running, t('compare.running', { state: t(`compare.state.${r.state}`), time: elapsed(r.elapsedMs), n: r.pairs.count }));
    const down = r.sides.filter((s, k) => {
      if (s.state === 'live') this.#downSince[k] = NaN;
      else if (Number.isNaN(this.#downSince[k])) this.#downSince[k] = now;
      return s.state !== 'live' && now - Number(this.#downSince[k]) > PATIENCE;
    });
    const line = r.state === 'drill' || r.state === 'stopped' ? '' : refused || absence(down);
    this.#banner.hidden = line === '';
    this.#again.hidden = refused !== '';
    if (line) {
      this.#banner.className = `banner ${down.some((s) => s.state === 'offline') ? 'down' : ''}`;
      setText(this.#text, line);
    }
  }
}

/** What is missing and what that means for the figures. @param {SideResult[]} down */
function absence(down) {
  const [first, second] = down;
  if (!first) return '';
  const left = first.retryAt ? Math.max(0, first.retryAt - Date.now()) : NaN;
  const next = Number.isFinite(left) ? t('compare.unreachable.next', { time: countdown(left) }) : t('compare.unreachable.retrying');
  if (second) return first.state === 'offline' ? t('compare.unreachable.offline') : t('compare.unreachable.both', { next });
  return first.lane === 'ws' ? t('compare.unreachable.ws', { side: first.name, next }) : t('compare.unreachable.sse', { side: first.name, next });
}

/** What a link would change for everybody. @param {import('../core/types.js').Asked | null} asked @returns {string} a sentence, '' when nothing */
export function offer(asked) {
  if (!asked) return '';
  const { rate: asks, background: b } = asked;
  const rate = asks === null ? '' : asks < 10 ? String(asks) : count(asks);
  if (!b) return t('compare.offer.rate', { rate });
  return rate ? t('compare.offer.both', { rate, sse: b.sse, ws: b.ws }) : t('compare.offer.clients', { sse: b.sse, ws: b.ws });
}

/**
 * What a reader must know beside the figures.
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
    const asked = r.setup.compress?.[s.index === 0 ? 'a' : 'b'];
    if (asked && s.compression && (asked === 'on') !== (s.compression !== 'none')) {
      const told = { side: s.name, told: s.compression };
      all.push(asked === 'on' ? t('compare.note.uncompressed', told) : t('compare.note.compressed', told));
    }
  }
  if (r.state === 'frozen') all.push(t('compare.note.frozen'));
  if (r.state === 'hidden') all.push(t('compare.note.hidden'));
  return all;
}
