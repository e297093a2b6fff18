import { seconds } from '../../model/formats.js';
import { has, t } from '../../text.js';

/** @typedef {import('./types.js').DrillAction} DrillAction */
/** @typedef {import('./types.js').DrillRow} DrillRow */
/** @typedef {import('../../types.js').Counters} Counters */
/** @typedef {import('../../types.js').End} End */
/** @typedef {import('../../types.js').Hello} Hello */

const LATE = 250; // ms: a tick that is later than this shows that something is held back
const SILENT = 1_000; // ms between ticks that count as a silence, in a feed that had none so long before
const CATCH_UP = 1_500; // ms from the first tick after the loss, in which a replay must end
const LIMIT = 30_000; // ms after which a stream that isn't back counts as gone

/** ms for which the server holds a stream that it doesn't cut. @type {Partial<Record<DrillAction, number>>} */
const HELD = { stall: 5_000, buffer: 5_000, slow: 10_000 };

/** What a drill does to one stream. It is told everything that happens to that stream. */
export class Watch {
  /** Settles when the outcome is clear. @type {Promise<void>} */
  done;
  #resolve = () => {};
  #options;
  #posted;
  #before;
  #last; // ms of the newest tick
  #usual = 0; // longest silence before the drill, ms
  #effect = NaN;
  #recovered = NaN;
  #lost = false; // the connection ended
  #gone = false; // for good
  #reset = false;
  #unknown = false; // how much a reset missed
  #missed = 0;
  #silence = 0;
  #latest = 0;
  /** @type {End[]} */
  #ends = [];
  #resume = '';
  /** @type {any[]} */
  #timers = [];

  /**
   * @param {{
   *   action: DrillAction, now: () => number, late: (tick: { t: number }, received: number) => number,
   *   counters: () => Readonly<Counters>, seqs: boolean, ours: boolean,
   *   setTimeout: (fn: () => void, ms: number) => any, clearTimeout: (id: any) => void,
   * }} options late: how long after it was due a tick came, ms or NaN; seqs: every seq of the log is asked for, so that
   *   a reset's loss can be counted; ours: our connector is there to bring it back
   */
  constructor(options) {
    this.#options = options;
    this.done = new Promise((resolve) => (this.#resolve = resolve));
    this.#posted = this.#last = options.now();
    this.#before = { ...options.counters() };
  }

  /** The drill is asked for now. */
  begin() {
    const { action, now, setTimeout, counters } = this.#options;
    this.#posted = now();
    this.#before = { ...counters() };
    this.#timers.push(setTimeout(() => this.#finish(), LIMIT));
    const held = HELD[action];
    // Two seconds more than it is held: whatever it did must show by then, and silence must have ended.
    if (held) this.#timers.push(setTimeout(() => Number.isNaN(this.#effect) && this.#finish(), held + 2_000));
  }

  /** @param {{ t: number, i: number }} q @param {number} received local ms @param {boolean} replayed */
  tick(q, received, replayed) {
    const silence = received - this.#last;
    const before = this.#last;
    this.#last = received;
    if (this.#timers.length === 0) {
      this.#usual = Math.max(this.#usual, silence);
      return;
    }
    if (this.#lost) {
      if (Number.isNaN(this.#recovered)) {
        this.#recovered = received;
        this.#timers.push(this.#options.setTimeout(() => this.#finish(), CATCH_UP));
      }
      if (!replayed) this.#finish();
      return;
    }
    const held = HELD[this.#options.action];
    if (held === undefined) return; // what was on its way when the connection was cut
    const late = this.#options.late(q, received);
    this.#silence = Math.max(this.#silence, silence);
    if (late > this.#latest) this.#latest = late;
    if (Number.isNaN(this.#effect) && (late > LATE || silence > Math.max(SILENT, 2 * this.#usual))) this.#effect = before;
    const over = received - this.#posted >= held - LATE;
    if (!Number.isNaN(this.#effect) && over && !(late > LATE)) {
      this.#recovered = received;
      this.#finish();
    }
  }

  /** A connection ended, or a try failed. @param {End} end */
  ended(end) {
    if (this.#timers.length === 0) return;
    this.#ends.push(end);
    if (!this.#lost) this.#effect = this.#options.now();
    this.#lost = true;
    if (end.gaveUp && !this.#options.ours) {
      this.#gone = true;
      this.#finish();
    }
  }

  /** A connection began. @param {Hello} h @param {number} seq the newest before it */
  hello(h, seq) {
    this.#resume = h.resume;
    if (h.resume !== 'reset' || this.#timers.length === 0) return;
    this.#reset = true;
    if (this.#options.seqs && h.head >= seq) this.#missed += h.head - seq;
    else this.#unknown = true;
  }

  stop() {
    for (const timer of this.#timers) this.#options.clearTimeout(timer);
    this.#timers = [];
    this.#resolve();
  }

  /** @returns {Pick<DrillRow, 'recoveredBy' | 'recoveredMs' | 'missed' | 'lost' | 'replayed' | 'doubled' | 'note'>} */
  outcome() {
    const { ours } = this.#options;
    const c = this.#options.counters();
    const back = !Number.isNaN(this.#recovered);
    const nobody = this.#lost && !back;
    return {
      recoveredBy: !this.#lost ? 'not needed' : nobody ? 'none' : ours ? 'our connector' : 'browser',
      recoveredMs: back ? this.#recovered - this.#effect : null,
      missed: nobody || this.#unknown ? null : this.#missed + c.missed - this.#before.missed,
      lost: c.lost - this.#before.lost,
      replayed: c.replayed - this.#before.replayed,
      doubled: c.doubled - this.#before.doubled,
      note: this.#note(back),
    };
  }

  #finish() {
    this.stop();
  }

  /** @param {boolean} back */
  #note(back) {
    if (!this.#lost) {
      if (Number.isNaN(this.#effect)) return t('compare.observed.none');
      const [silent, late] = [seconds(this.#silence / 1000), seconds(this.#latest / 1000)];
      const what = this.#latest > LATE ? t('compare.observed.stayed.late', { silent, late }) : t('compare.observed.stayed', { silent });
      return back ? what : t('compare.observed.stayed.still', { what });
    }
    return [how(this.#ends, this.#options.ours), this.#after(back)].filter(Boolean).join(t('compare.separator.semicolon'));
  }

  /** @param {boolean} back */
  #after(back) {
    if (this.#gone) return t('compare.observed.closed');
    if (!back) return t('compare.observed.notback', { time: seconds(LIMIT / 1000) });
    if (this.#reset) return t('compare.observed.reset');
    if (this.#resume === 'gap') return t('compare.observed.gap');
    return this.#resume === 'complete' ? t('compare.observed.resumed') : '';
  }
}

/** What the end and the tries looked like from the page. @param {End[]} ends @param {boolean} ours */
function how(ends, ours) {
  const [first, ...tries] = ends;
  if (!first) return '';
  const told = why(first);
  const failed = tries.filter((e) => !e.opened);
  if (failed.length === 0) return told;
  const final = ours && failed.some((e) => e.gaveUp);
  const n = failed.length;
  return [told, final ? t('compare.observed.refused.final', { n }) : t('compare.observed.refused', { n })].join(t('compare.separator.semicolon'));
}

/** @param {End} end */
function why({ reason, code }) {
  if (reason !== 'closed') return has(`compare.observed.why.${reason}`) ? t(`compare.observed.why.${reason}`) : reason;
  return code === undefined ? t('compare.observed.error') : t('compare.observed.code', { code: String(code) });
}
