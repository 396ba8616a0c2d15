/** Bundles what the shims run, so that a start reads a few files instead of a few hundred: src/x.ts becomes dist/x.js. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import standalone from 'ajv/dist/standalone/index.js';
import { type BuildOptions, build, type Plugin, transformSync } from 'esbuild';
import { compiler } from '../src/oci/validator.ts';

const entries = ['src/cli/start.ts', 'src/oci-cli/start.ts', 'src/index.ts', 'src/checks.ts'];
/** Run by processes of their own: one that may read no other file, one in another mount namespace, one in a user namespace. */
const alone = ['src/course/evaluate.ts', 'src/bench/stopwatch.ts', 'src/image/layer/own-root-program.ts'];
/** Goes as one script into the start-up snapshot (scripts/snapshot). */
const quick = 'src/quick.ts';
const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
const chunks = join(dist, 'chunks');

/**
 * An import of one of Node's own modules evaluates every getter that it has, for the sake of named exports: stdin in node:process,
 * streams and promises in node:fs, diffs in node:util, 5 ms of each start. The module by itself costs only what is used.
 */
function withoutFacades(code: string): string {
  const builtin = (name: string) => `globalThis.process.getBuiltinModule("${name}")`;
  return code
    .replace(
      /^import (?:\* as )?(\w+)?(?:, )?(\{[^}]*\})? from "([\w:/]+)";$/gm,
      (line, whole: string | undefined, named: string | undefined, name: string) => {
        if (!isBuiltin(name)) return line;
        const parts = [whole, named?.replaceAll(/ as /g, ': ')].filter((part) => part !== undefined);
        return parts.map((part) => `const ${part} = ${builtin(name)};`).join(' ');
      },
    )
    .replace(/\bimport\("(node:[\w/]+)"\)/g, (_, name: string) => `Promise.resolve(${builtin(name)})`);
}

/** It goes to its process as one argument, and the kernel takes 128 KiB, its end included (execve(2), MAX_ARG_STRLEN). */
const asArgument = join(dist, 'course/evaluate.js');
const MAX_ARGUMENT = 131_072;

function small(code: string): string {
  const minified = transformSync(code, { minify: true, format: 'esm', target: 'node24' }).code;
  const size = Buffer.byteLength(minified);
  if (size >= MAX_ARGUMENT)
    throw new Error(
      `${asArgument} has ${size} bytes, an argument ${MAX_ARGUMENT} at most: src/course/stage-library.ts exports too much`,
    );
  return minified;
}

// marked-terminal loads 190 languages' grammars for colours in code blocks: 30 ms of each command that prints Markdown.
const highlightWhenAsked: Plugin = {
  name: 'highlight-when-asked',
  setup(build) {
    build.onResolve({ filter: /^cli-highlight$/ }, ({ namespace }) =>
      namespace === 'asked' ? undefined : { path: 'cli-highlight', namespace: 'asked' },
    );
    build.onLoad({ filter: /./, namespace: 'asked' }, () => ({
      contents: "export const highlight = (...of) => require('cli-highlight').highlight(...of);",
      resolveDir: root,
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
    js: "import { createRequire as requireOfBundle } from 'node:module'; const require = requireOfBundle(import.meta.url);",
  },
  plugins: [highlightWhenAsked, compiledSchemas],
  legalComments: 'none',
  logLevel: 'warning',
  write: false,
} as const satisfies BuildOptions;

/**
 * The snapshot keeps compiled code, and no state: what modules find out when they are loaded (who asks, where tslab lies, the
 * environment) is found out at each start, because they are loaded anew then, by this function.
 */
const snapshot = {
  ...options,
  entryPoints: [quick],
  format: 'iife',
  globalName: 'quick',
  define: { 'import.meta.dirname': 'directory' },
  external: [...options.external, './*/checks.ts'], // the checks are for the course alone
  // Nothing in a snapshot may import() (Node knows no loader there): a koffi, some day, is required from beside the bundle.
  supported: { 'dynamic-import': false },
  banner: {
    js: `const load = (directory) => {
const require = (name) => process.getBuiltinModule(name) ?? process.getBuiltinModule('module').createRequire(directory + '/')(name);`,
  },
  footer: {
    js: `return quick; };
const { dirname } = process.getBuiltinModule('path');
const { realpathSync } = process.getBuiltinModule('fs');
const { startupSnapshot } = process.getBuiltinModule('v8');
const here = () => dirname(realpathSync(process.argv[1]));
load(here()).rehearse().finally(() => { process.exitCode = undefined; });
startupSnapshot.setDeserializeMainFunction(() => load(here()).start(process.argv[1]));`,
  },
} as const satisfies BuildOptions;

const existing = (files: string[]) => files.filter((file) => existsSync(join(root, file)));
const outputFiles = [
  ...(await build({ ...options, entryPoints: existing(entries), splitting: true })).outputFiles,
  ...(await build({ ...options, entryPoints: existing(alone) })).outputFiles,
  ...(await build(snapshot)).outputFiles,
];

// Written beside and renamed: another tslab may be starting from these files at this moment.
for (const { path, text } of outputFiles) {
  mkdirSync(dirname(path), { recursive: true });
  const code = withoutFacades(text);
  writeFileSync(`${path}.new`, path === asArgument ? small(code) : code);
  renameSync(`${path}.new`, path);
}

// A tslab that still runs may yet load its own build's chunks: only those of an earlier day go.
const yesterday = Date.now() - 24 * 3600 * 1000;
for (const name of existsSync(chunks) ? readdirSync(chunks) : []) {
  if (statSync(join(chunks, name)).mtimeMs < yesterday) rmSync(join(chunks, name));
}
