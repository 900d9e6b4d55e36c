// Writes the bundles of page/vendor, each with the licences of what is in it, and Swagger UI to page/docs, as npm has it; with
// --check it compares instead.
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const page = join(here, '../../page');
const check = process.argv.includes('--check');

/** The packages whose code a bundle holds, by esbuild's own account. */
function packagesOf(metafile) {
  const inputs = Object.values(metafile.outputs).flatMap((output) =>
    Object.entries(output.inputs)
      .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
      .map(([path]) => path),
  );
  const names = inputs.map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]).filter(Boolean);
  return [...new Set(names)].sort();
}

async function licenceOf(name) {
  const folder = join(here, 'node_modules', name);
  const { version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  for (const file of ['LICENSE', 'LICENSE.md']) {
    const text = await readFile(join(folder, file), 'utf8').catch(() => undefined);
    if (text) return `${name} ${version} (${license})\n\n${text.trim().replaceAll('\r', '')}\n`;
  }
  throw new Error(`${name} has no licence file`);
}

async function bundle(name) {
  const { outputFiles, metafile } = await build({
    absWorkingDir: here,
    entryPoints: [`${name}.mjs`],
    bundle: true,
    format: 'esm',
    // As the page's own modules.
    target: 'es2022',
    minify: true,
    legalComments: 'none',
    // A regular expression or a word beyond ASCII must not depend on how the file is served.
    charset: 'ascii',
    metafile: true,
    write: false,
  });
  const licences = await Promise.all(packagesOf(metafile).map(licenceOf));
  return {
    [`vendor/${name}.js`]: `// See ${name}.LICENSE.txt; built by tests/bundles/build.mjs.\n${outputFiles[0].text}`,
    [`vendor/${name}.LICENSE.txt`]: licences.join(`\n${'-'.repeat(80)}\n\n`),
  };
}

function packaged(path) {
  return readFile(join(here, 'node_modules', path), 'utf8');
}

/** Where page/docs has a file of the package `swagger-ui-dist`, whose licence wants its notice beside it. */
const SWAGGER_UI = {
  'docs/swagger-ui-bundle.js': 'swagger-ui-bundle.js',
  'docs/swagger-ui-bundle.js.LICENSE.txt': 'swagger-ui-bundle.js.LICENSE.txt',
  'docs/swagger-ui.css': 'swagger-ui.css',
  'docs/LICENSE.txt': 'LICENSE',
  'docs/NOTICE.txt': 'NOTICE',
};

const files = Object.assign({}, ...(await Promise.all(['codemirror', 'jsonc', 'uplot'].map(bundle))), {
  'vendor/uplot.css': await packaged('uplot/dist/uPlot.min.css'),
});
for (const [path, name] of Object.entries(SWAGGER_UI)) files[path] = await packaged(`swagger-ui-dist/${name}`);

let stale = false;
for (const [name, text] of Object.entries(files)) {
  const path = join(page, name);
  if (!check) await writeFile(path, text);
  else if ((await readFile(path, 'utf8').catch(() => '')) !== text) {
    stale = true;
    console.error(`page/${name} is not what tests/bundles/build.mjs gives: run it and commit`);
  }
  console.log(`${name}: ${(Buffer.byteLength(text) / 1024).toFixed(1)} KiB`);
}
const { version } = JSON.parse(await packaged('swagger-ui-dist/package.json'));
if (!(await readFile(join(page, 'docs/index.html'), 'utf8')).includes(`swagger-ui-dist ${version},`)) {
  stale = true;
  console.error(`page/docs/index.html names another version of swagger-ui-dist than ${version}`);
}
if (stale) process.exitCode = 1;
