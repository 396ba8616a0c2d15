/** The mount tree of a container whose root is nobody on the host, and so may be shut out of the way to its own rootfs. */
import type { Facts } from '../facts/facts.ts';
import { MAP_ROOTFS_ANNOTATION } from '../oci/annotations.ts';
import { type IdMapping, namespace, type Spec } from '../oci/spec.ts';
import { mapText } from './idmap.ts';
import { treePropagation } from './propagation.ts';
import type { Draft } from './stage.ts';

/** Only the host's root maps others than themselves to root: an ordinary user's container may go where they may. */
export const mayBeShutOut = (spec: Spec, facts: Facts): boolean =>
  facts.uid === 0 && spec.root !== undefined && namespace(spec, 'user') !== undefined;

/**
 * The host hand takes a copy of the rootfs's mount, by a path that it may walk; the child puts it where it stands
 * anyway until pivot_root(2). The copy's descriptor is the rootfs from then on.
 */
export function treeByHost(spec: Spec): Draft[] {
  const root = { field: 'root.path' } as const;
  const host = { at: 'host', phase: 'prepare', ...root } as const;
  const child = { at: 'child', phase: 'mounts' } as const;
  return [
    { at: 'host', phase: 'clone', kind: 'clone', flags: ['CLONE_NEWNS'], field: 'linux.namespaces' },
    { ...host, kind: 'open_tree', path: spec.root?.path ?? '/', recursive: true, as: 'root' },
    // Its mounts may be shared with the host's, and what is mounted in the container would appear there.
    { ...host, kind: 'mount_setattr', dir: 'root', path: '', recursive: true, propagation: ['MS_PRIVATE'] },
    ...rootIds(spec),
    ...(mapsRoot(spec) ? [mapped] : []),
    {
      ...child,
      kind: 'mount',
      target: '/',
      flags: ['MS_REC', treePropagation(spec)],
      field: 'linux.rootfsPropagation',
    },
    { ...child, ...root, kind: 'move_mount', fd: 'root', target: '/tmp' },
  ];
}

/** The stage of lesson 10 has made `root` of layers already, and nothing else hangs below it. */
export function treeOfLayers(spec: Spec, facts: Facts): Draft[] {
  const child = { at: 'child', phase: 'mounts' } as const;
  const target = mayBeShutOut(spec, facts) ? '/tmp' : (spec.root?.path ?? '/');
  return [
    { at: 'host', phase: 'clone', kind: 'clone', flags: ['CLONE_NEWNS'], field: 'linux.namespaces' },
    {
      ...child,
      kind: 'mount',
      target: '/',
      flags: ['MS_REC', treePropagation(spec)],
      field: 'linux.rootfsPropagation',
    },
    { ...child, kind: 'move_mount', fd: 'root', target, field: 'root.path' },
  ];
}

/** An engine gives its rootfs to the container's ids itself; one that is anybody's directory is only shown as theirs. */
export const mapsRoot = (spec: Spec): boolean => spec.annotations?.[MAP_ROOTFS_ANNOTATION] === 'true';

const mapField = `annotations[${MAP_ROOTFS_ANNOTATION}]`;

/**
 * The user namespace by whose maps that is done.
 *
 * @param more for maps of more than the container's own ids.
 */
export function rootIds(spec: Spec, more = (maps: readonly IdMapping[]) => maps): Draft[] {
  if (!mapsRoot(spec)) return [];
  const { uidMappings = [], gidMappings = [] } = spec.linux ?? {};
  const maps = { uids: mapText(more(uidMappings)), gids: mapText(more(gidMappings)) };
  return [{ at: 'host', phase: 'prepare', field: mapField, kind: 'userns', ...maps, as: 'root-ids' }];
}

const mapped: Draft = {
  at: 'host',
  phase: 'prepare',
  kind: 'mount_setattr',
  dir: 'root',
  path: '',
  recursive: true,
  set: ['MOUNT_ATTR_IDMAP'],
  userns: 'root-ids',
  field: mapField,
};
