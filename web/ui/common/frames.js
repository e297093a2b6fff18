/**
 * Paints at most once per animation frame, when requested. A hidden page gets no frames, so it paints nothing.
 */
export class Frames {
  #paint;
  #requested = 0;

  /** @param {(now: number) => void} paint now: performance.now() */
  constructor(paint) {
    this.#paint = paint;
  }

  request() {
    this.#requested ||= requestAnimationFrame((now) => {
      this.#requested = 0;
      this.#paint(now);
    });
  }
}
