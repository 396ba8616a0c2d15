/** Removing cgroups that others make for us: engines keep theirs. */
import { readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

/** Empty ones whose path matches, the deepest first; those with processes stay. */
export function removeCgroups(which: RegExp): void {
  for (const path of all()
    .filter((one) => which.test(one))
    .sort()
    .reverse())
    attempt(() => rmdirSync(path));
}

/** Those whose name says that they are of a container. */
export const traces = (id: string): string[] => all().filter((path) => path.includes(id));

function all(): string[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return lines.filter((line) => / - cgroup2? /.test(line)).flatMap((line) => below(line.split(' ')[4] ?? ''));
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
