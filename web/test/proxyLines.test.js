// The lines that the page shows against the faults of proxies are in docs/proxies.md, in the section of the fault. Those with times
// are in the files of deploy/proxies, too.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { proxyLines } from '../lane/proxyLines.js';
import { read } from './sources.js';

const sections = new Map(read('docs/proxies.md').split('\n## ').map((text) => [text.split('\n', 1)[0], text]));

const files = { nginx: 'nginx.conf', Apache: 'apache.conf', HAProxy: 'haproxy.cfg', Caddy: 'Caddyfile', Varnish: 'varnish.vcl' };

test('the files of deploy/proxies have the times', () => {
  for (const [proxy, lines] of Object.entries(proxyLines.timeout)) {
    const file = read(`deploy/proxies/${files[/** @type {keyof typeof files} */ (proxy)]}`);
    for (const line of lines) assert.ok(file.includes(line), `${proxy}: no ${line}`);
  }
});

for (const [fault, proxies] of Object.entries(proxyLines)) {
  test(`docs/proxies.md has the lines against the fault ${fault}`, () => {
    const section = sections.get(fault[0]?.toUpperCase() + fault.slice(1)) ?? '';
    for (const [proxy, lines] of Object.entries(proxies)) {
      const row = section.split('\n').find((line) => line.startsWith('| ') && (line.split('|')[1] ?? '').includes(proxy));
      assert.ok(row, `no row for ${proxy}`);
      // The page's lines are whole; the document has the parameters of ProxyPass alone.
      for (const line of lines) assert.ok(row.replaceAll('`', '').includes(line.replace(/^ProxyPass … /, '')), `${proxy}: ${line} is not in ${row}`);
    }
  });
}
