/** @type {Record<string, string>} */
const NAMES = { Edg: 'Edge', Version: 'Safari' };

/** "Chrome 140" from a user agent; '' for an unknown browser. @param {string} agent */
export function browserName(agent) {
  const [, brand = '', version] = /(Edg)\/(\d+)/.exec(agent) ?? /(Firefox|Chrome|Version)\/(\d+)/.exec(agent) ?? []; // Edge's contains Chrome's
  return brand && `${NAMES[brand] ?? brand} ${version}`;
}
