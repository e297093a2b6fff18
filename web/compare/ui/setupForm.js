import { t } from '../../text.js';
import { byId, el, part, press, setText } from '../../ui/common/dom.js';
import { getJSON } from '../../browser/http.js';
import { choices, format, laneName, parse } from '../core/setup.js';

/** @typedef {import('../core/types.js').Setup} Setup */
/** @typedef {{ rate: number, background: { sse: number, ws: number }, engines: { sse: string[], ws: string[] }, compress?: string[] }} Lab as GET /api/lab tells it */

const INTERVALS = ['', '0', '50', '100', '250', '1000']; // ms; '' is the server's own
const DELAYS = ['0', '1', '2', '5', '20']; // ms
const CLIENTS = ['0,0', '100,100', '500,500', '1000,1000', '2000,2000'];

/**
 * The setup as a person changes it. It is read and checked as an address is, so that a form and a link can't differ;
 * what can't be true is told under the form and changes nothing.
 */
export class SetupForm {
  #onChange;
  /** @type {Setup} */
  #setup;
  #sides = [...document.querySelectorAll('[data-sides]')].filter((b) => b instanceof HTMLButtonElement);
  #topics = byId('c-topics', HTMLInputElement);
  #rate = byId('c-rate', HTMLInputElement);
  #mode = byId('c-mode', HTMLSelectElement);
  #interval = byId('c-interval', HTMLSelectElement);
  #background = byId('c-background', HTMLSelectElement);
  #engines = [byId('c-engine-a', HTMLSelectElement), byId('c-engine-b', HTMLSelectElement)];
  #encodings = [byId('c-encoding-a', HTMLSelectElement), byId('c-encoding-b', HTMLSelectElement)];
  #compressions = [byId('c-compress-a', HTMLSelectElement), byId('c-compress-b', HTMLSelectElement)];
  #delays = [byId('c-delay-a', HTMLSelectElement), byId('c-delay-b', HTMLSelectElement)];
  #error = part('setup-error');
  /** Why the server doesn't take the setup, a sentence; '' when it does. */
  refused = '';
  #checks = 0;
  /** @type {Lab['engines']} */
  #known = { sse: [], ws: [] };
  /** Whether the lab takes a side's compression. */
  #compress = false;
  /** What the lab has, null without one. @type {Promise<Lab | null>} */
  #told;

  /** @param {{ setup: Setup, lab: boolean, onChange: (setup: Setup) => void }} parts lab: whether the lab's API is there */
  constructor({ setup, lab, onChange }) {
    this.#setup = setup;
    this.#onChange = onChange;
    part('lab').hidden = !lab;
    options(this.#interval, INTERVALS.map((v) => [v, v === '' ? t('compare.form.default') : v === '0' ? t('compare.form.none') : t('compare.form.ms', { ms: v })]));
    options(this.#background, CLIENTS.map((v) => [v, v === '0,0' ? t('compare.form.none') : v.replace(',', ' + ')]));
    for (const s of this.#delays) options(s, DELAYS.map((v) => [v, v === '0' ? t('compare.form.none') : t('compare.form.ms', { ms: v })]));
    part('setup').addEventListener('submit', (e) => e.preventDefault());
    part('setup').addEventListener('change', (e) => this.#changed(e.target));
    this.#topics.addEventListener('keydown', (e) => { if (e.key === 'Enter') this.#topics.blur(); });
    for (const b of this.#sides) b.addEventListener('click', () => this.#ask({ sides: b.dataset.sides ?? 'sse,ws' }));
    this.#fill();
    this.#told = lab ? this.#askLab() : Promise.resolve(null);
    void this.#check(setup);
    void this.#listTopics();
  }

  /** @param {string} text a sentence about something that could not be done, '' when all is well */
  complain(text) {
    setText(this.#error, text);
  }

  /** Asks for what a link asked for, as if a person had entered it. @param {import('../core/types.js').Asked} asked */
  apply({ rate, background }) {
    this.#ask({
      ...(rate === null ? {} : { rate: String(rate) }),
      ...(background ? { background: `${background.sse},${background.ws}` } : {}),
    });
  }

  /** @param {EventTarget | null} field */
  #changed(field) {
    if (field === this.#topics) this.#ask({ topics: this.#topics.value.trim() || '*' });
    else if (field === this.#rate) this.#ask({ rate: this.#rate.value.trim() });
    else if (field === this.#mode) this.#ask({ mode: this.#mode.value });
    else if (field === this.#interval) this.#ask({ interval: this.#interval.value });
    else if (field === this.#background) this.#ask({ background: this.#background.value });
    else if (this.#engines.some((s) => s === field)) this.#ask({ engine: this.#engines.map((s) => s.value).join(',') });
    else if (this.#encodings.some((s) => s === field)) this.#ask({ encoding: this.#encodings.map((s) => s.value).join(',') });
    else if (this.#compressions.some((s) => s === field)) this.#ask({ compress: this.#compressions.map((s) => s.value).join(',') });
    else if (this.#delays.some((s) => s === field)) this.#ask({ delay: this.#delays.map((s) => s.value).join(',') });
  }

  /** @param {Record<string, string>} patch values as in an address; '' takes the default */
  #ask(patch) {
    const query = new URLSearchParams(format(this.#setup));
    // An engine or an encoding of one lane may not exist on the other.
    if (patch.sides) for (const k of ['engine', 'encoding']) query.delete(k);
    for (const [k, v] of Object.entries(patch)) {
      if (v === '' || v === ',') query.delete(k);
      else query.set(k, v);
    }
    const { setup, problems } = parse(query.toString());
    this.complain(problems.join(t('compare.separator.semicolon')));
    this.#topics.setAttribute('aria-invalid', String(problems.some((p) => p.startsWith('topics'))));
    this.#rate.setAttribute('aria-invalid', String(problems.some((p) => p.startsWith('rate'))));
    if (problems.length || format(setup) === format(this.#setup)) return;
    this.#setup = setup;
    this.#fill();
    void this.#check(setup);
    this.#onChange(setup);
  }

  /**
   * Asks whether the server has the topics and what its lab must have: a stream that is refused shows a page no more than an
   * error without words.
   * @param {Setup} setup
   */
  async #check(setup) {
    const mine = ++this.#checks;
    this.refused = '';
    try {
      await getJSON(`/api/quotes?${new URLSearchParams({ topics: setup.topics.join(',') })}`);
      const why = lack(await this.#told, setup);
      if (mine !== this.#checks || !why) return;
      this.refused = why;
      this.complain(why);
    } catch (err) {
      if (mine !== this.#checks || err instanceof TypeError) return; // without a network it is not the topics
      const why = /** @type {Error} */ (err).message;
      const [, topic] = /unknown topic "([^"]+)"/.exec(why) ?? []; // the API's words are English; of these a name is enough
      this.refused = topic ? t('compare.form.unknown', { topic }) : t('compare.form.topics', { why });
      this.complain(this.refused);
      this.#topics.setAttribute('aria-invalid', 'true');
    }
  }

  #fill() {
    const s = this.#setup;
    this.#topics.value = s.topics.join(',');
    this.#mode.value = s.mode;
    choose(this.#interval, s.interval === null ? '' : String(s.interval), (v) => t('compare.form.ms', { ms: v }));
    if (s.rate !== null) this.#rate.value = String(s.rate);
    if (s.background) choose(this.#background, `${s.background.sse},${s.background.ws}`, (v) => v.replace(',', ' + '));
    [s.delay.a, s.delay.b].forEach((d, k) => choose(this.#delays[k], String(d), (v) => t('compare.form.ms', { ms: v })));
    press(this.#sides, (b) => b.dataset.sides === s.sides.join(','));
    this.#fillSides();
  }

  /** What a side can choose depends on its lane, and on the server. */
  #fillSides() {
    const { sides, engine, encoding, compress } = this.#setup;
    const side = (/** @type {number} */ k) => `${laneName(sides[k] ?? 'sse')}${sides[0] === sides[1] ? ` ${'AB'[k]}` : ''}`;
    part('encoding').hidden = sides.every((lane) => choices.encoding[lane].length < 2);
    this.#encodings.forEach((select, k) => {
      const all = choices.encoding[sides[k] ?? 'sse'];
      options(select, all.map((v) => /** @type {[string, string]} */ ([v, v])));
      choose(select, k === 0 ? encoding.a : encoding.b, (v) => v);
      select.disabled = all.length < 2;
      select.setAttribute('aria-label', t('compare.form.encoding', { side: side(k) }));
    });
    part('compress').hidden = !this.#compress && !compress.a && !compress.b;
    this.#compressions.forEach((select, k) => {
      options(select, [['', t('compare.form.default')], ['off', t('compare.form.off')], ['on', t('compare.form.on')]]);
      choose(select, k === 0 ? compress.a : compress.b, (v) => v);
      select.setAttribute('aria-label', t('compare.form.compression', { side: side(k) }));
    });
    this.#engines.forEach((select, k) => {
      const lane = sides[k] ?? 'sse';
      options(select, [['', t('compare.form.default')], ...this.#known[lane].map((e) => /** @type {[string, string]} */ ([e, e]))]);
      choose(select, k === 0 ? engine.a : engine.b, (v) => v);
      select.setAttribute('aria-label', t('compare.form.engine', { side: side(k) }));
    });
  }

  /** What the lab has now; what was asked for here goes before it. */
  async #askLab() {
    try {
      /** @type {Lab} */
      const lab = await getJSON('/api/lab');
      this.#known = { sse: lab.engines?.sse ?? [], ws: lab.engines?.ws ?? [] };
      if (this.#setup.rate === null) this.#rate.value = String(lab.rate);
      if (!this.#setup.background) choose(this.#background, `${lab.background.sse},${lab.background.ws}`, (v) => v.replace(',', ' + '));
      this.#compress = (lab.compress ?? []).length > 0;
      this.#fillSides();
      return lab;
    } catch (err) {
      this.complain(t('compare.lab.silent', { why: /** @type {Error} */ (err).message }));
      return null;
    }
  }

  async #listTopics() {
    try {
      const { symbols, sectors } = await getJSON('/api/symbols');
      const all = ['*', ...sectors.map((/** @type {string} */ s) => `sector:${s}`), ...symbols.map((/** @type {{ symbol: string }} */ s) => s.symbol)];
      part('topic-list').replaceChildren(...all.map((value) => el('option', { value })));
    } catch {
      // Suggestions only; the server checks what is asked for.
    }
  }

  /** @param {string} label @returns {HTMLElement | null} the switch of sides that has it */
  find(label) {
    return this.#sides.find((b) => b.textContent === label) ?? null;
  }
}

/** What a lab doesn't have of what a link asks for, a sentence; '' for nothing. @param {Lab | null} lab @param {Setup} setup */
export function lack(lab, { sides, engine, compress }) {
  if (!lab) return '';
  for (const [k, lane] of sides.entries()) {
    const asked = [engine.a, engine.b][k];
    if (asked && !lab.engines[lane].includes(asked)) return t('compare.form.noEngine', { engine: asked, lane: laneName(lane) });
  }
  return (compress.a === 'on' || compress.b === 'on') && !lab.compress?.includes('on') ? t('compare.form.noCompression') : '';
}

/** @param {HTMLSelectElement} select @param {[string, string][]} list value and label */
function options(select, list) {
  select.replaceChildren(...list.map(([value, label]) => el('option', { value }, label)));
}

/** Selects a value, and adds it when a link brought one that isn't on offer. @param {HTMLSelectElement | undefined} select @param {string} value @param {(v: string) => string} label */
function choose(select, value, label) {
  if (!select) return;
  if (![...select.options].some((o) => o.value === value)) select.append(el('option', { value }, label(value)));
  select.value = value;
}
