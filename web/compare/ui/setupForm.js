import { t } from '../../text.js';
import { byId, el, part, press, setText } from '../../ui/common/dom.js';
import { getJSON } from '../../browser/http.js';
import { useInstruments } from '../../model/instruments.js';
import { choices, format, laneName, parse } from '../core/setup.js';

/** @typedef {import('../core/types.js').Setup} Setup */
/** @typedef {{ rate?: number, background?: { sse: number, ws: number }, engines: { sse: string[], ws: string[] }, compress?: string[] }} Lab answer of GET /api/lab; without what the server can't change */

const INTERVALS = ['', '0', '50', '100', '250', '1000']; // ms; '' is the server's default
const DELAYS = ['0', '1', '2', '5', '20']; // ms
const CLIENTS = ['0,0', '100,100', '500,500', '1000,1000', '2000,2000'];

/**
 * The form for the setup. Its values are parsed like an address, so that form and link accept the same; an invalid value is
 * reported under the form and changes nothing.
 */
export class SetupForm {
  #onChange;
  #announce;
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
  /** Why the server rejects the setup, a sentence; '' when it accepts it. */
  rejection = '';
  #checks = 0;
  /** @type {Lab['engines']} */
  #engineNames = { sse: [], ws: [] };
  /** Whether the lab can set a side's compression. Assumed until its answer, so that the form does not move. */
  #compress;
  /** What the lab offers; null without a lab. @type {Promise<Lab | null>} */
  #offer;

  /** @param {{ setup: Setup, lab: boolean, onChange: (setup: Setup) => void, announce: (text: string) => void }} parts lab: whether the user may use the lab's API */
  constructor({ setup, lab, onChange, announce }) {
    this.#setup = setup;
    this.#onChange = onChange;
    this.#announce = announce;
    this.#compress = lab;
    options(this.#interval, INTERVALS.map((v) => [v, v === '' ? t('compare.form.default') : v === '0' ? t('compare.form.none') : t('compare.form.ms', { ms: v })]));
    options(this.#background, CLIENTS.map((v) => [v, v === '0,0' ? t('compare.form.none') : v.replace(',', ' + ')]));
    for (const s of this.#delays) options(s, DELAYS.map((v) => [v, v === '0' ? t('compare.form.none') : t('compare.form.ms', { ms: v })]));
    part('setup').addEventListener('submit', (e) => e.preventDefault());
    part('setup').addEventListener('change', (e) => this.#changed(e.target));
    this.#topics.addEventListener('keydown', (e) => { if (e.key === 'Enter') this.#topics.blur(); });
    for (const b of this.#sides) b.addEventListener('click', () => this.#apply({ sides: b.dataset.sides ?? 'sse,ws' }));
    this.#fill();
    this.#offer = lab ? this.#fetchLab() : Promise.resolve(null);
    void this.#check(setup);
    void this.#listTopics();
  }

  /** @param {string} text an error, '' for none */
  showError(text) {
    setText(this.#error, text);
  }

  /** Applies a pending change of a link. @param {import('../core/types.js').ServerChange} change */
  apply({ rate, background }) {
    this.#apply({
      ...(rate === null ? {} : { rate: String(rate) }),
      ...(background ? { background: `${background.sse},${background.ws}` } : {}),
    });
  }

  /** Applies a whole setup. @param {Setup} setup */
  use(setup) {
    this.#apply({ topics: '', mode: '', interval: '', sides: '', encoding: '', compress: '', engine: '', rate: '', background: '', delay: '', ...Object.fromEntries(new URLSearchParams(format(setup))) });
  }

  /** @param {EventTarget | null} field */
  #changed(field) {
    if (field === this.#topics) this.#apply({ topics: this.#topics.value.trim() || '*' });
    else if (field === this.#rate) this.#apply({ rate: this.#rate.value.trim() });
    else if (field === this.#mode) this.#apply({ mode: this.#mode.value });
    else if (field === this.#interval) this.#apply({ interval: this.#interval.value });
    else if (field === this.#background) this.#apply({ background: this.#background.value });
    else if (this.#engines.some((s) => s === field)) this.#apply({ engine: this.#engines.map((s) => s.value).join(',') });
    else if (this.#encodings.some((s) => s === field)) this.#apply({ encoding: this.#encodings.map((s) => s.value).join(',') });
    else if (this.#compressions.some((s) => s === field)) this.#apply({ compress: this.#compressions.map((s) => s.value).join(',') });
    else if (this.#delays.some((s) => s === field)) this.#apply({ delay: this.#delays.map((s) => s.value).join(',') });
  }

  /** @param {Record<string, string>} patch values as in an address; '' is the default */
  #apply(patch) {
    const query = new URLSearchParams(format(this.#setup));
    // Engines and encodings of one lane may be invalid for the other.
    if (patch.sides) for (const k of ['engine', 'encoding']) query.delete(k);
    for (const [k, v] of Object.entries(patch)) {
      if (v === '' || v === ',') query.delete(k);
      else query.set(k, v);
    }
    const { setup, problems } = parse(query.toString());
    this.showError(problems.join(' '));
    this.#topics.setAttribute('aria-invalid', String(problems.some((p) => p.startsWith('topics'))));
    this.#rate.setAttribute('aria-invalid', String(problems.some((p) => p.startsWith('rate'))));
    if (problems.length || format(setup) === format(this.#setup)) return;
    this.#setup = setup;
    this.#fill();
    void this.#check(setup);
    this.#onChange(setup);
  }

  /**
   * Checks that the server has the topics and options. A rejected stream would give the page no reason.
   * @param {Setup} setup
   */
  async #check(setup) {
    const check = ++this.#checks;
    this.#reject('', false);
    const problem = await getJSON(`/api/quotes?${new URLSearchParams({ topics: setup.topics.join(',') })}`).then(() => '', topicProblem);
    const why = problem || missing(await this.#offer, setup);
    if (check === this.#checks) this.#reject(why, problem !== '');
  }

  /** @param {string} why a sentence, which the banner shows; '' when the server accepts the setup @param {boolean} topics whether it is about them */
  #reject(why, topics) {
    this.rejection = why;
    if (why) this.#announce(why);
    if (topics) this.#topics.setAttribute('aria-invalid', 'true');
    this.#topics.setAttribute('aria-describedby', topics ? 'banner-text' : 'setup-error');
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

  /** The choices of a side depend on its lane and on the server. */
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
      options(select, [['', t('compare.form.default')], ...this.#engineNames[lane].map((e) => /** @type {[string, string]} */ ([e, e]))]);
      choose(select, k === 0 ? engine.a : engine.b, (v) => v);
      select.setAttribute('aria-label', t('compare.form.engine', { side: side(k) }));
    });
  }

  /** Fills in the lab's current values, except those of the setup, and hides what the server can't change. */
  async #fetchLab() {
    try {
      /** @type {Lab} */
      const lab = await getJSON('/api/lab');
      this.#engineNames = { sse: lab.engines?.sse ?? [], ws: lab.engines?.ws ?? [] };
      if (this.#setup.rate === null) this.#rate.value = String(lab.rate ?? '');
      if (!this.#setup.background && lab.background) choose(this.#background, `${lab.background.sse},${lab.background.ws}`, (v) => v.replace(',', ' + '));
      for (const [field, value] of /** @type {const} */ ([[this.#rate, lab.rate], [this.#background, lab.background]])) field.closest('label')?.toggleAttribute('hidden', value === undefined);
      this.#compress = (lab.compress ?? []).length > 0;
      this.#fillSides();
      return lab;
    } catch (err) {
      this.showError(/** @type {{ status?: number }} */ (err).status === 403 ? t('compare.lab.refused', { why: t('compare.lab.denied') }) : t('compare.lab.silent'));
      return null;
    }
  }

  async #listTopics() {
    try {
      const { symbols, sectors } = await getJSON('/api/symbols');
      useInstruments(symbols);
      const all = ['*', ...sectors.map((/** @type {string} */ s) => `sector:${s}`), ...symbols.map((/** @type {{ symbol: string }} */ s) => s.symbol)];
      part('topic-list').replaceChildren(...all.map((value) => el('option', { value })));
    } catch {
      // Only suggestions.
    }
  }

  /** @param {string} label @returns {HTMLElement | null} the button with that label */
  find(label) {
    return this.#sides.find((b) => b.textContent === label) ?? null;
  }
}

/** Why the server rejects topics, a sentence from its answer, whose texts are English; '' when it doesn't. @param {any} err of the request for their quotes @returns {string} */
export function topicProblem({ message, status }) {
  if (status !== 400 && status !== 403) return ''; // the streams show what is wrong
  const [, kind, names] = /(unknown|no right to read the) topics?((?:,? "[^"]*")+)/.exec(message) ?? [];
  const topics = (names ?? '').replaceAll('"', '').trim();
  if (!topics) return t('compare.form.topics');
  return t(kind === 'unknown' ? 'compare.form.unknown' : 'compare.form.denied', { topics });
}

/** What a setup requests and the lab does not offer, a sentence; '' for nothing. @param {Lab | null} lab @param {Setup} setup */
export function missing(lab, { sides, engine, compress }) {
  if (!lab) return '';
  for (const [k, lane] of sides.entries()) {
    const name = [engine.a, engine.b][k];
    if (name && !lab.engines[lane].includes(name)) return t('compare.form.noEngine', { engine: name, lane: laneName(lane) });
  }
  return (compress.a === 'on' || compress.b === 'on') && !lab.compress?.includes('on') ? t('compare.form.noCompression') : '';
}

/** @param {HTMLSelectElement} select @param {[string, string][]} list value and label */
function options(select, list) {
  select.replaceChildren(...list.map(([value, label]) => el('option', { value }, label)));
}

/** Selects a value, which is added if a link has one that is not in the list. @param {HTMLSelectElement | undefined} select @param {string} value @param {(v: string) => string} label */
function choose(select, value, label) {
  if (!select) return;
  if (![...select.options].some((o) => o.value === value)) select.append(el('option', { value }, label(value)));
  select.value = value;
}
