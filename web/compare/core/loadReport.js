// Reads the JSON of load reports (docs/reports/README.md).

const SCHEMA = 'ticklane.load/2';
const SCHEMA_1 = 'ticklane.load/1';

/**
 * Returns a load report in the current schema. In a report of schema 1, the members that the pages show are renamed.
 * @param {any} report parsed JSON
 * @throws {Error} for another schema or no load report
 */
export function upgrade(report) {
  if (report?.schema === SCHEMA) return report;
  if (report?.schema !== SCHEMA_1) throw new Error(`unknown schema "${report?.schema}"; want ${SCHEMA} or ${SCHEMA_1}`);
  const { sides, contrasts, metrics, slots, drills, ...rest } = report;
  return { ...rest, schema: SCHEMA, variants: sides, pairwise: contrasts, metrics: metrics?.map(upgradeMetric), windows: slots?.map(upgradePart), drills: drills?.map(upgradePart) };
}

/** A window or drill. @param {any} part */
const upgradePart = ({ side, ...rest }) => ({ ...rest, variant: side });

/** @param {any} metric */
const upgradeMetric = ({ sides, ...rest }) => ({ ...rest, variants: sides });
