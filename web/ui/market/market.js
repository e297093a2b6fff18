import { part } from '../common/dom.js';
import { Movers } from './movers.js';
import { Panels } from './panels.js';
import { TradesView } from './tradesView.js';
import { ALL } from '../../model/subscriptions.js';

/** @import { Listing } from '../../model/order.js' */
/**
 * @typedef {object} Parts
 * @property {import('../common/viewState.js').ViewState} view
 * @property {import('../../model/pausedQuotes.js').PausedQuotes} quotes
 * @property {import('../common/frames.js').Frames} frames
 * @property {import('../settings/theme.js').Theme} theme
 * @property {import('../../model/subscriptions.js').Subscriptions} subscriptions
 */

const RETRY = 5000; // ms until the heat map's code is loaded again after an error

/** The market view beside the watchlist: heat map, movers, trades. Hidden panels are not painted. */
export class Market {
  #parts;
  #movers;
  #tradesView;
  #panels;
  /** @type {import('./heatmap.js').Heatmap | null} */
  #map = null;
  #loading = false; // the heat map's code is loading, or loaded
  /** @type {readonly Listing[]} */
  #listings = [];

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
    this.#movers = new Movers(parts);
    this.#tradesView = new TradesView(parts);
    this.#panels = new Panels({ view: parts.view, changed: () => this.#changed() });
    this.#changed();
  }

  /** Handles a message of the feed; it needs all of them, in order. @param {import('../../types.js').Message} m */
  take(m) {
    this.#tradesView.take(m);
  }

  /** @param {readonly Listing[]} listings */
  fill(listings) {
    this.#listings = listings;
    this.#map?.fill(listings);
    this.#changed();
  }

  /** Sets what the watchlist shows. @param {readonly Listing[]} listings */
  setListed(listings) {
    this.#tradesView.setListed(new Set(listings.map((l) => l.symbol)));
  }

  /** @param {number} now performance.now() */
  paint(now) {
    this.#map?.paint(now);
    this.#movers.paint(now, this.#panels.visible('movers'));
    this.#tradesView.paint(now);
  }

  /** @param {boolean} paused */
  setPaused(paused) {
    this.#tradesView.setPaused(paused);
    this.refresh();
  }

  /** To be called when all that is shown may have changed. */
  refresh() {
    this.#tradesView.refresh();
    this.#movers.repaint();
    this.#map?.restyle();
  }

  /** Opens or closes the panels on a phone, where they are a sheet. @param {boolean} open @param {import('./panels.js').Panel} [panel] */
  open(open, panel) {
    this.#panels.open(open, panel);
  }

  /** Handles a change of the visible panels. */
  #changed() {
    if (!this.#panels) return; // called by their constructor
    const map = this.#panels.visible('heat');
    const all = map || this.#panels.visible('movers');
    this.#parts.subscriptions.require('market', all ? [ALL] : []);
    part('breadth').hidden = !all && !this.#tradesView.whole; // it needs quotes of the whole market
    this.#movers.repaint();
    this.#parts.frames.request();
    if (map && this.#listings.length) void this.#load();
  }

  async #load() {
    if (this.#loading) return;
    this.#loading = true;
    try {
      const { Heatmap } = await import('./heatmap.js');
      this.#map = new Heatmap(this.#parts);
      this.#map.fill(this.#listings);
    } catch {
      this.#loading = false; // the server is unreachable
      setTimeout(() => this.#changed(), RETRY);
    }
  }
}
