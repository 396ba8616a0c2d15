/**
 * A subtree of cgroups for a box: there the learner's plan makes directories and writes limits, and the host's tree shows what
 * came of it. Its top is the box's own cgroup. Given away are that directory and the files that let processes in and hand
 * out controllers (cgroups(7), "Cgroup delegation"); the files with the box's own limits stay the host's root's.
 */
import { basename, join } from 'node:path';
import type { CgroupFacts, Facts } from '../facts/facts.ts';
import type { Mount, Resources } from '../oci/spec.ts';
import type { Step } from '../plan/step.ts';
import { withOrigin } from '../runtime/plan.ts';
import { cgroupDirectories } from '../steps/cgroup/place.ts';
import { kernelSince } from '../steps/cgroup/write.ts';

const TOP = '/sys/fs/cgroup';

/**
 * v1's trees with these controllers alone: their limits hold for all below, whoever owns it. Not its freezer, which holds
 * what it has against SIGKILL, too.
 */
const harmless = ['cpu', 'cpuacct', 'memory', 'pids'];
/** What the stage turns on for a v2 cgroup wherever it is offered. */
const handedOut = ['cpu', 'io', 'memory', 'pids'];

/** The trees as the box sees them, its own cgroup at the top of each; or, where the host has none to give, none that may be written. */
export function cgroupInBox({ cgroup }: Pick<Facts, 'cgroup'>): CgroupFacts {
  const { layout, unified, delegate = [] } = cgroup;
  const controllers = givenOfV1(cgroup).map(([name, top]) => [name, join(TOP, basename(top))]);
  const offered = cgroup.unifiedControllers?.filter((name) => handedOut.includes(name)) ?? [];
  if (!cgroup.writable || (controllers.length === 0 && offered.length === 0))
    return { ...cgroup, writable: false };
  const v1 = controllers.length > 0;
  return {
    layout: v1 ? (unified === undefined ? 'v1' : 'hybrid') : 'v2',
    controllers: Object.fromEntries(controllers),
    ...(unified === undefined
      ? {}
      : { unified: layout === 'v2' ? TOP : join(TOP, 'unified'), unifiedControllers: offered }),
    writable: true,
    base: '/',
    delegate,
  };
}

/** What a container in the box can have limits of, in v1's words where that is the host's version. */
export const controllersInBox = ({
  writable,
  controllers,
  unifiedControllers = [],
}: CgroupFacts): string[] => (writable ? [...Object.keys(controllers), ...unifiedControllers] : []);

/** In the box's config: the trees, to write. */
export const cgroupMount: Mount = {
  destination: TOP,
  type: 'cgroup',
  source: 'cgroup',
  options: ['nosuid', 'noexec', 'nodev', 'relatime'],
};

/** How much of it may be made: who removes it has to come to an end. v1 has no such limit. */
export function bounded(resources: Resources, { kernel, cgroup }: Facts): Resources {
  const hierarchical = cgroup.controllers.memory === undefined || kernelSince(kernel, 5, 11);
  return {
    ...resources,
    // Before, a limit of v1's held for what is below only if that was asked for (memory.rst, "Hierarchy support").
    ...(hierarchical ? {} : { memory: { ...resources.memory, useHierarchy: true } }),
    ...(cgroup.unified === undefined
      ? {}
      : { unified: { 'cgroup.max.descendants': '64', 'cgroup.max.depth': '8' } }),
  };
}

/** By the host, behind the steps that make the box's cgroup. */
export function givenAway(path: string, { uid, cgroup }: Facts, to: number): Step[] {
  if (to === uid) return [];
  const { unified, controllers } = cgroupDirectories(path, cgroup);
  const names = new Set(givenOfV1(cgroup).map(([name]) => name));
  const v1 = Object.entries(controllers).filter(([name]) => names.has(name));
  const give = (directory: string, files: readonly string[]) =>
    ['', ...files].map((file) =>
      withOrigin(
        {
          at: 'host',
          phase: 'prepare',
          kind: 'chown',
          path: join(directory, file),
          uid: to,
          gid: 0xffff_ffff, // -1: the group stays
          tolerate: ['ENOENT'],
        },
        'box',
      ),
    );
  return [
    ...[...new Set(v1.map(([, directory]) => directory))].flatMap((one) =>
      give(one, ['cgroup.procs', 'tasks']),
    ),
    ...(unified === undefined ? [] : give(unified, cgroup.delegate ?? [])),
  ];
}

/**
 * In the box, before the learner's plan: its launcher leaves the top of the v2 tree, which could hand out no controllers
 * while it holds a process (cgroups(7), "no internal processes").
 */
export function stepAside({ unified, writable }: CgroupFacts): Step[] {
  if (!writable || unified === undefined) return [];
  const common = { at: 'host', phase: 'prepare' } as const;
  const path = join(unified, 'launcher');
  return [
    withOrigin({ ...common, kind: 'mkdir', path, mode: 0o755 }, 'box'),
    withOrigin({ ...common, kind: 'write', path: join(path, 'cgroup.procs'), data: '0' }, 'box'),
  ];
}

/** By controller, those whose whole tree may be given. */
function givenOfV1({ controllers }: CgroupFacts): [string, string][] {
  const trees = Map.groupBy(Object.entries(controllers), ([, top]) => top);
  return [...trees.values()].filter((entries) => entries.every(([name]) => harmless.includes(name))).flat();
}
