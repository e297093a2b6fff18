import { count, seconds } from '../../model/formats.js';
import { t } from '../../text.js';
import { el, part, setText } from '../../ui/common/dom.js';
import { recoveredBy } from '../core/sentence.js';
import { inlineCode } from './inlineCode.js';

/** @typedef {import('../core/types.js').Drill} Drill */
/** @typedef {import('../core/types.js').DrillAction} DrillAction */
/** @typedef {import('../core/types.js').DrillRow} DrillRow */
/** @typedef {import('../core/types.js').KeptRun} KeptRun */

const COLUMNS = 7;
const MAX_ROWS = 60;

/** Buttons that disturb this page's streams, and a table of the results. */
export class DrillTable {
  /** @type {Map<string, HTMLElement>} */
  #buttons = new Map();
  #body = el('tbody');
  #state = part('drill-state');
  #labels;
  /** @type {{ action: string, since: number } | null} */
  #running = null;
  #timer = 0;
  /** The drills since the last reset, newest first. @type {(readonly DrillRow[])[]} */
  #drills = [];
  /** @type {KeptRun | null} */
  #kept = null;

  /**
   * @param {{ drills: readonly Drill[], lab: boolean, denied: boolean, run: (action: DrillAction) => Promise<void>, topics: () => Promise<void> }} parts
   *   denied: whether the server has the lab and the user may not use it; run and topics reject with an Error whose message is a sentence
   */
  constructor({ drills, lab, denied, run, topics }) {
    this.#labels = new Map(drills.map((d) => [d.action, d.label]));
    const box = part('drill-buttons');
    const table = part('drill-table');
    const heads = [
      t('compare.drills.drill'), t('compare.drills.stream'), t('compare.drills.recovered'), t('compare.drills.missed'), t('compare.drills.replayed'),
      t('compare.drills.duplicates'), t('compare.drills.who'),
    ];
    table.append(el('thead', {}, el('tr', {}, ...heads.map((h) => el('th', { scope: 'col' }, h)))), this.#body);
    this.#empty(lab ? t('compare.drills.none') : t('compare.drills.unavailable'));
    const buttons = lab ? drills.map((d) => this.#button(d.action, d.label, d.about, () => run(d.action))) : [];
    buttons.push(this.#button('topics', t('compare.drill.topics'), t('compare.drill.topics.about'), topics));
    box.append(...buttons);
    const off = part('lab-off');
    off.hidden = lab;
    if (!lab) off.replaceChildren(...inlineCode(t(denied ? 'compare.drills.denied' : 'compare.drills.off')));
  }

  /** @param {string} label @returns {HTMLElement | null} the button with that label */
  find(label) {
    for (const b of this.#buttons.values()) if (b.textContent === label) return b;
    return null;
  }

  /** @param {readonly DrillRow[]} rows of one drill */
  add(rows) {
    if (!rows.length) return;
    this.#drills = [rows, ...this.#drills].slice(0, MAX_ROWS);
    this.#fill();
  }

  /** Shows how fast a kept run recovered. @param {KeptRun | null} run null removes it */
  over(run) {
    this.#kept = run;
    if (this.#drills.length) this.#fill();
  }

  #fill() {
    this.#body.replaceChildren(...this.#drills.flatMap((rows) => rows.map((r, k) => this.#row(r, k === 0))).slice(0, MAX_ROWS));
  }

  clear() {
    this.#drills = [];
    this.#empty(t('compare.drills.cleared'));
  }

  /** @param {string} text */
  #empty(text) {
    this.#body.replaceChildren(el('tr', {}, el('td', { colspan: String(COLUMNS), class: 'none-yet' }, el('span', { class: 'sticky' }, text))));
  }

  /** @param {string} action @param {string} label @param {string} about @param {() => Promise<void>} run */
  #button(action, label, about, run) {
    const b = el('button', { type: 'button', class: 'button', title: about }, label);
    b.dataset.drill = action;
    b.addEventListener('click', () => void this.#run(action, label, run));
    this.#buttons.set(action, b);
    return b;
  }

  /** Runs one drill at a time. @param {string} action @param {string} label @param {() => Promise<void>} run */
  async #run(action, label, run) {
    if (this.#running) return;
    this.#running = { action, since: performance.now() };
    for (const [a, b] of this.#buttons) {
      b.setAttribute('aria-disabled', 'true');
      b.setAttribute('aria-busy', String(a === action));
    }
    const show = () => setText(this.#state, t('compare.drills.running', { drill: label, s: String(Math.round((performance.now() - (this.#running?.since ?? 0)) / 1000)) }));
    show();
    this.#timer = Number(setInterval(show, 1000));
    this.#state.setAttribute('aria-live', 'off'); // seconds are not announced
    const both = t('compare.drills.both');
    let after = both;
    try {
      await run();
    } catch (err) {
      after = t('compare.drills.failed', { drill: label, why: /** @type {Error} */ (err).message });
    }
    clearInterval(this.#timer);
    this.#running = null;
    this.#state.removeAttribute('aria-live');
    setText(this.#state, after);
    this.#state.classList.toggle('bad', after !== both);
    for (const b of this.#buttons.values()) {
      b.removeAttribute('aria-disabled');
      b.removeAttribute('aria-busy');
    }
  }

  /** @param {DrillRow} r @param {boolean} first of its drill */
  #row(r, first) {
    const label = this.#labels.get(r.drill) ?? r.drill;
    const missed = r.missed === null ? '–' : count(r.missed + r.lost);
    return el('tr', { class: first ? 'first' : '' },
      el('th', { scope: 'row' }, first ? label : el('span', { class: 'visually-hidden' }, label)),
      el('td', { class: `nowrap l-${r.lane}` }, r.name),
      el('td', { class: 'nowrap' }, recovery(r.recoveredMs), ...this.#before(r)),
      el('td', { class: r.lost > 0 ? 'bad' : '' }, missed),
      el('td', {}, count(r.replayed)),
      el('td', { class: r.doubled > 0 ? 'bad' : '' }, count(r.doubled)),
      el('td', { class: 'recovered' }, el('span', { class: r.recoveredBy === 'none' ? 'bad' : '' }, recoveredBy(r)), r.note && el('small', {}, r.note)));
  }

  /** The newest time of the same drill in the kept run. @param {DrillRow} r */
  #before({ drill, stream, lane }) {
    const kept = this.#kept?.drills.filter((d) => d.drill === drill && d.lane === lane && (stream === 'plain') === (d.stream === 'plain')).at(-1);
    return kept ? [el('small', { class: 'kept' }, t('compare.figures.before', { figure: recovery(kept.recoveredMs) }))] : [];
  }
}

/** @param {number | null} ms */
const recovery = (ms) => (ms === null ? '–' : seconds(ms / 1000));
