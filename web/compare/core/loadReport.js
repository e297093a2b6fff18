// Reading the JSON of load reports (docs/reports/README.md).

const SCHEMA = 'ticklane.load/2';
const SCHEMA_1 = 'ticklane.load/1';

/**
 * Returns a load report in the current schema. A report of schema 1 gets the new names of the members that the page shows;
 * internal/loadtest/report/schema.go converts all of them.
 * @param {any} report parsed JSON
 * @throws {Error} if it isn't a load report, or one of a later schema
 */
export function upgrade(report) {
  if (report?.schema === SCHEMA) return report;
  if (report?.schema !== SCHEMA_1) throw new Error(`unknown schema "${report?.schema}"; want ${SCHEMA} or ${SCHEMA_1}`);
  const { sides, metrics, ...rest } = report;
  return { ...rest, schema: SCHEMA, variants: sides, metrics: metrics?.map(upgradeMetric) };
}

/** @param {any} metric */
const upgradeMetric = ({ sides, ...rest }) => ({ ...rest, variants: sides });
