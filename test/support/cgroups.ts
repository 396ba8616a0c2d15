/** Removing cgroups that others make for us: engines keep theirs. */
import { readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

/** Empty ones whose path matches, the deepest first; those with processes stay. */
export function removeCgroups(which: RegExp): void {
  const tops = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => / - cgroup2? /.test(line))
    .map((line) => line.split(' ')[4] ?? '');
  for (const path of tops
    .flatMap(below)
    .filter((one) => which.test(one))
    .sort()
    .reverse())
    attempt(() => rmdirSync(path));
}

function below(dir: string): string[] {
  const inner = attempt(() => readdirSync(dir, { withFileTypes: true })) ?? [];
  return inner
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(dir, entry.name))
    .flatMap((path) => [path, ...below(path)]);
}

function attempt<T>(what: () => T): T | undefined {
  try {
    return what();
  } catch {
    return undefined;
  }
}
