/**
 * What a user namespace can't mount, and what shows the same. A file system that shows a namespace can only be mounted
 * by its owner (user_namespaces(7)); of a namespace that is shared with the host, that is the host's root.
 */
import { type Mount, type NamespaceType, namespace, type Spec } from '../oci/spec.ts';
import { isMapped } from './idmap.ts';

/** By type: whose file system it is, and where the host has one that can be bound instead. */
const shown: Readonly<Record<string, { of: NamespaceType; host: string }>> = {
  sysfs: { of: 'network', host: '/sys' },
  mqueue: { of: 'ipc', host: '/dev/mqueue' },
  proc: { of: 'pid', host: '/proc' },
};

/** The config as its user namespace can have it. Itself when nothing is in the way. */
export function withSubstitutes(spec: Spec): Spec {
  if (!namespace(spec, 'user') || !spec.mounts) return spec;
  return { ...spec, mounts: spec.mounts.map((mount) => forUserNamespace(mount, spec)) };
}

export function forUserNamespace(mount: Mount, spec: Spec): Mount {
  const user = namespace(spec, 'user');
  if (!user) return mount;
  const instead = shown[mount.type ?? ''];
  if (instead && !owned(spec, instead.of)) return bound(mount, instead.host);
  return mount.type === 'devpts' ? withoutUnmappedGroup(mount, spec) : mount;
}

/** A new one is owned by the new user namespace; a joined one may be, if both are joined. */
function owned(spec: Spec, type: NamespaceType): boolean {
  const wanted = namespace(spec, type);
  return wanted !== undefined && (wanted.path === undefined || namespace(spec, 'user')?.path !== undefined);
}

/** With all that is mounted below it: what a mount hides must stay hidden (mount_namespaces(7), locked mounts). */
function bound(mount: Mount, source: string): Mount {
  const words = (mount.options ?? []).filter((word) => ['ro', 'nosuid', 'nodev', 'noexec'].includes(word));
  // The host's cgroups, for one, are mounts of their own below its /sys.
  const readonly = words.includes('ro') ? ['rro'] : [];
  const locked = ['nosuid', 'nodev', 'noexec'].filter((word) => !words.includes(word));
  return {
    destination: mount.destination,
    type: 'bind',
    source,
    options: ['rbind', ...readonly, ...words, ...locked],
  };
}

/** Terminals belong to group 5, tty, on most systems. Where there is no group 5, they belong to whoever opens them. */
function withoutUnmappedGroup(mount: Mount, spec: Spec): Mount {
  if (namespace(spec, 'user')?.path !== undefined) return mount;
  const maps = spec.linux?.gidMappings ?? [];
  const options = (mount.options ?? []).filter((word) => {
    const gid = /^gid=(\d+)$/.exec(word)?.[1];
    return gid === undefined || isMapped(maps, Number(gid));
  });
  return { ...mount, options };
}
