/** What a container of an image needs on disk, and whether it can have it as layers. */

import { chmodSync, chownSync, mkdirSync, type Stats, statSync } from 'node:fs';
import { release } from 'node:os';
import { dirname, join } from 'node:path';
import { isAtLeast } from '../facts/kernel.ts';
import { overlayFacts, takesNoUpper } from '../facts/overlay.ts';
import { namespace, type Spec } from '../oci/spec.ts';
import type { Folder } from '../runtime/containers.ts';
import { MOST_MAPPED } from '../steps/overlay/mount.ts';
import { topmost } from './layer-files.ts';

/** Why this container can't have the layers themselves; undefined if it can. */
export function copyReason(folder: Folder, layers: readonly string[], spec: Spec): string | undefined {
  const data = dirname(dirname(folder.path));
  const type = takesNoUpper(data);
  if (type !== undefined) return `${data} is on a file system (${type}) that takes no upper layer`;
  const kernel = release();
  const { mapsLayers, ownRoot } = overlayFacts();
  const user = namespace(spec, 'user');
  if (process.geteuid?.() !== 0 || ownRoot)
    return isAtLeast(kernel, 5, 11) ? undefined : `kernel ${kernel} mounts layers for root alone`;
  if (!user) return undefined;
  if (user.path !== undefined) return 'the ids of a user namespace that is joined are not known beforehand';
  if (!mapsLayers) return `kernel ${kernel} can't show layers as another user namespace's (6.15 can)`;
  return layers.length < MOST_MAPPED
    ? undefined
    : `${layers.length} layers are too many to be shown as another user namespace's`;
}

/** All that the kernel and this container need, but the layers. */
export function makeFolders(folder: Folder, layers: readonly string[], volumes: readonly string[]): void {
  for (const path of [folder.rootfs, folder.work]) make(path);
  // The uppermost folder's owner and permissions are those that the container's / shows.
  const root = statSync(layers.at(-1) ?? '/');
  for (const path of [folder.upper, folder.init]) make(path, root);
  make(join(folder.init, 'etc'), topmost(layers, 'etc')?.stat);
  // Where everything is mounted on: the layer that is the container's own has it, so that upper needn't.
  for (const name of ['dev', 'proc', 'sys']) make(join(folder.init, name));
  if (volumes.length > 0) make(folder.volumes);
  for (const path of volumes) make(path);
}

function make(path: string, like?: Stats): void {
  mkdirSync(path, { recursive: true });
  // Our own hand still has files to write there, whatever the image's may.
  chmodSync(path, (like?.isDirectory() ? like.mode & 0o7777 : 0o755) | 0o700);
  if (like && process.geteuid?.() === 0) chownSync(path, like.uid, like.gid);
}
