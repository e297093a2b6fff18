import { platform } from '../../lane/platform.js';
import { SharedConnections } from '../../lane/sharedConnections.js';

/**
 * The connections that this browser's tabs shareConnections, through one worker; null where there is none.
 * @param {unknown} url of the worker's script, whose name holds a hash of it: tabs of another build have another worker
 * @param {number} commandBytes how large a command the server takes
 */
export function shareConnections(url, commandBytes) {
  if (typeof url !== 'string' || url === '' || globalThis.SharedWorker === undefined) return null;
  const { trustedTypes } = /** @type {any} */ (globalThis);
  const policy = trustedTypes?.createPolicy('ticklane-worker', { createScriptURL: (/** @type {string} */ s) => own(s) });
  const shared = new SharedConnections(() => new SharedWorker(policy ? policy.createScriptURL(url) : own(url), { type: 'module', name: url }), { ...platform(), commandBytes });
  addEventListener('pagehide', () => shared.release());
  return shared;
}

/** Only what the server built. @param {string} url */
function own(url) {
  if (!/^\/assets\/worker-[A-Z0-9]{8}\.js$/.test(url)) throw new Error(`not the worker: ${url}`);
  return url;
}
