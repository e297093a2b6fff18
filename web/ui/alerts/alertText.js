// The texts of alerts.
import { percent, price } from '../../model/formats.js';
import { rearmLevel, rises, stateOf } from '../../model/alerts.js';
import { t } from '../../text.js';

/** @import { Alert } from '../../model/alerts.js' */

const figure = (/** @type {string} */ kind, /** @type {number} */ x) => (kind === 'above' || kind === 'below' ? price(x) : percent(x));

/** An alert's condition, for example "NVDA at 184.00 or above". @param {Pick<Alert, 'S' | 'kind' | 'level' | 'minutes'>} a */
export const condition = ({ S, kind, level, minutes }) => t(`alert.is.${kind}`, { symbol: S, level: figure(kind, level), minutes: String(minutes) });

/** An alert's condition without its symbol. @param {Pick<Alert, 'kind' | 'level' | 'minutes'>} a */
export const conditionOnly = (a) => condition({ ...a, S: '' }).trim();

/** Where an alert that is not armed is armed, for example "Re-arms below 230.64". @param {Pick<Alert, 'kind' | 'level' | 'n'>} a */
export function armsText(a) {
  const level = figure(a.kind, rearmLevel(a)).replace(/^[▲▼] /, '');
  const again = a.n > 0;
  if (rises(a)) return t(again ? 'alert.rearms.below' : 'alert.arms.below', { level });
  return t(again ? 'alert.rearms.above' : 'alert.arms.above', { level });
}

/** An alert's state, for example "Active". @param {Readonly<Alert>} a */
export function stateText(a) {
  const state = stateOf(a);
  return state === 'waiting' ? armsText(a) : t(`alert.state.${state}`);
}
