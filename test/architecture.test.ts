/** Imports point down the data flow, never up: config → stages → plan; evidence knows no plan. Reads import lines. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');

/** Which folders (or single files) a folder may import from, besides itself. Node's own modules are judged, too. */
const allowed: Record<string, readonly string[]> = {
  'src/plan': [],
  'src/oci': ['node:path', 'node:fs', 'ajv'],
  'src/steps': ['src/plan', 'src/oci', 'src/facts/facts.ts', 'node:path'],
  'src/facts': ['src/oci', 'src/plan', 'node:fs', 'node:os', 'node:path', 'node:child_process'],
  'src/sys': ['src/package-root.ts', 'node:fs', 'node:module', 'node:util'],
  // What no file of /proc tells is read by one of the host's programs.
  // And it calls capabilities by their names, which are a table beside the plan's.
  'src/evidence': [
    'src/facts/programs.ts',
    'src/plan/flags.ts',
    'node:fs',
    'node:path',
    'node:child_process',
  ],
  'src/launch': [
    'src/plan',
    'src/package-root.ts',
    'node:child_process',
    'node:path',
    'node:stream',
    'node:util',
  ],
  'lessons/*/stage.ts': ['src/plan', 'src/oci', 'src/steps', 'src/facts/facts.ts'],
};

function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/^(?:import|export)\b[^;]*?from '([^']+)';/gms)].map(([, name = '']) =>
    name.startsWith('.') ? relative(root, join(root, dirname(file), name)) : name,
  );
}

test.each(Object.entries(allowed))('%s imports only what is below it', (place, below) => {
  const files = globSync(place.endsWith('.ts') ? place : `${place}/**/*.ts`, { cwd: root });
  expect(files.length).toBeGreaterThan(0);
  const own = place.endsWith('.ts') ? [] : [place];
  const strays = files.flatMap((file) =>
    importsOf(file)
      .filter((name) => ![...own, ...below].some((fine) => name === fine || name.startsWith(`${fine}/`)))
      .map((name) => `${file} imports ${name}`),
  );
  expect(strays).toEqual([]);
});

test('images know nothing of who asks for them', () => {
  const files = globSync('src/image/**/*.ts', { cwd: root });
  expect(files.flatMap(importsOf).filter((name) => /^src\/(cli|oci-cli|course|bench)\//.test(name))).toEqual(
    [],
  );
});

/** A check is root, and a container at work may have made any name in its folders a symlink or a FIFO: lab.read and lab.write know. */
test('checks open no file by themselves', () => {
  for (const file of globSync('lessons/*/checks.ts', { cwd: root })) {
    const text = readFileSync(join(root, file), 'utf8');
    const [, names = ''] = /import \{([^}]*)\} from 'node:fs'/.exec(text) ?? [];
    const strays = names.split(',').map((name) => name.trim());
    expect(strays.filter((name) => !['', 'statSync', 'readlinkSync'].includes(name))).toEqual([]);
    expect(text).not.toMatch(/'(node:)?fs\/promises'|\* as \w+ from '(node:)?fs'/);
  }
});
