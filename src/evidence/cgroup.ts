/** What the cgroup file systems say: of a process, and of a cgroup given by its directory. Absent is undefined, never 0. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { programPath } from '../facts/programs.ts';
import { mountinfo } from './mountinfo.ts';
import type { Who } from './process.ts';

/** Its path in each tree, by controller as v1 names it; '' is the v2 tree (proc_pid_cgroup(5)). */
export const cgroupPaths = (who: Who): Record<string, string> =>
  parsePaths(readFileSync(`/proc/${who}/cgroup`, 'utf8'));

/**
 * The same as its own cgroup namespace has it: paths are given from the top of the reader's (cgroup_namespaces(7)), so a
 * program of the host's goes into that namespace and reads it there.
 *
 * @returns undefined where the host has no nsenter(1). @throws Error once the process is gone.
 */
export function cgroupPathsInside(pid: number): Record<string, string> | undefined {
  const nsenter = programPath('nsenter');
  if (!nsenter) return undefined;
  const argv = [`--target=${pid}`, '--cgroup', '--', 'cat', `/proc/${pid}/cgroup`];
  return parsePaths(execFileSync(nsenter, argv, { encoding: 'utf8' }));
}

function parsePaths(text: string): Record<string, string> {
  const lines = text.trimEnd().split('\n');
  return Object.fromEntries(
    lines.flatMap((line) => {
      const [, names = '', ...path] = line.split(':');
      return names.split(',').map((name) => [name, path.join(':')] as const);
    }),
  );
}

/**
 * Where the files of its cgroup are that this controller brings: in v1's tree of it, or in v2's.
 *
 * @returns undefined where that tree is not mounted, or its mount does not show that place.
 */
export function directoryOf(who: Who, controller: string): string | undefined {
  const paths = cgroupPaths(who);
  const v1 = controller === '' ? undefined : paths[controller];
  const tree = mountinfo('self').find(({ type, superOptions }) =>
    v1 === undefined ? type === 'cgroup2' : type === 'cgroup' && superOptions.includes(controller),
  );
  const below = tree && relative(tree.root, v1 ?? paths[''] ?? '/');
  return below === undefined || below.startsWith('..') ? undefined : join(tree?.at ?? '', below);
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

/** Whether a cgroup can use swap space beyond its memory: there may be none, or a kernel that doesn't count it (memory.rst, 2.4). */
export function swapSpace(): 'none' | 'limited' | 'unlimited' {
  const [, ...areas] = readFileSync('/proc/swaps', 'utf8').trimEnd().split('\n');
  if (areas.length === 0) return 'none';
  const v1 = 'memory' in cgroupPaths('self');
  const counts = !v1 || text(directoryOf('self', 'memory'), 'memory.memsw.limit_in_bytes') !== undefined;
  return counts ? 'limited' : 'unlimited';
}
