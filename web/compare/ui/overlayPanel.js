import { dates } from '../../model/formats.js';
import { t } from '../../text.js';
import { el, part, setText } from '../../ui/common/dom.js';
import { differingSettings, format } from '../core/setup.js';
import { elapsed } from './formats.js';
import { browserName } from './browserName.js';

/** @import { KeptRun, Setup } from '../core/types.js' */

/** What is laid over the current run: its name, sentence and conditions, with buttons to keep, repeat and remove it. */
export class OverlayPanel {
  #panel = part('over');
  #differs = part('over-differs');
  /** @type {KeptRun | null} */
  #run = null;
  #shown = '';

  /** @param {{ keep: (run: KeptRun, name: string) => boolean, repeat: (setup: Setup) => void, remove: () => void }} parts keep: reports whether it was kept */
  constructor({ keep, repeat, remove }) {
    part('over-keep').addEventListener('click', () => {
      if (this.#run && keep(this.#run, part('over-name').textContent)) part('over-keep').hidden = true;
    });
    part('over-repeat').addEventListener('click', () => this.#run && repeat(this.#run.setup));
    part('over-remove').addEventListener('click', remove);
  }

  /** @param {KeptRun | null} run null hides the panel @param {string} [name] @param {boolean} [kept] whether this browser keeps it */
  show(run, name = '', kept = false) {
    this.#run = run;
    this.#shown = '';
    this.#panel.hidden = run === null;
    if (!run) return;
    setText(part('over-name'), name);
    part('over-keep').hidden = kept;
    part('over-sentence').replaceChildren(...run.sentence.map((p) => (p.strong || p.lane ? el(p.strong ? 'b' : 'span', p.lane ? { class: `l-${p.lane}` } : {}, p.text) : p.text)));
    setText(part('over-basis'), [
      dates({ dateStyle: 'medium', timeStyle: 'short' }).format(run.made), t('compare.over.measured', { time: elapsed(run.measuredMs) }),
      t('compare.pairs', { n: run.pairs.count }), browserName(run.browser),
    ].filter(Boolean).join(' · '));
  }

  /** The name of the run that is laid over; '' for none. */
  get name() {
    return this.#run ? part('over-name').textContent : '';
  }

  /** Lists what differs between both runs. @param {Setup} setup of the current run @param {string} browser its user agent */
  compare(setup, browser) {
    const run = this.#run;
    if (!run) return;
    const key = format(setup);
    if (key === this.#shown && key !== '') return;
    this.#shown = key;
    const settings = differingSettings(setup, run.setup);
    const list = settings.map(([name, now, before]) => `${name} ${before || '–'} → ${now || '–'}`);
    if (browserName(browser) !== browserName(run.browser)) list.push(`${browserName(run.browser) || '–'} → ${browserName(browser)}`);
    setText(this.#differs, list.length ? t('compare.over.differs', { list: list.join(t('compare.separator.comma')) }) : t('compare.over.same'));
    this.#differs.classList.toggle('warn', list.length > 0);
    part('over-repeat').hidden = settings.length === 0;
  }
}
