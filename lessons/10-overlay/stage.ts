/** Lesson 10: a root of layers that many share, with a thin one on top for what this container changes. */
import type { Facts, OverlayFacts } from '../../src/facts/facts.ts';
import { MAP_ROOTFS_ANNOTATION } from '../../src/oci/annotations.ts';
import { namespace, type Spec } from '../../src/oci/spec.ts';
import { PlanError } from '../../src/plan/error.ts';
import { withMounter } from '../../src/steps/overlay/ids.ts';
import { byDescriptor, byShortNames } from '../../src/steps/overlay/mount.ts';
import { type Layers, layersOf, overlayFields } from '../../src/steps/overlay/spec.ts';
import { mapsRoot, rootIds } from '../../src/steps/root-tree.ts';
import type { Draft } from '../../src/steps/stage.ts';
import { hasTree } from '../../src/steps/tree.ts';

export const owns = overlayFields;

export default function overlay(spec: Spec, facts: Facts): Draft[] {
  const layers = layersOf(spec);
  if (!layers || !hasTree(spec, overlayFields)) return [];
  if (namespace(spec, 'mount')?.path !== undefined)
    throw new PlanError(`config: ${overlayFields[0]}: layers need a new mount namespace, not a joined one`);
  const able = facts.overlay ?? { byDescriptor: false, mapsLayers: false, ownRoot: false };
  const asRoot = facts.uid === 0 && !able.ownRoot;
  const hand = asRoot && able.byDescriptor ? byHost : byChild;
  return [...hand(spec, layers, able, asRoot), ...workingDirectory(spec, layers)];
}

/**
 * The host hand, where it may: the host's root reads all attributes of layers, and walks paths that the container's
 * root can't. What it makes is mounted nowhere, and so appears nowhere.
 */
function byHost(spec: Spec, layers: Layers, { mapsLayers }: OverlayFacts): Draft[] {
  if (mapsRoot(spec) && !mapsLayers) return unmappable();
  const mapped = mapsRoot(spec) ? { mapped: 'root-ids' } : {};
  const common = { at: 'host', phase: 'prepare' } as const;
  return [...rootIds(spec, withMounter), ...byDescriptor(layers, common, { userxattr: false, ...mapped })];
}

function byChild(spec: Spec, layers: Layers, able: OverlayFacts, asRoot: boolean): Draft[] {
  if (mapsRoot(spec)) return unmappable();
  // Of a namespace that is not the first one's, the child can't read trusted attributes either (xattr(7)).
  const making = { userxattr: !asRoot || namespace(spec, 'user') !== undefined };
  return able.byDescriptor
    ? byDescriptor(layers, { at: 'child', phase: 'layers' }, making)
    : byShortNames(spec, layers, making);
}

function unmappable(): never {
  throw new PlanError(
    `annotations[${MAP_ROOTFS_ANNOTATION}]: layers can be shown as those of other ids since Linux 6.15, by the host's root`,
  );
}

/** An image may name a directory that it doesn't have. Where nothing can be changed, that it is missing is found later. */
function workingDirectory(spec: Spec, { upper }: Layers): Draft[] {
  const path = spec.process?.cwd ?? '/';
  if (upper === undefined || path === '/') return [];
  const common = { at: 'child', phase: 'mounts', field: 'process.cwd' } as const;
  return [{ ...common, kind: 'mkdir', dir: 'root', path, mode: 0o755, parents: true, tolerate: ['EEXIST'] }];
}
