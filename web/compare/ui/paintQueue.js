/** @import { Result } from '../core/types.js' */
/** @typedef {{ boxes: readonly Element[], paint: (result: Result) => void }} Part */

const MARGIN = '200px'; // around the window, so that a part is painted before it comes into sight

/**
 * Paints the parts of a result, each in a separate animation frame: one task for all of them would delay input and the
 * ticks that the page measures. After its first result, a part of which no box is in sight waits until one is.
 */
export class PaintQueue {
  #parts;
  #frames;
  /** @type {Result | null} */
  #result = null;
  /** @type {Set<Part>} those that have not painted the result */
  #waiting = new Set();
  /** @type {Set<Part>} those that have painted a result */
  #painted = new Set();
  /** @type {Set<Element>} */
  #seen = new Set();

  /** @param {{ parts: readonly Part[], frames: { request: () => void } }} parts */
  constructor({ parts, frames }) {
    this.#parts = parts;
    this.#frames = frames;
    const observer = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) this.#seen[isIntersecting ? 'add' : 'delete'](target);
      if (this.#next()) frames.request();
    }, { rootMargin: MARGIN });
    for (const { boxes } of parts) for (const box of boxes) observer.observe(box);
  }

  /** Replaces the result that the next frames paint. @param {Result} result */
  set(result) {
    this.#result = result;
    for (const p of this.#parts) this.#waiting.add(p);
    this.#frames.request();
  }

  /** Paints one part, to be called in an animation frame. */
  next() {
    const p = this.#next();
    if (!p || !this.#result) return;
    // At the end of the queue next time, so that frequent results do not keep the last parts waiting.
    this.#parts = [...this.#parts.filter((x) => x !== p), p];
    this.#waiting.delete(p);
    this.#painted.add(p);
    p.paint(this.#result);
    if (this.#next()) this.#frames.request();
  }

  /** Paints all parts at once, also those out of sight. @param {Result} result */
  paint(result) {
    this.#waiting.clear();
    for (const p of this.#parts) p.paint(result);
  }

  /** The first part that waits and is in sight, or has never painted. */
  #next() {
    return this.#parts.find((p) => this.#waiting.has(p) && (!this.#painted.has(p) || p.boxes.some((b) => this.#seen.has(b))));
  }
}
