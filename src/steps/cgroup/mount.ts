/** Mounts of type `cgroup`: the trees as the container sees them, each with its own cgroup as the top. */
import { basename, isAbsolute } from 'node:path';
import type { CgroupFacts, Facts } from '../../facts/facts.ts';
import { type Mount, namespace, type Spec } from '../../oci/spec.ts';
import type { Flag } from '../../plan/flags.ts';
import { parseMountOptions } from '../mount-options.ts';
import type { Draft } from '../stage.ts';
import { cgroupDirectories } from './place.ts';

export const isCgroupMount = (mount: Mount): boolean => mount.type === 'cgroup' || mount.type === 'cgroup2';

/** Shown only to who has a mount namespace; and after the child has entered its cgroup, which becomes the top. */
export function cgroupMounts(spec: Spec, facts: Facts): Draft[] {
  if (!namespace(spec, 'mount')) return [];
  return (spec.mounts ?? []).flatMap((mount, i) =>
    isCgroupMount(mount) ? cgroupMount(mount, `mounts[${i}]`, spec, facts.cgroup) : [],
  );
}

function cgroupMount(mount: Mount, field: string, spec: Spec, facts: CgroupFacts): Draft[] {
  const target = isAbsolute(mount.destination) ? mount.destination : `/${mount.destination}`;
  const { flags } = parseMountOptions(mount.options ?? []);
  const hierarchies = Map.groupBy(Object.entries(facts.controllers), ([, top]) => top);
  // A host without any still has a kernel that may know v2.
  if (mount.type === 'cgroup2' || hierarchies.size === 0)
    return [directory(target, field), ...unifiedTree(target, flags, field, spec, facts)];
  return [
    directory(target, field),
    ...shelf(target, flags, field),
    ...[...hierarchies].flatMap(([top, entries]) =>
      hierarchy(`${target}/${basename(top)}`, flags, field, spec, facts, {
        top,
        names: entries.map(([name]) => name),
      }),
    ),
    ...(facts.unified === undefined
      ? []
      : [
          directory(`${target}/unified`, field),
          ...unifiedTree(`${target}/unified`, flags, field, spec, facts),
        ]),
    // Only now, as the directories had to be made in it.
    ...(flags.includes('MS_RDONLY')
      ? [mounted(target, field, { flags: ['MS_REMOUNT', 'MS_BIND', ...flags] })]
      : []),
  ];
}

const common = { at: 'child', phase: 'mounts', dir: 'root' } as const;

function directory(path: string, field: string): Draft {
  return { ...common, kind: 'mkdir', path, mode: 0o755, parents: true, tolerate: ['EROFS'], field };
}

function mounted(
  target: string,
  field: string,
  rest: { source?: string; fstype?: string; flags: readonly Flag<'ms'>[]; data?: string },
): Draft {
  return { ...common, kind: 'mount', target, field, ...rest };
}

/** v1 has a tree a controller; they stand side by side on a small tmpfs. */
function shelf(target: string, flags: readonly Flag<'ms'>[], field: string): Draft[] {
  const writable = flags.filter((flag) => flag !== 'MS_RDONLY');
  return [mounted(target, field, { source: 'tmpfs', fstype: 'tmpfs', flags: writable, data: 'mode=755' })];
}

function hierarchy(
  target: string,
  flags: readonly Flag<'ms'>[],
  field: string,
  spec: Spec,
  facts: CgroupFacts,
  { top, names }: { top: string; names: readonly string[] },
): Draft[] {
  const name = basename(target);
  const shelfPath = target.slice(0, -name.length);
  const fresh = { source: 'cgroup', fstype: 'cgroup', flags, data: names.join(',') };
  return [
    directory(target, field),
    ...(namespace(spec, 'cgroup')
      ? [mounted(target, field, fresh)]
      : bound(target, ownIn(top, spec, facts), flags, field)),
    // cpu → cpu,cpuacct, where one tree has several controllers.
    ...(names.length === 1
      ? []
      : names.map(
          (one): Draft => ({
            ...common,
            kind: 'symlink',
            path: `${shelfPath}${one}`,
            target: name,
            tolerate: ['EEXIST'],
            field,
          }),
        )),
  ];
}

/** In a cgroup namespace a new mount shows what is below its top; without one it would show the host's all. */
function unifiedTree(
  target: string,
  flags: readonly Flag<'ms'>[],
  field: string,
  spec: Spec,
  facts: CgroupFacts,
): Draft[] {
  if (namespace(spec, 'cgroup') || facts.unified === undefined)
    return [mounted(target, field, { source: 'cgroup', fstype: 'cgroup2', flags })];
  return bound(target, ownIn(facts.unified, spec, facts), flags, field);
}

/** MS_BIND ignores the other flags; they need a second call (mount(2), "Creating a bind mount"). */
function bound(target: string, source: string, flags: readonly Flag<'ms'>[], field: string): Draft[] {
  return [
    mounted(target, field, { source, flags: ['MS_BIND', 'MS_REC'] }),
    mounted(target, field, { flags: ['MS_REMOUNT', 'MS_BIND', ...flags] }),
  ];
}

function ownIn(top: string, spec: Spec, facts: CgroupFacts): string {
  const path = spec.linux?.cgroupsPath;
  if (!path || !facts.writable) return top;
  const { unified, controllers } = cgroupDirectories(path, facts);
  const name = Object.keys(facts.controllers).find((one) => facts.controllers[one] === top);
  return (name === undefined ? unified : controllers[name]) ?? top;
}
