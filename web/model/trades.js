/** @typedef {import('../types.js').Quote} Quote */
/**
 * @typedef {object} Trade
 * @property {number} t due time, µs since 1970
 * @property {string} S
 * @property {number} p dollars
 * @property {number} size shares; NaN when the feed tells no volume
 * @property {number} dir 1 above the symbol's trade before, −1 below, else that one's own
 */

const DAY = 86_400e6; // µs
const KEPT = 64; // trades kept in each list
const REMEMBERED = 512; // newest ones, from which a list begins when another is asked for

/**
 * The trades that a stream of quotes lets one see: the day's volume went up between two ticks of a symbol, or the last
 * price changed. Two trades between two ticks show as one.
 */
export class Trades {
  /** day: days since 1970, of v. @type {Map<string, { p: number, v: number, dir: number, day: number }>} */
  #last = new Map();
  /** @type {Trade[]} a ring of the newest */
  #newest = [];
  #next = 0;
  /** @type {Trade[]} newest first */
  market = [];
  /** @type {Trade[]} of the followed symbol, newest first */
  symbol = [];
  followed = '';
  /** @type {Trade[]} of the symbols in the list, newest first */
  list = [];
  /** @type {ReadonlySet<string>} */
  listed = new Set();
  #least = 0;

  /** @param {string} symbol */
  follow(symbol) {
    if (symbol === this.followed) return;
    this.followed = symbol;
    this.symbol = this.#known().filter((t) => t.S === symbol).slice(0, KEPT);
  }

  /** The symbols that the list shows. @param {ReadonlySet<string>} symbols */
  among(symbols) {
    this.listed = symbols;
    this.list = this.#known().filter((t) => symbols.has(t.S)).slice(0, KEPT);
  }

  /** Leaves out trades that are worth less. One whose size isn't known is one of them. @param {number} dollars 0 for none */
  least(dollars) {
    if (dollars === this.#least) return;
    this.#least = dollars;
    const known = this.#known();
    this.market = known.slice(0, KEPT);
    this.symbol = known.filter((t) => t.S === this.followed).slice(0, KEPT);
    this.among(this.listed);
  }

  /** What is remembered and large enough, newest first. */
  #known() {
    return [...this.#newest.slice(this.#next), ...this.#newest.slice(0, this.#next)].reverse().filter((t) => this.#large(t));
  }

  /** @param {Trade} t */
  #large({ p, size }) {
    return this.#least === 0 || p * size >= this.#least;
  }

  /** Where the symbol stands, no trade. @param {Quote} q of a snapshot */
  base(q) {
    this.#last.set(q.S, { p: q.p, v: q.v, dir: this.#last.get(q.S)?.dir ?? 0, day: Math.floor(q.t / DAY) });
  }

  /** @param {Quote} q @returns {boolean} whether it shows a trade that is large enough */
  take(q) {
    const before = this.#last.get(q.S);
    if (!before) {
      this.base(q);
      return false;
    }
    const today = Math.floor(q.t / DAY);
    const traded = q.v < before.v || today !== before.day ? q.v : q.v - before.v; // a new day, or a feed that starts its count again
    before.day = today;
    const move = Math.sign(q.p - before.p);
    before.v = q.v;
    if (traded <= 0 && move === 0) return false;
    before.p = q.p;
    before.dir = move || before.dir;
    const trade = { t: q.t, S: q.S, p: q.p, size: traded > 0 ? traded : NaN, dir: before.dir };
    this.#newest[this.#next] = trade;
    this.#next = (this.#next + 1) % REMEMBERED;
    if (!this.#large(trade)) return false;
    put(this.market, trade);
    if (q.S === this.followed) put(this.symbol, trade);
    if (this.listed.has(q.S)) put(this.list, trade);
    return true;
  }
}

/** @param {Trade[]} list @param {Trade} trade */
function put(list, trade) {
  list.unshift(trade);
  if (list.length > KEPT) list.pop();
}
