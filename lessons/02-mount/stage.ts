/** Lesson 2: a mount tree of one's own, and a root without a way back. */
import type { Facts } from '../../src/facts/facts.ts';
import { LOWER_ANNOTATION, MAP_ROOTFS_ANNOTATION, NO_PIVOT_ANNOTATION } from '../../src/oci/annotations.ts';
import { type Mount, namespace, type Spec } from '../../src/oci/spec.ts';
import { isCgroupMount } from '../../src/steps/cgroup/mount.ts';
import { deviceSteps } from '../../src/steps/devices.ts';
import { joinNamespace } from '../../src/steps/join.ts';
import { mountSteps } from '../../src/steps/mounts.ts';
import { rootPropagation, treePropagation } from '../../src/steps/propagation.ts';
import { mayBeShutOut, treeByHost, treeOfLayers } from '../../src/steps/root-tree.ts';
import type { Draft } from '../../src/steps/stage.ts';
import { hasTree } from '../../src/steps/tree.ts';

export const owns = [
  'linux.namespaces[mount]',
  'mounts',
  'root.readonly',
  'linux.rootfsPropagation',
  'linux.devices',
  'linux.mountLabel',
  `annotations[${NO_PIVOT_ANNOTATION}]`,
  `annotations[${MAP_ROOTFS_ANNOTATION}]`,
];

export default function mount(spec: Spec, facts: Facts): Draft[] {
  const readonly = spec.root?.readonly ? ['root.readonly'] : [];
  if (!hasTree(spec, ['mounts', 'linux.devices', 'linux.rootfsPropagation', ...readonly])) return [];
  const joined = namespace(spec, 'mount')?.path;
  const layered = spec.annotations?.[LOWER_ANNOTATION] !== undefined;
  const own = layered ? treeOfLayers : mayBeShutOut(spec, facts) ? treeByHost : ownTree;
  const tree = joined === undefined ? own(spec, facts) : joinedTree(spec, joined);
  return [...tree, ...mounts(spec, facts), ...deviceSteps(spec, facts), ...newRoot(spec, joined)];
}

/** A copy of the host's mounts that no longer talks to the original, and the rootfs as a mount in it. */
function ownTree(spec: Spec): Draft[] {
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
      flags: ['MS_REC', treePropagation(spec)],
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
    openRoot(root),
  ];
}

/** The tree of others: what the config wants is mounted there, and stays there as long as the namespace does. */
function joinedTree(spec: Spec, path: string): Draft[] {
  return [...joinNamespace('mount', path), openRoot(spec.root?.path ?? '/')];
}

function openRoot(path: string): Draft {
  return { at: 'child', phase: 'mounts', kind: 'open', path, flags: ['O_PATH', 'O_DIRECTORY'], as: 'root' };
}

function mounts(spec: Spec, facts: Facts): Draft[] {
  // A proc file system shows the PID namespace of whoever mounts it, an mqueue the IPC namespace: lessons 3 and 5.
  const others = ({ type }: Mount) =>
    (type === 'proc' && namespace(spec, 'pid')) ||
    (type === 'mqueue' && namespace(spec, 'ipc')) ||
    isCgroupMount(type); // lesson 9's
  return (spec.mounts ?? []).flatMap((mount, i) => (others(mount) ? [] : mountSteps(spec, i, facts)));
}

function newRoot(spec: Spec, joined: string | undefined): Draft[] {
  const common = { at: 'child', phase: 'root', dir: 'root', path: '' } as const;
  const change = joined !== undefined ? chrootInto() : noPivot(spec) ? moveRoot() : pivotRoot();
  return [
    ...change,
    ...(joined === undefined ? rootPropagation(spec) : []).map((type): Draft => {
      const field = 'linux.rootfsPropagation';
      return { ...common, kind: 'mount_setattr', propagation: [type], field };
    }),
    // Of this mount alone, and nothing else of it: what is mounted below has its own flags, and others may be locked.
    ...(spec.root?.readonly
      ? [{ ...common, kind: 'mount_setattr', set: ['MOUNT_ATTR_RDONLY'], field: 'root.readonly' } as const]
      : []),
  ];
}

const inRoot = { at: 'child', phase: 'root', field: 'root.path' } as const;

function pivotRoot(): Draft[] {
  return [
    // #region pivot
    { ...inRoot, kind: 'chdir', dir: 'root', path: '.' },
    // Both arguments may be the same: the old root then lies on top of the new one (pivot_root(2), NOTES) …
    { ...inRoot, kind: 'pivot_root', newRoot: '.', putOld: '.' },
    // … until it is taken away, and with it every way back.
    { ...inRoot, kind: 'umount', target: '.', flags: ['MNT_DETACH'] },
    { ...inRoot, kind: 'chdir', path: '/' },
    // #endregion
  ];
}

const noPivot = (spec: Spec) => spec.annotations?.[NO_PIVOT_ANNOTATION] === 'true';

/** The old root stays, covered: a weaker end, for who can't have the better one. */
function moveRoot(): Draft[] {
  // With a /proc in the tree that hides nothing, anybody's user namespace may have another such (mount_namespaces(7)).
  const revealing = {
    ...inRoot,
    kind: 'umount',
    flags: ['MNT_DETACH'],
    tolerate: ['EINVAL', 'ENOENT'],
  } as const;
  return [
    { ...revealing, target: '/proc' },
    { ...revealing, target: '/sys' },
    { ...inRoot, kind: 'chdir', dir: 'root', path: '.' },
    { ...inRoot, kind: 'mount', source: '.', target: '/', flags: ['MS_MOVE'] },
    ...chrootInto().slice(1),
  ];
}

/** Another root of a joined namespace would be another root for everybody in it (pivot_root(2)). */
function chrootInto(): Draft[] {
  return [
    { ...inRoot, kind: 'chdir', dir: 'root', path: '.' },
    { ...inRoot, kind: 'chroot', path: '.' },
    { ...inRoot, kind: 'chdir', path: '/' },
  ];
}
