import { part } from '../common/dom.js';
import { Movers } from './movers.js';
import { Panels } from './panels.js';
import { TradesView } from './tradesView.js';
import { ALL } from '../../model/subscriptions.js';

/** @typedef {import('../../model/order.js').Listing} Listing */
/**
 * @typedef {object} Parts
 * @property {import('../common/viewState.js').ViewState} view
 * @property {import('../../model/pausedQuotes.js').PausedQuotes} quotes
 * @property {import('../common/frames.js').Frames} frames
 * @property {import('../settings/theme.js').Theme} theme
 * @property {import('../../model/subscriptions.js').Subscriptions} subscriptions
 */

const AGAIN = 5000; // ms until the map's code is asked for again

/** The market as a whole, beside the list: map, movers, trades. What isn't in sight costs nothing. */
export class Market {
  #parts;
  #movers;
  #tradesView;
  #panels;
  /** @type {import('./heatmap.js').Heatmap | null} */
  #map = null;
  #asked = false; // the map's code is on its way
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

  /** @param {import('../../types.js').Message} m every message of the feed, in order */
  take(m) {
    this.#tradesView.take(m);
  }

  /** @param {readonly Listing[]} listings */
  fill(listings) {
    this.#listings = listings;
    this.#map?.fill(listings);
    this.#changed();
  }

  /** What the list shows. @param {readonly Listing[]} listings */
  among(listings) {
    this.#tradesView.among(new Set(listings.map((l) => l.symbol)));
  }

  /** @param {number} now performance.now() */
  paint(now) {
    this.#map?.paint(now);
    this.#movers.paint(now, this.#panels.inSight('movers'));
    this.#tradesView.paint(now);
  }

  /** @param {boolean} paused */
  freeze(paused) {
    this.#tradesView.freeze(paused);
    this.refresh();
  }

  /** To be called when all that is shown may have changed. */
  refresh() {
    this.#tradesView.refresh();
    this.#movers.again();
    this.#map?.restyle();
  }

  /** On a phone the panels are a sheet. @param {boolean} open @param {import('./panels.js').Panel} [panel] */
  open(open, panel) {
    this.#panels.open(open, panel);
  }

  /** Others are in sight than before. */
  #changed() {
    if (!this.#panels) return; // still being made
    const map = this.#panels.inSight('heat');
    const all = map || this.#panels.inSight('movers');
    this.#parts.subscriptions.require('market', all ? [ALL] : []);
    part('breadth').hidden = !all && !this.#tradesView.whole; // of a part of the market it would tell something else
    this.#movers.again();
    this.#parts.frames.request();
    if (map && this.#listings.length) void this.#load();
  }

  async #load() {
    if (this.#asked) return;
    this.#asked = true;
    try {
      const { Heatmap } = await import('./heatmap.js');
      this.#map = new Heatmap(this.#parts);
      this.#map.fill(this.#listings);
    } catch {
      this.#asked = false; // the server is away
      setTimeout(() => this.#changed(), AGAIN);
    }
  }
}
