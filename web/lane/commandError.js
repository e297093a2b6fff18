/**
 * A change of topics that didn't happen. Codes: those of the contract's error message; "closed" when the stream ended
 * before the answer, "unknown_conn" when the server no longer has it, "network", and "http" for any other status.
 */
export class CommandError extends Error {
  /** @param {string} code @param {string} message */
  constructor(code, message) {
    super(message);
    this.name = 'CommandError';
    this.code = code;
  }
}
