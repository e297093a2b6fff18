import { notice } from '../../model/notice.js';
import { byId, part, setText } from '../common/dom.js';

/** @import { Missing, Notice } from '../../model/notice.js' */
/** @import { Shown } from './statusBar.js' */
/** @import { Feed } from '../../lane/feed.js' */
/** @import { Retry } from '../../browser/retry.js' */

const CLASSES = { warn: '', bad: 'down', quiet: 'quiet' };

/** A line below the status bar while the quotes are not live, with a button where the user can act. */
export class Banner {
  #box = part('banner');
  #text = part('banner-text');
  #button = byId('banner-action', HTMLButtonElement);
  #feed;
  #symbols;
  #close;
  /** @type {Notice | null} */
  #shown = null;

  /** @param {{ feed: Feed, symbols: Retry, close: () => void }} parts symbols fetches the list of symbols; close forgets the missing symbols */
  constructor({ feed, symbols, close }) {
    this.#feed = feed;
    this.#symbols = symbols;
    this.#close = close;
    this.#button.addEventListener('click', () => {
      const { action, act } = this.#shown ?? {};
      if (act) act();
      else if (action === 'reload') location.reload();
      else if (action === 'symbols') void symbols.start();
      else if (action === 'close') this.#close();
      else feed.retry();
    });
  }

  /** @param {Shown} state @param {number} newest local ms of the newest quotes, 0 when there were none @param {boolean} silent no tick has come for long @param {number} stale ms since 1970 since when the server has had no tick, else 0 @param {number} delay ms that the quotes are behind the market while there are none yet, else 0 @param {Missing | null} missing @param {Notice | null} first takes precedence @param {Notice | null} last has the lowest precedence */
  paint(state, newest, silent, stale, delay, missing, first, last) {
    const { name, retryAt } = this.#feed.state;
    const found = first ?? notice({ shown: state, retryAt: name === 'waiting' ? retryAt : undefined, newest, silent, stale, delay, missing, symbols: this.#symbols.failure, wall: Date.now() }) ?? last;
    this.#box.hidden = found === null;
    if (!found) return;
    this.#shown = found;
    this.#box.className = `banner ${CLASSES[found.level]}`;
    setText(this.#text, found.text.trim());
    setText(this.#button, found.button);
    this.#button.hidden = found.button === '';
  }
}
