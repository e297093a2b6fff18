import { address } from '../../browser/http.js';
import { platform } from '../../lane/platform.js';
import { SharedConnections } from '../../lane/sharedConnections.js';

/**
 * The connections that this browser's tabs share through a SharedWorker; null where it is not supported.
 * @param {unknown} url of the worker's script, which contains a hash, so tabs of another build use another worker
 * @param {{ message: number, topics: number }} limits the server's: bytes of a command, topics of a stream
 * @param {boolean} sessions whether the server has sessions
 */
export function shareConnections(url, limits, sessions) {
  if (typeof url !== 'string' || url === '' || globalThis.SharedWorker === undefined) return null;
  const { trustedTypes } = /** @type {any} */ (globalThis);
  const policy = trustedTypes?.createPolicy('ticklane-worker', { createScriptURL: checked });
  const shared = new SharedConnections(() => new SharedWorker(policy ? policy.createScriptURL(url) : checked(url), { type: 'module', name: url }), { ...platform(), commandBytes: limits.message, mostTopics: limits.topics, sessions });
  addEventListener('pagehide', () => shared.release());
  return shared;
}

/** The address of the bundle's worker; other scripts are refused. @param {string} url its path */
function checked(url) {
  if (!/^\/assets\/worker-[A-Z0-9]{8}\.js$/.test(url)) throw new Error(`not the worker: ${url}`);
  return address(url);
}
