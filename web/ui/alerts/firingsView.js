import { dates, price, timeOfDay } from '../../model/formats.js';
import { decimals } from '../../model/instruments.js';
import { download } from '../../browser/download.js';
import { t } from '../../text.js';
import { conditionOnly } from './alertText.js';
import { buttonOf, el, keepFocus, part } from '../common/dom.js';
import { setUnread } from '../common/pageTitle.js';

/** @import { AlertHistory } from './alertHistory.js' */

const LISTED = 100; // firings

/** The history of alerts that fired: time, symbol, condition and price. Its firings are seen when the page and the list are visible. */
export class FiringsView {
  /** How many firings the user has not seen. */
  unread = 0;
  /** How many firings the history has. */
  count = 0;
  #list = part('alert-triggered');
  #history;
  #announce;
  #changed;

  /** @param {{ history: AlertHistory, view: import('../common/viewState.js').ViewState, announce: (text: string) => void, changed: () => void }} parts changed is called when the numbers changed */
  constructor({ history, view, announce, changed }) {
    this.#history = history;
    this.#announce = announce;
    this.#changed = changed;
    this.#list.addEventListener('click', (e) => {
      const symbol = buttonOf(e)?.dataset.symbol;
      if (symbol) view.set({ symbol });
    });
    part('alert-clear').addEventListener('click', () => void this.#clear());
    part('alert-csv').addEventListener('click', () => void this.#save());
    history.onChange(() => void this.show());
    document.addEventListener('visibilitychange', () => void this.show());
    new ResizeObserver(() => { if (this.unread) void this.show(); }).observe(part('alerts')); // its panel was opened
  }

  async show() {
    const firings = await this.#history.all();
    const seen = !document.hidden && part('alerts').clientHeight > 0;
    if (seen) this.#history.markSeen(firings);
    this.unread = this.#history.unread(firings);
    this.count = firings.length;
    setUnread(this.unread);
    part('alert-history').hidden = firings.length === 0;
    const day = dates({ dateStyle: 'short' });
    const today = day.format(Date.now());
    keepFocus(this.#list, () => this.#list.replaceChildren(...firings.slice(0, LISTED).map((x) => el('li', {},
      el('time', {}, `${day.format(x.t) === today ? '' : `${day.format(x.t)} `}${timeOfDay(x.t)}`),
      el('button', { type: 'button', class: 'link what', 'data-symbol': x.S, 'data-firing': `${x.id} ${x.n}` }, x.S),
      el('span', {}, conditionOnly(x)), el('span', { class: 'num' }, price(x.p, decimals(x.S)))))));
    this.#changed();
  }

  async #clear() {
    await this.#history.clear();
    await this.show();
    this.#announce(t('alert.cleared'));
    part('alerts').focus();
  }

  async #save() {
    const file = await import('../../model/csv.js').catch(() => null);
    if (!file) return this.#announce(t('bar.unavailable'));
    const rows = (await this.#history.all()).map((x) => [new Date(x.t).toISOString(), x.S, conditionOnly(x), x.p.toFixed(decimals(x.S))]);
    const name = file.csvName(new Date()).replace('ticklane-', 'ticklane-alerts-');
    download(name, file.table([['time', 'symbol', 'condition', 'price'], ...rows]));
    this.#announce(t('watch.csv.saved', { name }));
  }
}
