import { countdown, timeOfDay } from '../../model/formats.js';
import { t } from '../../text.js';
import { byId, part, setText } from '../common/dom.js';

/** @import { Shown } from './statusBar.js' */
/** @import { Feed } from '../../lane/feed.js' */

/** A line below the status bar while the quotes are not live, with a button where the user can act. */
export class Banner {
  #box = part('banner');
  #text = part('banner-text');
  #button = byId('banner-action', HTMLButtonElement);
  #feed;

  /** @param {{ feed: Feed }} parts */
  constructor({ feed }) {
    this.#feed = feed;
    this.#button.addEventListener('click', () => {
      if (feed.state.name === 'ended') location.reload();
      else feed.retry();
    });
  }

  /** @param {Shown} state @param {number} newest local ms of the newest message, 0 when there was none @param {boolean} silent no tick has come for long */
  paint(state, newest, silent) {
    const since = newest ? t('banner.asOf', { time: timeOfDay(newest) }) : '';
    const { name, retryAt } = this.#feed.state;
    const next = name === 'waiting' && retryAt ? t('banner.next', { time: countdown(retryAt - Date.now()) }) : t('banner.retrying');
    /** @type {[string, string] | null} text and button */
    let show = null;
    if (state === 'unreachable') show = [t('banner.unreachable', { next, since }), t('banner.retry')];
    else if (state === 'offline') show = [t('banner.offline', { since }), t('banner.retry')];
    else if (state === 'ended') show = [t('banner.ended', { since }), t('banner.restart')];
    else if (state === 'live' && silent) show = [t('banner.silent'), ''];
    this.#box.hidden = show === null;
    if (!show) return;
    this.#box.className = `banner ${state === 'ended' || state === 'live' ? 'quiet' : state === 'offline' ? 'down' : ''}`;
    setText(this.#text, show[0].trim());
    setText(this.#button, show[1]);
    this.#button.hidden = show[1] === '';
  }
}
