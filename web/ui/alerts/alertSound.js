/** @typedef {Pick<AudioContext, 'state' | 'currentTime' | 'destination' | 'resume' | 'createOscillator' | 'createGain'>} Audio */

const NOTES = [880, 1174.66]; // Hz: A5, D6
const LENGTH = 0.16; // s, of a note
const PAUSE = 1000; // ms after a sound in which no other starts

/** The sound of an alert: two notes made by Web Audio. Browsers play it only after a click or key on the page. */
export class AlertSound {
  /** @type {Audio | null} */
  #audio = null;
  #on;
  #make;
  #now;
  #last = -Infinity;

  /** @param {() => boolean} on the user's setting @param {() => Audio} [make] @param {() => number} [now] ms */
  constructor(on, make = () => new AudioContext(), now = () => performance.now()) {
    this.#on = on;
    this.#make = make;
    this.#now = now;
  }

  /** Makes later sounds possible, to be called in an event of a click or key. */
  unlock() {
    if (!this.#on()) return;
    try {
      this.#audio ??= this.#make();
      if (this.#audio.state === 'suspended') void this.#audio.resume().catch(() => {});
    } catch {
      // No audio device, or too many contexts: alerts are still shown.
    }
  }

  /** Plays the sound, if it is on. Of several alerts at the same moment, one sounds. */
  play() {
    if (!this.#on() || this.#now() - this.#last < PAUSE) return;
    this.unlock();
    const audio = this.#audio;
    if (audio?.state !== 'running') return;
    this.#last = this.#now();
    NOTES.forEach((frequency, k) => {
      const start = audio.currentTime + k * LENGTH;
      const volume = audio.createGain();
      volume.gain.setValueAtTime(0, start);
      volume.gain.linearRampToValueAtTime(0.2, start + 0.01);
      volume.gain.exponentialRampToValueAtTime(0.001, start + LENGTH);
      const tone = audio.createOscillator();
      tone.frequency.value = frequency;
      tone.connect(volume).connect(audio.destination);
      tone.start(start);
      tone.stop(start + LENGTH);
    });
  }
}
