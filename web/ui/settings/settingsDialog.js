import { Stored } from '../../browser/storage.js';
import { byId, dismissable, part } from '../common/dom.js';
import { settings } from './settings.js';

/** Set while the page reloads in another language, so that the dialog opens again. */
const reopen = new Stored('ticklane.settings.open', (set) => set !== null, () => sessionStorage);

/** The dialog of the settings. Each change takes effect at once; a click outside closes it. */
export class SettingsDialog {
  #dialog = byId('settings', HTMLDialogElement);
  #form = byId('settings-form', HTMLFormElement);
  #button = byId('settings-open', HTMLButtonElement);

  constructor() {
    this.#button.addEventListener('click', () => this.open());
    this.#form.addEventListener('change', (e) => {
      const { name, value } = /** @type {HTMLInputElement} */ (e.target);
      if (name !== 'lang') return settings.set({ [name]: value });
      reopen.write(1);
      settings.setLanguage(value);
    });
    part('settings-reset').addEventListener('click', () => settings.reset());
    dismissable(this.#dialog, this.#button);
    settings.on(() => this.#show());
    if (reopen.read()) this.open();
    reopen.write(undefined);
  }

  open() {
    if (this.#dialog.open) return;
    this.#show();
    this.#dialog.showModal();
    // Focus the first setting instead of the close button.
    const first = this.#form.querySelector('[name=lang]:checked');
    if (first instanceof HTMLElement) first.focus();
  }

  #show() {
    for (const [name, value] of Object.entries({ ...settings.now, lang: settings.lang })) {
      const radios = this.#form.elements.namedItem(name);
      if (radios instanceof RadioNodeList) radios.value = value;
    }
  }
}
