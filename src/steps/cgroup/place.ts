/** Where a container's cgroup is: one directory in the v2 tree, one per hierarchy under v1, both on a hybrid host. */
import { join } from 'node:path';
import type { CgroupFacts } from '../../facts/facts.ts';
import { PlanError } from '../../plan/error.ts';

/** The container's directory in one tree, and those above it. */
export interface Tree {
  /** v1: the controllers of the hierarchy, such as `cpu` and `cpuacct`, or `name=systemd`. Empty: the v2 tree. */
  readonly controllers: readonly string[];
  readonly v2: boolean;
  /** From the tree's top, which is always there, down to the one above the container's. */
  readonly parents: readonly string[];
  readonly own: string;
}

/** The same by controller, for whoever reads and writes its files. */
export interface CgroupDirectories {
  readonly unified?: string;
  readonly controllers: Readonly<Record<string, string>>;
}

/** Under which a relative path goes. Every container that uses it tries to remove it at its end, the last one succeeds. */
export const SHARED_PARENT = 'tslab';

/**
 * @param path `linux.cgroupsPath`: from a tree's top when absolute (config-linux.md, "Cgroups Path"), else below ours.
 * @throws PlanError for a path that leads elsewhere.
 */
export function treesOf(path: string, facts: CgroupFacts): Tree[] {
  const names = namesIn(path.startsWith('/') ? path : join(facts.base ?? '/', SHARED_PARENT, path), path);
  const base = namesIn(facts.base ?? '/', '/', true);
  const below = (top: string, first: number): Pick<Tree, 'parents' | 'own'> => {
    const directories = names.map((_, i) => join(top, ...names.slice(0, i + 1)));
    const own = directories.pop() as string;
    return { parents: [join(top, ...names.slice(0, first)), ...directories.slice(first)], own };
  };
  const within = base.every((name, i) => names[i] === name) && names.length > base.length;
  const hierarchies = Map.groupBy(Object.entries(facts.controllers), ([, top]) => top);
  return [
    ...[...hierarchies].map(([top, entries]) => ({
      controllers: entries.map(([name]) => name),
      v2: false,
      ...below(top, 0),
    })),
    ...(facts.unified === undefined
      ? []
      : [{ controllers: [], v2: true, ...below(facts.unified, within ? base.length : 0) }]),
  ];
}

/** @throws PlanError like treesOf. */
export function cgroupDirectories(path: string, facts: CgroupFacts): CgroupDirectories {
  return directoriesIn(treesOf(path, facts));
}

export function directoriesIn(trees: readonly Tree[]): CgroupDirectories {
  const unified = trees.find((tree) => tree.v2)?.own;
  return {
    ...(unified === undefined ? {} : { unified }),
    controllers: Object.fromEntries(
      trees.flatMap((tree) => tree.controllers.map((name) => [name, tree.own] as const)),
    ),
  };
}

function namesIn(path: string, asked: string, mayBeTop = false): string[] {
  const names = path.split('/').filter((name) => name !== '');
  const bad = names.find((name) => name === '.' || name === '..' || /[\n\0]/.test(name));
  if (bad !== undefined || asked.split('/').includes('..'))
    throw new PlanError(`linux.cgroupsPath is ${JSON.stringify(asked)}: it can't lead upwards`);
  if (names.length === 0 && !mayBeTop)
    throw new PlanError(`linux.cgroupsPath is ${JSON.stringify(asked)}: the top belongs to the whole host`);
  return names;
}
