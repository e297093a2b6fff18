// The SharedWorker of the browser's tabs, which holds one connection for each lane in use.
import { Hub } from './hub.js';

const hub = new Hub();
/** @type {any} */ (self).onconnect = (/** @type {MessageEvent} */ e) => hub.connect(/** @type {any} */ (e.ports[0]));
