import { seconds } from '../../model/formats.js';
import { has, t } from '../../text.js';

/** @typedef {import('./types.js').DrillAction} DrillAction */
/** @typedef {import('./types.js').DrillRow} DrillRow */
/** @typedef {import('../../types.js').Counters} Counters */
/** @typedef {import('../../types.js').End} End */
/** @typedef {import('../../types.js').Hello} Hello */

const LATE = 250; // ms after its due time at which a tick counts as delayed
const SILENT = 1_000; // ms between ticks that count as silence, unless usual before the drill
const CATCH_UP = 1_500; // ms for a replay, from the first tick after the reconnect
const LIMIT = 30_000; // ms after which a stream counts as not recovered

/** ms for which the server delays a stream that it does not cut. @type {Partial<Record<DrillAction, number>>} */
const HELD = { stall: 5_000, buffer: 5_000, slow: 10_000 };

/** Observes the effect of a drill on one stream. The caller passes on all events of that stream. */
export class RecoveryWatch {
  /** Resolves when the outcome is known. @type {Promise<void>} */
  done;
  #resolve = () => {};
  #options;
  #requested;
  #before;
  #last; // arrival of the newest tick, ms
  #usual = 0; // longest silence before the drill, ms
  #effect = NaN;
  #recovered = NaN;
  #disconnected = false;
  #closed = false; // the browser will not reconnect
  #reset = false;
  #unknown = false; // number of ticks that a reset skipped
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
   * }} options late: ms between a tick's due time and its arrival, or NaN; seqs: all seqs of the log are subscribed, so that
   *   the ticks that a reset skips can be counted; ours: our connector reconnects this stream
   */
  constructor(options) {
    this.#options = options;
    this.done = new Promise((resolve) => (this.#resolve = resolve));
    this.#requested = this.#last = options.now();
    this.#before = { ...options.counters() };
  }

  /** The drill is being requested. */
  begin() {
    const { action, now, setTimeout, counters } = this.#options;
    this.#requested = now();
    this.#before = { ...counters() };
    this.#timers.push(setTimeout(() => this.#finish(), LIMIT));
    const held = HELD[action];
    // The effect must be visible, and silence must have ended, two seconds after the delay.
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
    if (this.#disconnected) {
      if (Number.isNaN(this.#recovered)) {
        this.#recovered = received;
        this.#timers.push(this.#options.setTimeout(() => this.#finish(), CATCH_UP));
      }
      if (!replayed) this.#finish();
      return;
    }
    const held = HELD[this.#options.action];
    if (held === undefined) return; // in transit when the connection was cut
    const late = this.#options.late(q, received);
    this.#silence = Math.max(this.#silence, silence);
    if (late > this.#latest) this.#latest = late;
    if (Number.isNaN(this.#effect) && (late > LATE || silence > Math.max(SILENT, 2 * this.#usual))) this.#effect = before;
    const over = received - this.#requested >= held - LATE;
    if (!Number.isNaN(this.#effect) && over && !(late > LATE)) {
      this.#recovered = received;
      this.#finish();
    }
  }

  /** A connection ended or an attempt failed. @param {End} end */
  ended(end) {
    if (this.#timers.length === 0) return;
    this.#ends.push(end);
    if (!this.#disconnected) this.#effect = this.#options.now();
    this.#disconnected = true;
    if (end.gaveUp && !this.#options.ours) {
      this.#closed = true;
      this.#finish();
    }
  }

  /** A connection opened. @param {Hello} h @param {number} seq the newest before it */
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
    const recovered = !Number.isNaN(this.#recovered);
    const failed = this.#disconnected && !recovered;
    return {
      recoveredBy: !this.#disconnected ? 'not needed' : failed ? 'none' : ours ? 'our connector' : 'browser',
      recoveredMs: recovered ? this.#recovered - this.#effect : null,
      missed: failed || this.#unknown ? null : this.#missed + c.missed - this.#before.missed,
      lost: c.lost - this.#before.lost,
      replayed: c.replayed - this.#before.replayed,
      doubled: c.doubled - this.#before.doubled,
      note: this.#note(recovered),
    };
  }

  #finish() {
    this.stop();
  }

  /** @param {boolean} recovered */
  #note(recovered) {
    if (!this.#disconnected) {
      if (Number.isNaN(this.#effect)) return t('compare.observed.none');
      const [silent, late] = [seconds(this.#silence / 1000), seconds(this.#latest / 1000)];
      const what = this.#latest > LATE ? t('compare.observed.stayed.late', { silent, late }) : t('compare.observed.stayed', { silent });
      return recovered ? what : t('compare.observed.stayed.still', { what });
    }
    return [describeEnds(this.#ends, this.#options.ours), this.#resumption(recovered)].filter(Boolean).join(t('compare.separator.semicolon'));
  }

  /** @param {boolean} recovered */
  #resumption(recovered) {
    if (this.#closed) return t('compare.observed.closed');
    if (!recovered) return t('compare.observed.notback', { time: seconds(LIMIT / 1000) });
    if (this.#reset) return t('compare.observed.reset');
    if (this.#resume === 'gap') return t('compare.observed.gap');
    return this.#resume === 'complete' ? t('compare.observed.resumed') : '';
  }
}

/** Describes the end and the failed attempts as seen by the page. @param {End[]} ends @param {boolean} ours */
function describeEnds(ends, ours) {
  const [first, ...attempts] = ends;
  if (!first) return '';
  const cause = describeEnd(first);
  const failed = attempts.filter((e) => !e.opened);
  if (failed.length === 0) return cause;
  const final = ours && failed.some((e) => e.gaveUp);
  const n = failed.length;
  return [cause, final ? t('compare.observed.refused.final', { n }) : t('compare.observed.refused', { n })].join(t('compare.separator.semicolon'));
}

/** @param {End} end */
function describeEnd({ reason, code }) {
  if (reason !== 'closed') return has(`compare.observed.why.${reason}`) ? t(`compare.observed.why.${reason}`) : reason;
  return code === undefined ? t('compare.observed.error') : t('compare.observed.code', { code: String(code) });
}
