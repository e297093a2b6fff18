// When rows may change places. Pure.

const MOVED = 2000; // ms after a touch, a key or a leaving pen
const RESTING = 30_000; // ms for which a mouse that rests on the rows keeps them: whoever went away left it there

/** Keeps rows in place under whoever points at them, though never for ever. */
export class HoverHold {
  #until = -Infinity;
  #x = NaN;
  #y = NaN;

  /** A mouse over the rows. A browser tells of one, too, when only the rows moved. @param {number} now ms @param {number} x @param {number} y on the screen */
  mouse(now, x, y) {
    if (x === this.#x && y === this.#y) return;
    this.#x = x;
    this.#y = y;
    this.#until = now + RESTING;
  }

  /** A finger, a pen or a key. @param {number} now ms */
  touch(now) {
    this.#until = Math.max(this.#until, now + MOVED);
  }

  /** The mouse left. */
  leave() {
    this.#x = this.#y = NaN;
    this.#until = -Infinity;
  }

  /** @param {number} now ms */
  over(now) {
    return now >= this.#until;
  }
}
