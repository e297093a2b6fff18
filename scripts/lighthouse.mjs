// Audits the pages of bin/ticklane with Lighthouse, as a phone and as a desktop. Accessibility, best practices and SEO must
// be 100. Performance depends on the machine: it is printed. Usage: node scripts/lighthouse.mjs [page…]
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const VERSION = '12.8.2';
const MUST = ['accessibility', 'best-practices', 'seo'];
const pages = process.argv.length > 2 ? process.argv.slice(2) : ['/', '/compare', '/reports', '/docs'];

const chrome = process.env.CHROME_PATH ?? ['chromium', 'chromium-browser', 'google-chrome'].map((name) => spawnSync('which', [name]).stdout.toString().trim()).find(Boolean);
const server = spawn('bin/ticklane', ['serve', '--server.addr', '127.0.0.1:0', '--lab.enabled=true'], { stdio: ['ignore', 'pipe', 'pipe'] });
const folder = mkdtempSync(join(tmpdir(), 'lighthouse-'));
let failed = false;
try {
  const base = await address();
  for (const preset of ['phone', 'desktop']) {
    for (const page of pages) {
      const file = join(folder, 'report.json');
      const run = spawnSync('npx', ['--yes', `lighthouse@${VERSION}`, base + page, '--quiet', '--output=json', `--output-path=${file}`,
        '--chrome-flags=--headless --no-sandbox', ...(preset === 'desktop' ? ['--preset=desktop'] : [])],
      { env: { ...process.env, ...(chrome && { CHROME_PATH: chrome }) }, encoding: 'utf8' });
      if (run.status !== 0) throw new Error(`lighthouse ${page}: ${run.stderr || run.error}`);
      const { categories, audits } = JSON.parse(readFileSync(file, 'utf8'));
      const score = (name) => Math.round(100 * categories[name].score);
      console.log([preset.padEnd(8), page.padEnd(9), ...Object.keys(categories).map((name) => `${name} ${score(name)}`),
        `blocking ${Math.round(audits['total-blocking-time'].numericValue)} ms`, `shift ${audits['cumulative-layout-shift'].numericValue.toFixed(3)}`].join('  '));
      for (const name of MUST.filter((n) => score(n) < 100)) {
        failed = true;
        for (const { id } of categories[name].auditRefs) if (audits[id].score !== null && audits[id].score < 1) console.error(`  ${name}: ${audits[id].title} (${id})`);
      }
    }
  }
} finally {
  server.kill();
  rmSync(folder, { recursive: true });
}
process.exitCode = failed ? 1 : 0;

/** The address that the server reports. */
async function address() {
  for (const stream of [server.stdout, server.stderr]) stream.setEncoding('utf8');
  const lines = [server.stdout, server.stderr].map((input) => createInterface({ input }));
  return new Promise((resolve, reject) => {
    for (const l of lines) l.on('line', (line) => { const url = /serves on (http:\S+)/.exec(line)?.[1]; if (url) resolve(url); });
    server.on('exit', (code) => reject(new Error(`bin/ticklane ended with ${code}`)));
  });
}
