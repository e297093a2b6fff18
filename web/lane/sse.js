import { address, request, retryAfter } from '../browser/http.js';
import { CommandError } from './commandError.js';
import { EVENTS, parse } from './parse.js';
import { refusal } from './refusal.js';
import { renewStream } from './renewStream.js';

/** @import { Connector, ConnectorHooks } from '../types.js' */

/**
 * Opens a stream over Server-Sent Events.
 *
 * The EventSource is closed at its first error, and the feed opens another one with `from`. The browser's own reconnect
 * would repeat the first URL with topics that were since removed, gives up after 204 or 503, and reports neither its next
 * try nor a stalled stream.
 *
 * @param {string} url of /sse/subscribe, with its query
 * @param {ConnectorHooks} hooks
 * @param {{ EventSource: any, fetch: typeof globalThis.fetch }} platform
 * @returns {Connector}
 */
export function connectSSE(url, hooks, { EventSource, fetch }) {
  const source = new EventSource(url);
  const aborter = new AbortController();
  let open = true;

  const close = () => {
    open = false;
    source.close();
    aborter.abort();
  };
  for (const name of EVENTS) {
    source.addEventListener(name, (/** @type {MessageEvent<string>} */ e) => {
      if (open) hooks.text(e.data, () => parse(e.data));
    });
  }
  source.addEventListener('error', () => {
    if (!open) return;
    const gaveUp = source.readyState === 2;
    const ended = ({ why = 'closed', retry = 0 } = {}) => {
      if (!open) return;
      close();
      hooks.closed(why, { gaveUp, ...(retry > 0 && { retry }) });
    };
    if (gaveUp) void refusal(url, { fetch, signal: aborter.signal }).then(ended);
    else ended();
  });

  return {
    lane: 'sse',
    close,
    renew: (conn) => renewStream(url, conn, { fetch }),
    // SSE is one-way, so commands are POST requests. The stream's `subscription` message has the seq of the change.
    async command(action, topics, conn) {
      const target = new URL(`connections/${encodeURIComponent(conn)}`, address(url));
      const failure = () => {
        if (open) return new CommandError('network', 'the server could not be reached');
        return new CommandError('closed', 'the stream ended before the server answered');
      };
      const response = await request(target, {
        fetch, method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ action, topics }),
        signal: aborter.signal,
      }).catch(() => {
        throw failure();
      });
      const answer = (await response.json().catch(() => null)) ?? {};
      if (response.ok && Array.isArray(answer.topics)) return answer;
      if (!open || (response.ok && answer.T !== 'error')) throw failure(); // the response was incomplete
      if (response.status === 404) throw new CommandError('unknown_conn', 'the server no longer knows this stream');
      if (response.status === 429 || response.status === 503) throw new CommandError('rate', answer.msg ?? answer.detail ?? '', retryAfter(response));
      // An error message of the protocol, or a problem (RFC 9457).
      throw new CommandError(answer.code ?? 'http', answer.msg ?? answer.detail ?? answer.title ?? `status ${response.status}`);
    },
  };
}
