/** Who hears of whose mounts (mount_namespaces(7), "Shared subtrees"; config-linux.md, "Rootfs Mount Propagation"). */
import type { Spec } from '../oci/spec.ts';
import type { Flag } from '../plan/flags.ts';

/**
 * What the child's copy of the host's tree is made before anything is mounted on it. Nothing ever goes out to the host;
 * whether the host's mounts come in is the config's choice, for the rootfs or for a volume.
 */
export function treePropagation(spec: Spec): 'MS_PRIVATE' | 'MS_SLAVE' {
  const listening = spec.mounts?.some(({ options }) => options?.some((word) => /^r?slave$/.test(word)));
  return listening || spec.linux?.rootfsPropagation === 'slave' ? 'MS_SLAVE' : 'MS_PRIVATE';
}

const atTheEnd = {
  private: ['MS_PRIVATE'],
  slave: ['MS_SLAVE'],
  // A peer group of its own: not the host's, nor one that still listens to the host.
  shared: ['MS_PRIVATE', 'MS_SHARED'],
  unbindable: ['MS_UNBINDABLE'],
} as const satisfies Record<string, readonly Flag<'ms'>[]>;

/** What the rootfs has to become in the end, one after the other. */
export function rootPropagation(spec: Spec): Flag<'ms'>[] {
  return atTheEnd[spec.linux?.rootfsPropagation ?? 'private'].filter(
    (type) => type !== treePropagation(spec),
  );
}
