const TOUCH = 2000; // ms after a touch or a key
const MOUSE = 30_000; // ms after the mouse last moved: it may have been left over the rows

/** Decides how long rows keep their places while the user points at them or moves through them with keys. */
export class HoverHold {
  #until = -Infinity;
  #x = NaN;
  #y = NaN;

  /** Handles a mouse event over the rows. Browsers also send one when only the rows moved, which is ignored. @param {number} now ms @param {number} x @param {number} y on the screen */
  mouse(now, x, y) {
    if (x === this.#x && y === this.#y) return;
    this.#x = x;
    this.#y = y;
    this.#until = now + MOUSE;
  }

  /** Handles a touch, a pen or a key. @param {number} now ms */
  touch(now) {
    this.#until = Math.max(this.#until, now + TOUCH);
  }

  /** Handles the mouse leaving the rows. */
  leave() {
    this.#x = this.#y = NaN;
    this.#until = -Infinity;
  }

  /** Reports whether rows may move. @param {number} now ms */
  over(now) {
    return now >= this.#until;
  }
}
