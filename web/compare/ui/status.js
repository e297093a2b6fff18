import { count, countdown } from '../../store/format.js';
import { part, setText } from '../../ui/dom.js';
import { STATES, elapsed } from './words.js';

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
    setText(this.#running, `${STATES[r.state]} ${elapsed(r.elapsedMs)} · ${count(r.pairs.count)} pairs`);
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
  const next = Number.isFinite(left) ? ` Next try in ${countdown(left)}.` : ' Trying now.';
  if (second) {
    return first.state === 'offline'
      ? 'This device is offline. The comparison goes on by itself when the network is back.'
      : `The server does not answer on either side.${next} What was measured stands.`;
  }
  const cause = first.lane === 'ws' ? 'A proxy that does not pass the upgrade would do this.' : 'A proxy that holds back event streams would do this.';
  return `${first.name} is not open. ${cause}${next} Until then nothing can be paired.`;
}

/** What a link would change for everybody. @param {import('../core/types.js').Asked | null} asked @returns {string} a sentence, '' when nothing */
export function offer(asked) {
  if (!asked) return '';
  const { rate, background: b } = asked;
  const what = [rate !== null && `${rate < 10 ? rate : count(rate)} ticks/s`, b && `${count(b.sse)} + ${count(b.ws)} background clients`].filter(Boolean);
  return `This link asks for ${what.join(' and ')}, for everybody on this server.`;
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
  if (!r.sound) all.push('A tick was lost or came twice. That is a fault, and no latency of this run proves anything.');
  if (a.gaps + b.gaps > 0 && r.sound) all.push(`The server told ${a.gaps + b.gaps} gaps: this page or its network was too slow for every tick.`);
  const { a: da, b: db } = r.setup.delay;
  if (da || db) all.push(`A delay is planted: ${[da && `${da} ms on ${a.name}`, db && `${db} ms on ${b.name}`].filter(Boolean).join(', ')}.`);
  for (const s of r.sides) {
    const asked = r.setup.compress?.[s.index === 0 ? 'a' : 'b'];
    if (asked && s.compression && (asked === 'on') !== (s.compression !== 'none')) {
      all.push(`${s.name} was asked to be ${asked === 'on' ? 'compressed' : 'plain'}, but the server tells ${s.compression}: the figures are of that.`);
    }
  }
  if (r.state === 'frozen') all.push('The figures are held. The streams go on; this time is left out.');
  if (r.state === 'hidden') all.push('The page is hidden; this time is left out.');
  return all;
}
