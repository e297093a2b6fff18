import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AlertSound } from './alertSound.js';

/** An AudioContext that records its tones. */
class FakeAudio {
  /** @type {{ frequency: number, start: number, stop: number }[]} */
  tones = [];
  destination = {};
  currentTime = 5;

  /** @param {string} state */
  constructor(state) {
    this.state = state;
  }

  async resume() {
    this.state = 'running';
  }

  createGain() {
    const gain = { setValueAtTime() {}, linearRampToValueAtTime() {}, exponentialRampToValueAtTime() {} };
    return { gain, connect: (/** @type {any} */ to) => to };
  }

  createOscillator() {
    const tone = { frequency: 0, start: NaN, stop: NaN };
    this.tones.push(tone);
    return {
      frequency: { set value(/** @type {number} */ hz) { tone.frequency = hz; } },
      connect: (/** @type {any} */ to) => to,
      start: (/** @type {number} */ at) => { tone.start = at; },
      stop: (/** @type {number} */ at) => { tone.stop = at; },
    };
  }
}

/** @param {FakeAudio} audio @param {boolean} [on] */
function setup(audio, on = true) {
  const box = { on, now: 0, made: 0, sound: /** @type {any} */ (null) };
  box.sound = new AlertSound(() => box.on, () => { box.made++; return /** @type {any} */ (audio); }, () => box.now);
  return box;
}

test('without the setting no sound is made, and no audio is opened', () => {
  const box = setup(new FakeAudio('running'), false);
  box.sound.unlock();
  box.sound.play();
  assert.equal(box.made, 0);
});

test('an alert plays two rising notes that end', () => {
  const audio = new FakeAudio('running');
  setup(audio).sound.play();
  const [a, b] = audio.tones;
  assert.equal(audio.tones.length, 2);
  assert.ok(a && b && a.frequency < b.frequency && a.start >= 5 && a.stop <= b.start && b.stop < 6);
});

test('several alerts at once sound once', () => {
  const audio = new FakeAudio('running');
  const box = setup(audio);
  for (let k = 0; k < 3; k++) box.sound.play();
  box.now = 999;
  box.sound.play();
  assert.equal(audio.tones.length, 2);
  box.now = 1000;
  box.sound.play();
  assert.equal(audio.tones.length, 4);
  assert.equal(box.made, 1, 'the audio is opened once');
});

test('audio that the browser holds back plays after a click or key, not what was missed before', async () => {
  const audio = new FakeAudio('suspended');
  audio.resume = async () => {};
  const box = setup(audio);
  box.sound.play();
  assert.equal(audio.tones.length, 0);
  audio.resume = async () => { audio.state = 'running'; };
  box.sound.unlock();
  await Promise.resolve();
  assert.equal(audio.tones.length, 0);
  box.sound.play();
  assert.equal(audio.tones.length, 2);
});

test('a browser without audio shows alerts all the same', () => {
  const sound = new AlertSound(() => true, () => { throw new Error('no device'); });
  sound.play();
  sound.unlock();
});
