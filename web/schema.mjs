// Generates the decoder of protobuf messages from the schema into web/gen, which is not in the repository. The build, the
// tests and the type check run it first.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
// @ts-expect-error it has no types
import { compileRaw } from 'pbf/compile';
// @ts-expect-error neither has this
import resolve from 'resolve-protobuf-schema';

/** @param {string} root the repository's */
export async function generate(root) {
  const path = `${root}/docs/ticklane.v1.proto`;
  const schema = resolve.sync(path);
  // An optional field is a oneof of a single field (protobuf's "synthetic oneof"); the parser doesn't distinguish it from others.
  const optional = new Set([...(await readFile(path, 'utf8')).matchAll(/^\s*optional \w+ (\w+) =/gm)].map(([, name]) => name));
  for (const { fields } of schema.messages) for (const f of fields) if (optional.has(f.name)) f.oneof = `_${f.name}`;
  await mkdir(`${root}/web/gen`, { recursive: true });
  await writeFile(`${root}/web/gen/ticklane.v1.js`, `// @ts-nocheck\n${compileRaw(schema, { noWrite: true })}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await generate(fileURLToPath(new URL('..', import.meta.url)));
