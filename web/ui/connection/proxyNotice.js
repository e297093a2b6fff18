import { ProxyWatch } from '../../lane/proxyWatch.js';
import { platform } from '../../lane/platform.js';
import { t } from '../../text.js';

/** @import { Fault } from '../../lane/diagnosis.js' */
/** @import { Symptom } from '../../lane/proxyWatch.js' */
/** @import { Arrival, End, Lane, Message } from '../../types.js' */

const AGAIN = 60_000; // ms between diagnoses, doubled by each that finds no fault
const KEPT = 300_000; // ms that a fault is shown after its newest symptom

/** What a proxy between this browser and the server does wrong, with a dialog of the lines that correct it. */
export class ProxyNotice {
  #watch = new ProxyWatch((symptom) => void this.#diagnose(symptom));
  #symbol;
  /** @type {Fault | null} */
  #fault = null;
  #until = 0; // performance.now() until which it is shown
  #next = 0; // performance.now() before which there is no further diagnosis
  #pause = AGAIN;
  /** Those that the user has read about. @type {Set<Fault>} */
  #read = new Set();

  /** @param {{ symbol: () => string }} page symbol: one that the page may read */
  constructor({ symbol }) {
    this.#symbol = symbol;
  }

  /** @param {Message} m @param {Arrival} arrival */
  take(m, arrival) {
    this.#watch.take(m, arrival);
    if (m.T === 'hello' && arrival.lane === this.lane && (this.#fault === 'upgrade' || this.#fault === 'host')) this.#fault = null;
  }

  /** @param {End} e */
  closed(e) {
    this.#watch.closed(e);
  }

  /** The lane that the fault is about; null without a fault. @returns {Lane | null} */
  get lane() {
    if (!this.#fault) return null;
    return this.#fault === 'upgrade' || this.#fault === 'host' ? 'ws' : 'sse';
  }

  /** @returns {import('../../model/notice.js').Notice | null} */
  get notice() {
    const fault = this.#fault;
    if (!fault || this.#read.has(fault) || performance.now() > this.#until) return null;
    return { text: t(`proxy.fault.${fault}`), button: t('proxy.help'), action: 'help', level: 'warn', act: () => void this.#open(fault) };
  }

  /** @param {Symptom} symptom */
  async #diagnose(symptom) {
    const now = performance.now();
    if (this.#fault) this.#until = now + KEPT;
    if (now < this.#next) return;
    this.#next = now + this.#pause;
    const { diagnose } = await import('../../lane/diagnosis.js');
    this.#fault = await diagnose(symptom, { ...platform(), symbol: this.#symbol() || '*' });
    this.#pause = this.#fault ? AGAIN : this.#pause * 2; // a slow machine or network shows the same symptoms again and again
    this.#until = performance.now() + KEPT;
  }

  /** @param {Fault} fault */
  async #open(fault) {
    const { openProxyDialog } = await import('./proxyDialog.js');
    openProxyDialog(fault, () => this.#read.add(fault));
  }
}
