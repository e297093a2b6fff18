/** @typedef {import('../types.js').Quote} Quote */
/**
 * @typedef {object} Trade
 * @property {number} t due time, µs since 1970
 * @property {string} S
 * @property {number} p dollars
 * @property {number} size shares; NaN when the feed tells no volume
 * @property {number} dir 1 above the symbol's trade before, −1 below, else that one's own
 */

const KEPT = 64; // trades kept in all, and of the followed symbol

/**
 * The trades that a stream of quotes lets one see: the day's volume went up between two ticks of a symbol, or the last
 * price changed. Two trades between two ticks show as one.
 */
export class Trades {
  /** @type {Map<string, { p: number, v: number, dir: number }>} */
  #last = new Map();
  /** @type {Trade[]} newest first */
  market = [];
  /** @type {Trade[]} of the followed symbol, newest first */
  symbol = [];
  followed = '';

  /** @param {string} symbol */
  follow(symbol) {
    if (symbol === this.followed) return;
    this.followed = symbol;
    this.symbol = this.market.filter((t) => t.S === symbol);
  }

  /** Where the symbol stands, no trade. @param {Quote} q of a snapshot */
  base(q) {
    this.#last.set(q.S, { p: q.p, v: q.v, dir: this.#last.get(q.S)?.dir ?? 0 });
  }

  /** @param {Quote} q @returns {boolean} whether it shows a trade */
  take(q) {
    const before = this.#last.get(q.S);
    if (!before) {
      this.base(q);
      return false;
    }
    const traded = q.v >= before.v ? q.v - before.v : q.v; // less than before: a new day
    const move = Math.sign(q.p - before.p);
    before.v = q.v;
    if (traded <= 0 && move === 0) return false;
    before.p = q.p;
    before.dir = move || before.dir;
    const trade = { t: q.t, S: q.S, p: q.p, size: traded > 0 ? traded : NaN, dir: before.dir };
    put(this.market, trade);
    if (q.S === this.followed) put(this.symbol, trade);
    return true;
  }
}

/** @param {Trade[]} list @param {Trade} trade */
function put(list, trade) {
  list.unshift(trade);
  if (list.length > KEPT) list.pop();
}
