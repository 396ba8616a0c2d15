/** The directories that a cgroup path means on this host: one in the v2 tree, one per controller under v1, both when hybrid. */
import { join } from 'node:path';
import type { CgroupFacts } from '../../facts/facts.ts';

/** @param path `linux.cgroupsPath`, such as `/tslab/NAME`. */
export function cgroupDirectories(path: string, facts: CgroupFacts): string[] {
  const tops = [
    ...new Set(Object.values(facts.controllers)),
    ...(facts.unified === undefined ? [] : [facts.unified]),
  ];
  return tops.map((top) => join(top, path));
}
