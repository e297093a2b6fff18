/** @typedef {import('../core/side.js').Side} Side */
/** @typedef {import('../../types.js').Quote} Quote */

/**
 * Records for each side the first frame after each tick's arrival. The frame shows the newest tick, so that it does the work
 * that a quote causes; layout and painting after it are not included.
 */
export class PaintProbe {
  #show;
  #frames;
  /** @type {({ side: Side, off: () => void, waiting: number[], newest: Quote | null } | null)[]} */
  #probes = [null, null];

  /** @param {{ frames: import('../../ui/common/frames.js').Frames, show: (side: 0 | 1, newest: Quote) => void }} parts */
  constructor({ frames, show }) {
    this.#frames = frames;
    this.#show = show;
  }

  /** Called in each frame. @param {readonly [Side, Side]} sides of the current run */
  frame(sides) {
    for (const side of sides) {
      const probe = this.#probes[side.index];
      if (probe?.side !== side) {
        probe?.off();
        this.#follow(side);
      } else if (probe.newest) {
        this.#show(side.index, probe.newest);
        const now = performance.now();
        for (const i of probe.waiting) side.painted(i, now);
        probe.waiting.length = 0;
        probe.newest = null;
      }
    }
  }

  /** @param {Side} side */
  #follow(side) {
    /** @type {number[]} */
    const waiting = [];
    const probe = { side, waiting, newest: /** @type {Quote | null} */ (null), off: () => {} };
    probe.off = side.feed.on('message', (m) => {
      // A hidden page has no frames.
      if (m.T !== 'q' || document.visibilityState === 'hidden') return;
      waiting.push(m.i);
      probe.newest = m;
      this.#frames.request();
    });
    this.#probes[side.index] = probe;
  }
}
