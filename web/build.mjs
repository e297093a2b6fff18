// Bundles the browser code into public/assets. File names contain a hash of the content, so browsers may cache them
// without limit. manifest.json maps each entry to its URL; it is written last, so that all files it names exist.
import { build } from 'esbuild';
import { access, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { generate } from './schema.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = join(root, 'public/assets');
// Pages in a group share chunks. The dashboard doesn't share any with other pages: the modules of all pages would be in many
// small files, which take more bytes before its first paint.
const groups = [
  ['dashboard.js', 'lane/worker/worker.js', 'css/app.css'],
  ['compare.js', 'reports.js', 'cluster.js', 'docs.js', 'css/compare.css', 'css/reports.css', 'css/cluster.css', 'css/docs.css'],
].map((pages) => pages.map((page) => `web/${page}`));
const entries = groups.flat();
const keep = new Set(['placeholder.txt', 'manifest.json']); // placeholder.txt lets Go embed the folder before a build

/** Ends the build with a message instead of a stack trace. @param {string} why @returns {never} */
function fail(why) {
  console.error(`build: ${why}`);
  process.exit(1);
}

/**
 * Adds uPlot's licence, which must be part of every copy, as a comment that the bundler keeps.
 * @type {import('esbuild').Plugin}
 */
const notices = {
  name: 'notices',
  setup: (b) => b.onLoad({ filter: /[\\/]uplot[\\/]dist[\\/]uPlot\.esm\.js$/ }, async ({ path }) => {
    const [licence, source] = await Promise.all([readFile(join(path, '../../LICENSE'), 'utf8'), readFile(path, 'utf8')]);
    return { contents: `/*! uPlot\n${licence.trim()}\n*/\n${source}`, loader: 'js' };
  }),
};

for (const entry of entries) {
  await access(join(root, entry)).catch(() => fail(`entry ${entry} does not exist`));
}

await generate(root).catch((err) => fail(`docs/ticklane.v1.proto: ${err.message}`));

/** @param {string[]} entryPoints @param {import('esbuild').Plugin[]} plugins */
const bundle = (entryPoints, plugins) => build({
  absWorkingDir: root,
  entryPoints,
  outdir: out,
  entryNames: '[name]-[hash]',
  chunkNames: 'shared-[hash]',
  assetNames: '[name]-[hash]',
  loader: { '.md': 'file', '.svg': 'file', '.woff2': 'file' },
  bundle: true,
  splitting: true,
  minify: true,
  sourcemap: false,
  format: 'esm',
  target: 'es2022',
  plugins,
  legalComments: 'eof',
  metafile: true,
  write: false,
  logLevel: 'warning',
});

/**
 * The modules that a page loads: at once, or also on demand.
 * @param {import('esbuild').Metafile} meta @param {string} page @param {boolean} all @returns {Set<string>}
 */
function modulesOf({ outputs }, page, all) {
  /** @type {Set<string>} */
  const files = new Set();
  const add = (/** @type {string} */ path) => {
    if (files.has(path)) return;
    files.add(path);
    for (const { path: to, kind, external } of outputs[path]?.imports ?? []) if (!external && (all || kind === 'import-statement')) add(to);
  };
  add(Object.keys(outputs).find((path) => outputs[path]?.entryPoint === page) ?? '');
  return new Set([...files].flatMap((file) => Object.keys(outputs[file]?.inputs ?? {})));
}

/**
 * What each module that is loaded on demand finds loaded already: the modules of every page that can load it, by its path.
 * @param {import('esbuild').Metafile} meta @param {string[]} pages
 * @returns {Map<string, string[]>}
 */
function loadedBefore(meta, pages) {
  const before = pages.filter((page) => page.endsWith('.js')).map((page) => ({ all: modulesOf(meta, page, true), loaded: modulesOf(meta, page, false) }));
  /** @type {Map<string, string[]>} */
  const found = new Map();
  for (const { entryPoint } of Object.values(meta.outputs)) {
    if (!entryPoint?.endsWith('.js') || pages.includes(entryPoint)) continue;
    const [first, ...rest] = before.filter(({ all }) => all.has(entryPoint));
    found.set(entryPoint, [...(first?.loaded ?? [])].filter((m) => !pages.includes(m) && rest.every(({ loaded }) => loaded.has(m))));
  }
  return found;
}

/**
 * Lets each module that is loaded on demand import all that is loaded already. Otherwise the bundler makes a file for each
 * combination of modules that share something: many small files before the first paint.
 * @param {Map<string, string[]>} loaded @returns {import('esbuild').Plugin}
 */
const joined = (loaded) => ({
  name: 'joined',
  setup: (b) => b.onLoad({ filter: /\.js$/ }, async ({ path }) => {
    const before = loaded.get(relative(root, path).replaceAll('\\', '/'));
    if (!before) return null;
    const imports = before.map((m) => `import ${JSON.stringify(join(root, m))};\n`);
    return { contents: `${await readFile(path, 'utf8')}\n${imports.join('')}`, loader: 'js' };
  }),
});

const results = await Promise.all(groups.map(async (pages) => {
  const { metafile } = await bundle(pages, [notices]);
  return bundle(pages, [joined(loadedBefore(metafile, pages)), notices]);
})).catch(() => fail('esbuild stopped with the errors above'));

// A worker has no document. A test keeps these folders free of it.
for (const module of results.flatMap((r) => [...modulesOf(r.metafile, 'web/lane/worker/worker.js', true)])) {
  if (!/^(?:web\/(?:lane|model|browser|gen)\/|web\/text\.js$|node_modules\/pbf\/)/.test(module)) fail(`the worker loads ${module}`);
}

await mkdir(out, { recursive: true });
/** @type {Set<string>} */
const written = new Set();
for (const file of results.flatMap((r) => r.outputFiles)) {
  const name = basename(file.path);
  written.add(name);
  await writeFile(join(out, name), file.contents);
  const kb = (/** @type {number} */ n) => `${(n / 1000).toFixed(1)} kB`.padStart(9);
  console.log(`${name.padEnd(28)} ${kb(file.contents.length)}  gzip ${kb(gzipSync(file.contents, { level: 9 }).length)}`);
}

/** @type {Record<string, string>} */
const manifest = {};
for (const [path, { entryPoint }] of results.flatMap((r) => Object.entries(r.metafile.outputs))) {
  if (entryPoint && entries.includes(entryPoint)) manifest[basename(entryPoint)] = `/assets/${basename(path)}`;
}
await writeFile(join(out, 'manifest.json.new'), `${JSON.stringify(manifest, null, 2)}\n`);
await rename(join(out, 'manifest.json.new'), join(out, 'manifest.json'));

for (const name of await readdir(out)) {
  if (!written.has(name) && !keep.has(name)) await rm(join(out, name), { recursive: true });
}
