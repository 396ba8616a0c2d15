/** Lesson 2: a mount tree of one's own, and a root without a way back. */
import type { Facts } from '../../src/facts/facts.ts';
import { type Mount, namespace, type Spec } from '../../src/oci/spec.ts';
import { isCgroupMount } from '../../src/steps/cgroup/mount.ts';
import { defaultDevices } from '../../src/steps/devices.ts';
import { mountSteps } from '../../src/steps/mounts.ts';
import type { Draft } from '../../src/steps/stage.ts';

export const owns = ['linux.namespaces[mount]', 'mounts', 'root.readonly', 'linux.rootfsPropagation'];

export default function mount(spec: Spec, facts: Facts): Draft[] {
  if (!namespace(spec, 'mount')) return [];
  return [...ownTree(spec), ...mounts(spec, facts), ...ownRoot(spec)];
}

/** A copy of the host's mounts that no longer talks to the original, and the rootfs as a mount in it. */
function ownTree(spec: Spec): Draft[] {
  const propagation = {
    private: 'MS_PRIVATE',
    slave: 'MS_SLAVE',
    shared: 'MS_SHARED',
    unbindable: 'MS_UNBINDABLE',
  } as const;
  const root = spec.root?.path ?? '/';
  return [
    // #region tree
    { at: 'host', phase: 'clone', kind: 'clone', flags: ['CLONE_NEWNS'], field: 'linux.namespaces' },
    // The copy keeps its peer groups (mount_namespaces(7)): until this, what we mount would appear on a host with a shared `/`.
    {
      at: 'child',
      phase: 'mounts',
      kind: 'mount',
      target: '/',
      flags: ['MS_REC', propagation[spec.linux?.rootfsPropagation ?? 'private']],
      field: 'linux.rootfsPropagation',
    },
    // pivot_root(2) wants its new root to be a mount point. A bind mount of the directory on itself is one.
    {
      at: 'child',
      phase: 'mounts',
      kind: 'mount',
      source: root,
      target: root,
      flags: ['MS_BIND', 'MS_REC'],
      field: 'root.path',
    },
    // #endregion
    { at: 'child', phase: 'mounts', kind: 'open', path: root, flags: ['O_PATH', 'O_DIRECTORY'], as: 'root' },
  ];
}

function mounts(spec: Spec, facts: Facts): Draft[] {
  const all = (spec.mounts ?? []).map((mount, i) => ({ mount, field: `mounts[${i}]` }));
  // A proc file system shows the PID namespace of whoever mounts it: with a new one, that is lesson 3's business.
  const others = ({ mount }: { mount: Mount }) => mount.type === 'proc' && namespace(spec, 'pid');
  const ours = all.filter((one) => !others(one) && !isCgroupMount(one.mount)); // cgroups are lesson 9's
  return [
    ...ours.flatMap(({ mount, field }) => mountSteps(mount, field, facts)),
    ...(all.some(({ mount }) => mount.destination === '/dev')
      ? defaultDevices(facts, namespace(spec, 'user') !== undefined)
      : []),
  ];
}

function ownRoot(spec: Spec): Draft[] {
  const common = { at: 'child', phase: 'root', field: 'root.path' } as const;
  return [
    // #region pivot
    { ...common, kind: 'chdir', dir: 'root', path: '.' },
    // Both arguments may be the same: the old root then lies on top of the new one (pivot_root(2), NOTES) …
    { ...common, kind: 'pivot_root', newRoot: '.', putOld: '.' },
    // … until it is taken away, and with it every way back.
    { ...common, kind: 'umount', target: '.', flags: ['MNT_DETACH'] },
    { ...common, kind: 'chdir', path: '/' },
    // #endregion
    ...(spec.root?.readonly
      ? [
          {
            ...common,
            kind: 'mount',
            target: '/',
            flags: ['MS_REMOUNT', 'MS_BIND', 'MS_RDONLY'],
            field: 'root.readonly',
          } as const,
        ]
      : []),
  ];
}
