/** Nobody pays for the network who does not use it: no command's start reaches the client by imports that are always made. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../../src/package-root.ts';

function reachable(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file) || !existsSync(file)) return seen;
  seen.add(file);
  const text = readFileSync(file, 'utf8');
  const imports = text.matchAll(/^(?:import|export) (?!type\b)[^;]*?from '(\.[^']+)';/gms);
  for (const [, to = ''] of imports) reachable(join(dirname(file), to), seen);
  return seen;
}

test.each([
  'src/cli/commands.ts',
  'src/quick.ts',
  'src/oci-cli/main.ts',
  'src/index.ts',
  'src/cli/commands/image/ls.ts',
])('%s', (file) => {
  const all = [...reachable(join(packageRoot, file))].map((path) => relative(packageRoot, path));
  expect(all.length).toBeGreaterThan(0);
  expect(
    all.filter((path) => path.startsWith('src/image/registry/') || path === 'src/cli/transfer.ts'),
  ).toEqual([]);
});

test('it would be seen', () => {
  expect([...reachable(join(packageRoot, 'src/cli/transfer.ts'))].join()).toContain(
    'registry/credentials.ts',
  );
});
