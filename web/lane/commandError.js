/**
 * A failed change of topics. The code is that of the server's error message; "closed" when the stream ended before the
 * answer, "unknown_conn" when the server no longer has the stream, "network", and "http" for any other status.
 */
export class CommandError extends Error {
  /** @param {string} code @param {string} message */
  constructor(code, message) {
    super(message);
    this.name = 'CommandError';
    this.code = code;
  }
}
