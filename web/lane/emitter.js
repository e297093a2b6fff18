/**
 * Handlers by event name. An error thrown by a handler is reported as uncaught; the other handlers and the caller go on.
 * @template {{ [K in keyof H]: (...args: any[]) => void }} H
 */
export class Emitter {
  /** @type {Map<keyof H, Set<(...args: any[]) => void>>} */
  #handlers = new Map();

  /**
   * @template {keyof H} K
   * @param {K} name
   * @param {H[K]} fn
   * @returns {() => void} removes the handler
   */
  on(name, fn) {
    let set = this.#handlers.get(name);
    if (!set) this.#handlers.set(name, (set = new Set()));
    const own = /** @type {(...args: any[]) => void} */ ((...args) => fn(...args)); // the same fn may be added twice
    set.add(own);
    return () => void set.delete(own);
  }

  /** @template {keyof H} K @param {K} name @param {Parameters<H[K]>} args */
  emit(name, ...args) {
    for (const fn of this.#handlers.get(name) ?? []) {
      try {
        fn(...args);
      } catch (err) {
        (globalThis.reportError ?? console.error)(err);
      }
    }
  }
}
