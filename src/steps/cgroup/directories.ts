/** The directories that a cgroup path means on this host: one in the v2 tree, one per controller under v1, both when hybrid. */
import { join } from 'node:path';
import type { CgroupFacts } from '../../facts/facts.ts';

/** @param path `linux.cgroupsPath`, such as `/tslab/NAME`. */
export function cgroupDirectories(path: string, facts: CgroupFacts): string[] {
  // A new cpuset has no CPUs and no memory, and nobody can join it (cpuset(7)): left alone until somebody asks for CPUs.
  const controllers = Object.entries(facts.controllers).flatMap(([name, top]) =>
    name === 'cpuset' ? [] : [top],
  );
  const tops = [...new Set(controllers), ...(facts.unified === undefined ? [] : [facts.unified])];
  return tops.map((top) => join(top, path));
}
