// The texts of alerts.
import { percent, price } from '../../model/formats.js';
import { isPriced, levelPlaces, rearmLevel, rises, stateOf } from '../../model/alerts.js';
import { negative } from '../../model/instruments.js';
import { fromUnits } from '../../model/units.js';
import { t } from '../../text.js';

/** @import { Alert } from '../../model/alerts.js' */

/** @param {Pick<Alert, 'S' | 'kind'>} a @param {number} x */
const figure = (a, x) => (isPriced(a) ? price(x, levelPlaces(a)) : percent(x));

/** An alert's condition, for example "NVDA at 184.00 or above". @param {Pick<Alert, 'S' | 'kind' | 'level' | 'minutes'>} a */
export const condition = (a) => text(a, a.S);

/** An alert's condition without its symbol. @param {Pick<Alert, 'S' | 'kind' | 'level' | 'minutes'>} a */
export const conditionOnly = (a) => text(a, '').trim();

/** @param {Pick<Alert, 'S' | 'kind' | 'level' | 'minutes'>} a @param {string} symbol */
const text = (a, symbol) => t(`alert.is.${a.kind}`, { symbol, level: figure(a, a.level), minutes: String(a.minutes) });

/** Where an alert that is not armed is armed, for example "Re-arms below 230.64". @param {Pick<Alert, 'S' | 'kind' | 'level' | 'n'>} a */
export function armsText(a) {
  const level = figure(a, rearmLevel(a)).replace(/^[▲▼] /, '');
  const again = a.n > 0;
  if (rises(a)) return t(again ? 'alert.rearms.below' : 'alert.arms.below', { level });
  return t(again ? 'alert.rearms.above' : 'alert.arms.above', { level });
}

/** An alert's state, for example "Active". @param {Readonly<Alert>} a */
export function stateText(a) {
  const state = stateOf(a);
  return state === 'waiting' ? armsText(a) : t(`alert.state.${state}`);
}

/** What is wrong with a level, and what to enter. @param {import('../../model/alerts.js').LevelError} error @param {Pick<Alert, 'S' | 'kind'>} a */
export function errorText(error, a) {
  if (error === 'decimals') return t('alert.error.decimals', { n: levelPlaces(a) });
  if (error === 'level' && !negative(a.S)) return t('alert.error.level', { least: price(fromUnits(1, levelPlaces(a)), levelPlaces(a)) });
  return t(error === 'level' ? 'alert.error.number' : 'alert.error.percent');
}
