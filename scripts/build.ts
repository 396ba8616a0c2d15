/** Bundles what the shims run, so that a start reads a few files instead of a few hundred: src/x.ts becomes dist/x.js. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import standalone from 'ajv/dist/standalone/index.js';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { compiler } from '../src/oci/validator.ts';

const entries = ['src/cli/start.ts', 'src/index.ts', 'src/oci-cli/main.ts'];
/** Goes as one piece to a process that may read no file. */
const alone = ['src/course/evaluate.ts'];
const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
const chunks = join(dist, 'chunks');

// Importing node:process as a module evaluates every getter it has, stdin included: 2 ms of each start. The global is free.
const globalProcess: Plugin = {
  name: 'global-process',
  setup(build) {
    build.onResolve({ filter: /^(node:)?process$/ }, () => ({ path: 'process', namespace: 'global' }));
    build.onLoad({ filter: /.*/, namespace: 'global' }, () => ({
      contents: 'module.exports = globalThis.process',
    }));
  },
};

// Schemas become code here: compiling them would cost a start more than all the rest of it.
const compiledSchemas: Plugin = {
  name: 'compiled-schemas',
  setup(build) {
    build.onLoad({ filter: /src\/oci\/validator\.ts$/ }, () => ({
      contents: standalone.default(compiler({ inlineRefs: false, code: { source: true, esm: true } }), {
        validateConfig: 'config-schema.json',
      }),
      resolveDir: root,
    }));
  },
};

const options = {
  absWorkingDir: root,
  outbase: 'src',
  outdir: dist,
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node24', // the newest that esbuild knows by name
  external: ['koffi'], // finds its native half beside itself
  // What is CommonJS among the bundled packages still says require('node:…').
  banner: {
    js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
  },
  plugins: [globalProcess, compiledSchemas],
  legalComments: 'none',
  logLevel: 'warning',
  write: false,
} as const satisfies BuildOptions;

const existing = (files: string[]) => files.filter((file) => existsSync(join(root, file)));
const outputFiles = [
  ...(await build({ ...options, entryPoints: existing(entries), splitting: true })).outputFiles,
  ...(await build({ ...options, entryPoints: existing(alone) })).outputFiles,
];

// Written beside and renamed: another tslab may be starting from these files at this moment.
for (const { path, contents } of outputFiles) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, contents);
  renameSync(`${path}.new`, path);
}

// A tslab that still runs may yet load its own build's chunks: only those of an earlier day go.
const yesterday = Date.now() - 24 * 3600 * 1000;
for (const name of existsSync(chunks) ? readdirSync(chunks) : []) {
  if (statSync(join(chunks, name)).mtimeMs < yesterday) rmSync(join(chunks, name));
}
