/** Mounts of type `cgroup`: the trees as the container sees them, each with its own cgroup as the top. */
import { basename, posix } from 'node:path';
import type { CgroupFacts, Facts } from '../../facts/facts.ts';
import { namespace, type Spec } from '../../oci/spec.ts';
import { attributeFlags } from '../mount-options.ts';
import { type Entry, readEntry } from '../mount-target.ts';
import type { Draft } from '../stage.ts';
import { cgroupDirectories } from './place.ts';

export const isCgroupMount = (type: string | undefined): boolean => type === 'cgroup' || type === 'cgroup2';

/** Shown only to who has a mount namespace; and after the child has entered its cgroup, which becomes the top. */
export function cgroupMounts(spec: Spec, facts: Facts): Draft[] {
  if (!namespace(spec, 'mount')) return [];
  return (spec.mounts ?? []).flatMap(({ type }, i) =>
    isCgroupMount(type) ? cgroupMount(readEntry(spec, i), spec, facts.cgroup) : [],
  );
}

function cgroupMount(entry: Entry, spec: Spec, facts: CgroupFacts): Draft[] {
  const { target } = entry;
  const hierarchies = Map.groupBy(Object.entries(facts.controllers), ([, top]) => top);
  // A host without any still has a kernel that may know v2.
  if (entry.mount.type === 'cgroup2' || hierarchies.size === 0)
    return unifiedTree(entry, target, spec, facts);
  return [
    ...shelf(entry),
    ...[...hierarchies].flatMap(([top, entries]) => {
      const names = entries.map(([name]) => name);
      return hierarchy(entry, `${target}/${basename(top)}`, () => ownIn(top, spec, facts), names, spec);
    }),
    ...(facts.unified === undefined ? [] : unifiedTree(entry, `${target}/unified`, spec, facts)),
  ];
}

function point({ common }: Entry, path: string): Draft {
  return { ...common, kind: 'mountpoint', dir: 'root', path, tolerate: ['EROFS'] };
}

/** v1 has a tree a controller; they stand side by side on a small tmpfs, read-only once all is in it. */
function shelf(entry: Entry): Draft[] {
  const { target, common, options } = entry;
  const here = { ...common, dir: 'root' } as const;
  const flags = options.flags.filter((flag) => flag !== 'MS_RDONLY');
  const tmpfs = { source: 'tmpfs', fstype: 'tmpfs', flags, data: 'mode=755' } as const;
  const late = { ...here, phase: 'masks', kind: 'mount_setattr', path: target } as const;
  return [
    point(entry, target),
    { ...here, kind: 'mount', target, ...tmpfs },
    ...(flags.length < options.flags.length ? [{ ...late, set: ['MOUNT_ATTR_RDONLY'] } as const] : []),
  ];
}

function hierarchy(
  entry: Entry,
  target: string,
  source: () => string,
  names: readonly string[],
  spec: Spec,
): Draft[] {
  const { common, options } = entry;
  const fresh = { source: 'cgroup', fstype: 'cgroup', flags: options.flags, data: names.join(',') };
  const link = { ...common, kind: 'symlink', dir: 'root', target: basename(target) } as const;
  return [
    point(entry, target),
    ...(namespace(spec, 'cgroup')
      ? [{ ...common, kind: 'mount', dir: 'root', target, ...fresh } as const]
      : bound(entry, target, source())),
    // cpu → cpu,cpuacct, where one tree has several controllers.
    ...(names.length === 1 ? [] : names).map(
      (name): Draft => ({ ...link, path: `${entry.target}/${name}`, tolerate: ['EEXIST'] }),
    ),
  ];
}

/**
 * An earlier entry may have brought the host's own tree to that place, as one that binds all of /sys does. The kernel
 * puts no file system on itself (EBUSY), and in a user namespace the one that came with the bind can't be taken away
 * (mount_namespaces(7), locked mounts). So a tmpfs, which nobody will see, lies between the two.
 */
function apart({ index, common, options, target: own }: Entry, target: string, spec: Spec): Draft[] {
  const brought = (spec.mounts ?? []).slice(0, index).some((_, i) => {
    const { options, target: above } = readEntry(spec, i);
    return options.bind === 'rbind' && !posix.relative(above, target).startsWith('..');
  });
  if (!brought || target !== own) return []; // v1's shelf is a tmpfs already
  const tmpfs = { source: 'tmpfs', fstype: 'tmpfs', flags: options.flags };
  return [{ ...common, kind: 'mount', dir: 'root', target, ...tmpfs }];
}

/** In a cgroup namespace a new mount shows what is below its top; without one it would show the host's all. */
function unifiedTree(entry: Entry, target: string, spec: Spec, facts: CgroupFacts): Draft[] {
  const { common, options } = entry;
  const here = { ...common, kind: 'mount', dir: 'root', target, flags: options.flags } as const;
  return [
    point(entry, target),
    ...(namespace(spec, 'cgroup') || facts.unified === undefined
      ? [...apart(entry, target, spec), { ...here, source: 'cgroup', fstype: 'cgroup2' } as const]
      : bound(entry, target, ownIn(facts.unified, spec, facts))),
  ];
}

function bound({ common, options }: Entry, target: string, source: string): Draft[] {
  const { set, clear } = attributeFlags(options.own);
  return [
    { ...common, kind: 'mount', dir: 'root', target, source, flags: ['MS_BIND', 'MS_REC'] },
    { ...common, kind: 'mount_setattr', dir: 'root', path: target, set, clear },
  ];
}

function ownIn(top: string, spec: Spec, facts: CgroupFacts): string {
  const path = spec.linux?.cgroupsPath;
  if (!path || !facts.writable) return top;
  const { unified, controllers } = cgroupDirectories(path, facts);
  const name = Object.keys(facts.controllers).find((one) => facts.controllers[one] === top);
  return (name === undefined ? unified : controllers[name]) ?? top;
}
