/**
 * A failed change of topics. retryAfter is in ms, 0 when the server gave no time. The code is that of the server's error message; "closed" when the stream ended before the
 * answer, "unknown_conn" when the server no longer has the stream, "network", and "http" for any other status.
 */
export class CommandError extends Error {
  /** @param {string} code @param {string} message @param {number} [retryAfter] */
  constructor(code, message, retryAfter = 0) {
    super(message);
    this.name = 'CommandError';
    this.code = code;
    this.retryAfter = retryAfter;
  }
}
