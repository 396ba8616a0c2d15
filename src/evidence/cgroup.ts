/** What the cgroup file systems say: of a process, and of a cgroup given by its directory. Absent is undefined, never 0. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Who } from './process.ts';

/** Its path in each tree, by controller as v1 names it; '' is the v2 tree (proc_pid_cgroup(5)). */
export function cgroupPaths(who: Who): Record<string, string> {
  const lines = readFileSync(`/proc/${who}/cgroup`, 'utf8').trimEnd().split('\n');
  return Object.fromEntries(
    lines.flatMap((line) => {
      const [, names = '', ...path] = line.split(':');
      return names.split(',').map((name) => [name, path.join(':')] as const);
    }),
  );
}

/** The text without its last newline. */
export function text(directory: string | undefined, file: string): string | undefined {
  if (directory === undefined) return undefined;
  try {
    return readFileSync(join(directory, file), 'utf8').trimEnd();
  } catch {
    return undefined; // no such file under this version, or the cgroup is gone
  }
}

/** A single number; `max`, no limit, is undefined. */
export function number(directory: string | undefined, file: string): number | undefined {
  const found = text(directory, file);
  return found === undefined || !/^-?\d+$/.test(found) ? undefined : Number(found);
}

/** Lines of `key value` (cgroup-v2.rst, "Flat keyed"). */
export function keyed(directory: string | undefined, file: string): Record<string, number> | undefined {
  const found = text(directory, file);
  if (found === undefined) return undefined;
  return Object.fromEntries(
    found
      .split('\n')
      .map((line) => line.split(' '))
      .filter(([, value]) => value !== undefined && /^\d+$/.test(value))
      .map(([key, value]) => [key, Number(value)]),
  );
}

/** The processes in it and in all cgroups below it, as this PID namespace numbers them. */
export function members(directory: string): number[] {
  const own = (text(directory, 'cgroup.procs') ?? '').split('\n').filter((line) => line !== '');
  return [...own.map(Number), ...below(directory).flatMap(members)];
}

function below(directory: string): string[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(directory, name));
  } catch {
    return [];
  }
}

/** How many processes the kernel has killed for want of memory, in it and below (memory.events; v1: memory.oom_control). */
export function oomKills(directory: string | undefined): number | undefined {
  return (keyed(directory, 'memory.events') ?? keyed(directory, 'memory.oom_control'))?.oom_kill;
}
