import { count, seconds } from '../../store/format.js';
import { el, part, setText } from '../../ui/dom.js';

/** @typedef {import('../core/types.js').Drill} Drill */
/** @typedef {import('../core/types.js').DrillAction} DrillAction */
/** @typedef {import('../core/types.js').DrillRow} DrillRow */

const HEADS = ['drill', 'stream', 'back after', 'missed', 'replayed', 'doubled', 'who did it'];
const KEPT = 60; // rows

/** Buttons that do harm on purpose, to this page's own streams alone, and what came of it. */
export class DrillTable {
  /** @type {Map<string, HTMLElement>} */
  #buttons = new Map();
  #body = el('tbody');
  #state = part('drill-state');
  #labels;
  /** @type {{ action: string, since: number } | null} */
  #running = null;
  #timer = 0;

  /**
   * @param {{ drills: readonly Drill[], lab: boolean, run: (action: DrillAction) => Promise<void>, topics: () => Promise<void> }} parts
   *   run and topics reject with a sentence
   */
  constructor({ drills, lab, run, topics }) {
    this.#labels = new Map(drills.map((d) => [d.action, d.label]));
    const box = part('drill-buttons');
    const table = part('drill-table');
    table.append(el('thead', {}, el('tr', {}, ...HEADS.map((h) => el('th', { scope: 'col' }, h)))), this.#body);
    this.#empty(lab ? 'No drill was run yet. Each takes a few seconds and touches only this page’s own streams.' : 'No drill can be run here.');
    const buttons = lab ? drills.map((d) => this.#button(d.action, d.label, d.about, () => run(d.action))) : [];
    buttons.push(this.#button('topics', 'Measure topics', 'Changes the topics by a WebSocket command, by POST for SSE and by a new stream, a few times each, and takes the time.', topics));
    box.append(...buttons);
    const off = part('lab-off');
    off.hidden = lab;
    if (!lab) {
      off.replaceChildren('Drills, the pace and background clients change a running server, so they are off unless it was started with the lab: ',
        el('code', {}, 'make run'), ' or ', el('code', {}, 'ticklane serve --lab.enabled=true'), '. Everything else on this page works without it.');
    }
  }

  /** @param {string} label @returns {HTMLElement | null} the button that has it */
  find(label) {
    for (const b of this.#buttons.values()) if (b.textContent === label) return b;
    return null;
  }

  /** @param {readonly DrillRow[]} rows of one drill */
  add(rows) {
    if (!rows.length) return;
    this.#body.querySelector('.none-yet')?.parentElement?.remove();
    this.#body.prepend(...rows.map((r, k) => this.#row(r, k === 0)));
    while (this.#body.childElementCount > KEPT) this.#body.lastElementChild?.remove();
  }

  clear() {
    this.#body.replaceChildren();
    this.#empty('No drill was run yet in this run.');
  }

  /** @param {string} text */
  #empty(text) {
    this.#body.replaceChildren(el('tr', {}, el('td', { colspan: String(HEADS.length), class: 'none-yet' }, el('span', { class: 'held' }, text))));
  }

  /** @param {string} action @param {string} label @param {string} about @param {() => Promise<void>} run */
  #button(action, label, about, run) {
    const b = el('button', { type: 'button', class: 'button', title: about }, label);
    b.dataset.drill = action;
    b.addEventListener('click', () => void this.#run(action, label, run));
    this.#buttons.set(action, b);
    return b;
  }

  /** One at a time: two drills would spoil each other. @param {string} action @param {string} label @param {() => Promise<void>} run */
  async #run(action, label, run) {
    if (this.#running) return;
    this.#running = { action, since: performance.now() };
    for (const [a, b] of this.#buttons) {
      b.setAttribute('aria-disabled', 'true');
      b.setAttribute('aria-busy', String(a === action));
    }
    const tell = () => setText(this.#state, `${label} runs: ${Math.round((performance.now() - (this.#running?.since ?? 0)) / 1000)} s`);
    tell();
    this.#timer = Number(setInterval(tell, 1000));
    this.#state.setAttribute('aria-live', 'off'); // a count-up is for the eye
    let after = 'both sides at once';
    try {
      await run();
    } catch (err) {
      after = `${label}: ${/** @type {Error} */ (err).message}`;
    }
    clearInterval(this.#timer);
    this.#running = null;
    this.#state.removeAttribute('aria-live');
    setText(this.#state, after);
    this.#state.classList.toggle('bad', after !== 'both sides at once');
    for (const b of this.#buttons.values()) {
      b.removeAttribute('aria-disabled');
      b.removeAttribute('aria-busy');
    }
  }

  /** @param {DrillRow} r @param {boolean} first of its drill */
  #row(r, first) {
    const label = this.#labels.get(r.drill) ?? r.drill;
    const who = r.who === 'nobody' ? 'bad' : '';
    const missed = r.missed === null ? '–' : count(r.missed + r.lost);
    return el('tr', { class: first ? 'first' : '' },
      el('th', { scope: 'row' }, first ? label : el('span', { class: 'away' }, label)),
      el('td', { class: `nowrap l-${r.lane}` }, r.name),
      el('td', { class: 'nowrap' }, r.recoveredMs === null ? '–' : seconds(r.recoveredMs / 1000)),
      el('td', { class: r.lost > 0 ? 'bad' : '' }, missed),
      el('td', {}, count(r.replayed)),
      el('td', { class: r.doubled > 0 ? 'bad' : '' }, count(r.doubled)),
      el('td', { class: 'who' }, el('span', { class: who }, r.who), r.note && el('small', {}, r.note)));
  }
}
