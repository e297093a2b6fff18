/** @import { Message } from '../types.js' */

/**
 * Passes on binary messages with their decoder, in order. The decoder is loaded on demand; messages wait for it.
 * @param {(bytes: Uint8Array, read: (bytes: Uint8Array) => Message | null) => void} take
 * @param {() => void} failed called when the decoder cannot be loaded, for example because the server was updated
 * @returns {(bytes: Uint8Array) => void}
 */
export function binaryReader(take, failed) {
  /** @type {Uint8Array[]} */
  const early = [];
  /** @type {((bytes: Uint8Array) => Message | null) | null} */
  let decode = null;
  import('./protobuf.js').then((module) => {
    decode = module.decode;
    for (const bytes of early.splice(0)) take(bytes, decode);
  }, failed);
  return (bytes) => {
    if (decode) take(bytes, decode);
    else early.push(bytes);
  };
}
