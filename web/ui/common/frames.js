/**
 * One animation frame paints whatever was asked for since the last one. A hidden page gets no frames, so it paints
 * nothing and costs nothing; the store goes on by itself.
 */
export class Frames {
  #paint;
  #asked = 0;

  /** @param {(now: number) => void} paint now as performance.now() tells it */
  constructor(paint) {
    this.#paint = paint;
  }

  /** Any number of calls in a frame are one. */
  request() {
    this.#asked ||= requestAnimationFrame((now) => {
      this.#asked = 0;
      this.#paint(now);
    });
  }
}
