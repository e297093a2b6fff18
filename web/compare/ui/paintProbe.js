/** @typedef {import('../core/side.js').Side} Side */
/** @typedef {import('../../types.js').Quote} Quote */

/**
 * Tells each side which ticks a frame was the first for: all that came since the frame before. It puts the newest on
 * the page, so that the frame has work of the kind that a quote makes; layout and painting after that are the browser's,
 * and the same for both sides.
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

  /** To be called in each frame. @param {readonly [Side, Side]} sides as they are now; a new run has new ones */
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
      // A hidden page has no frames: its ticks were never first shown by one.
      if (m.T !== 'q' || document.visibilityState === 'hidden') return;
      waiting.push(m.i);
      probe.newest = m;
      this.#frames.request();
    });
    this.#probes[side.index] = probe;
  }
}
