/** @typedef {import('../types.js').Message} Message */

/**
 * Hands over binary messages with their reader, in order. The reader is a file of its own that only who asks for protobuf
 * loads; what comes before it is there waits.
 * @param {(bytes: Uint8Array, read: (bytes: Uint8Array) => Message | null) => void} take
 * @param {() => void} failed the reader could not be loaded, as when the server has meanwhile become another version
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
