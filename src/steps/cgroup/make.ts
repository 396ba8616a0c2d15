/** Making a container's cgroup: its directories with what must be in them, its limits, its owner. Before the process exists. */
import type { CgroupFacts, Facts } from '../../facts/facts.ts';
import { namespace, type Resources, type Spec } from '../../oci/spec.ts';
import type { Draft } from '../stage.ts';
import { BPF_CGROUP_DEVICE, BPF_PROG_TYPE_CGROUP_DEVICE } from './device-filter.ts';
import { type CgroupDirectories, SHARED_PARENT, type Tree } from './place.ts';
import { deviceProgram, type Limit, pathOf } from './resources.ts';

const common = { at: 'host', phase: 'prepare', field: 'linux.cgroupsPath' } as const;

/** What v2 counts only while the controller is on: `tslab stats` and a later change of limits want these. */
const counted = ['cpu', 'io', 'memory', 'pids'];

export function makeTree(tree: Tree, facts: CgroupFacts, wanted: readonly Limit[]): Draft[] {
  const [top = '', ...missing] = tree.parents;
  return [
    ...(tree.v2 ? handOut(top, facts, wanted) : []),
    ...missing.flatMap((directory) => [
      parent(directory, top),
      ...cpuset(tree, directory, facts),
      ...(tree.v2 ? handOut(directory, facts, wanted) : []),
    ]),
    // Without tolerance: a directory that is there already is somebody else's.
    {
      ...common,
      kind: 'mkdir',
      path: tree.own,
      mode: 0o755,
      undo: { kind: 'rmdir', path: tree.own },
    },
    ...cpuset(tree, tree.own, facts),
    ...(tree.controllers.includes('freezer') && facts.unified === undefined ? [thawed(tree.own)] : []),
  ];
}

/** What v1's freezer holds can't be killed (freezer-subsystem.rst), so its end has to begin with letting it go. */
function thawed(directory: string): Draft {
  const write = { kind: 'write', path: `${directory}/freezer.state`, data: 'THAWED' } as const;
  return { ...common, ...write, undo: write };
}

/** Goes in the end if we made it and nobody else is in it. The one that all share is tried by all: the last succeeds. */
function parent(path: string, top: string): Draft {
  const shared = path === `${top}/${SHARED_PARENT}`;
  return {
    ...common,
    kind: 'mkdir',
    path,
    mode: 0o755,
    ...(shared ? { parents: true } : { tolerate: ['EEXIST'] }),
    undo: { kind: 'rmdir', path, tolerate: ['EBUSY'] },
  };
}

/** A new v1 cpuset has no CPUs and no memory: nobody could join it (cpuset(7)). */
function cpuset(tree: Tree, directory: string, { cpuset }: CgroupFacts): Draft[] {
  const existed = cpuset && (cpuset.at === directory || cpuset.at.startsWith(`${directory}/`));
  if (!tree.controllers.includes('cpuset') || !cpuset || existed) return [];
  const write = { ...common, kind: 'write' } as const;
  return [
    { ...write, path: `${directory}/cpuset.cpus`, data: cpuset.cpus },
    { ...write, path: `${directory}/cpuset.mems`, data: cpuset.mems },
  ];
}

/** A v2 cgroup has the controllers that the one above hands out (cgroups(7), "cgroup.subtree_control"). */
export function handOut(directory: string, facts: CgroupFacts, wanted: readonly Limit[]): Draft[] {
  const offered = facts.unifiedControllers ?? [];
  const asked = wanted.filter(({ version, controller }) => version === 2 && offered.includes(controller));
  const strict = [...new Set(asked.map(({ controller }) => controller))];
  const others = counted.filter((name) => offered.includes(name) && !strict.includes(name));
  const write = { ...common, kind: 'write', path: `${directory}/cgroup.subtree_control` } as const;
  const plus = (names: readonly string[]) => names.map((name) => `+${name}`).join(' ');
  return [
    ...(strict[0] ? [{ ...write, data: plus(strict), field: asked[0]?.field ?? common.field }] : []),
    // A cgroup that holds processes hands out nothing: then there is less to count.
    ...(others[0] ? [{ ...write, data: plus(others), tolerate: ['EBUSY', 'ENOENT'] }] : []),
  ];
}

export function limitSteps(
  wanted: readonly Limit[],
  resources: Resources,
  directories: CgroupDirectories,
  facts: CgroupFacts,
): Draft[] {
  const filter = deviceProgram(resources, facts);
  return [
    ...wanted.map(
      (limit): Draft => ({
        ...common,
        kind: 'write',
        path: pathOf(limit, directories),
        data: limit.data,
        field: limit.field,
      }),
    ),
    ...(filter && directories.unified !== undefined
      ? [
          {
            ...common,
            kind: 'bpf',
            path: directories.unified,
            type: BPF_PROG_TYPE_CGROUP_DEVICE,
            attach: BPF_CGROUP_DEVICE,
            ...filter,
          } as const,
        ]
      : []),
  ];
}

/**
 * A v2 cgroup that the container may manage itself belongs to its user: when it sees its own cgroup alone, writable
 * (config-linux.md, "Cgroup ownership"). v1 can't be given away safely.
 */
export function ownerSteps(spec: Spec, directories: CgroupDirectories, facts: Facts): Draft[] {
  const { unified } = directories;
  const shown = spec.mounts?.some(
    (mount) =>
      (mount.source === 'cgroup' || mount.type?.startsWith('cgroup')) &&
      mount.destination === '/sys/fs/cgroup' &&
      !mount.options?.includes('ro'),
  );
  const own = namespace(spec, 'cgroup');
  const uid = hostUid(spec, facts);
  if (facts.cgroup.layout !== 'v2' || unified === undefined || !shown || !own || own.path !== undefined)
    return [];
  if (uid === undefined || uid === facts.uid) return [];
  const give = { ...common, kind: 'chown', uid, gid: 0xffff_ffff } as const; // -1: the group stays
  return [
    { ...give, path: unified },
    ...(facts.cgroup.delegate ?? []).map(
      (file): Draft => ({ ...give, path: `${unified}/${file}`, tolerate: ['ENOENT'] }),
    ),
  ];
}

function hostUid(spec: Spec, facts: Facts): number | undefined {
  const uid = spec.process?.user?.uid ?? 0;
  if (!namespace(spec, 'user')) return uid;
  const map = spec.linux?.uidMappings?.find(
    ({ containerID, size }) => uid >= containerID && uid < containerID + size,
  );
  return map ? map.hostID + uid - map.containerID : facts.uid;
}
