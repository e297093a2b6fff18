/** @import { Message } from '../types.js' */

/**
 * Passes on binary messages with their decoder, in order. The decoder is loaded on demand; messages wait for it.
 * @param {(bytes: Uint8Array, read: (bytes: Uint8Array) => Message | null) => void} take
 * @param {() => void} failed called when the decoder cannot be loaded, for example because the server was updated
 * @returns {{ read: (bytes: Uint8Array) => void, afterwards: (fn: () => void) => void }} afterwards calls a function once all
 *   messages so far were passed on
 */
export function binaryReader(take, failed) {
  /** @type {(() => void)[]} */
  const early = [];
  /** @type {((bytes: Uint8Array) => Message | null) | null} */
  let decode = null;
  import('./protobuf.js').then((module) => {
    decode = module.decode;
    for (const fn of early.splice(0)) fn();
  }, failed);
  const afterwards = (/** @type {() => void} */ fn) => void (decode ? fn() : early.push(fn));
  return { afterwards, read: (bytes) => afterwards(() => take(bytes, /** @type {NonNullable<typeof decode>} */ (decode))) };
}
