/** The image that a name means, and its layers, unpacked. */
import { closeSync, existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { lock, open } from '../sys/flock.ts';
import { parseDigest } from './store/digest.ts';
import { signOf } from './store/prune.ts';
import { Store } from './store/store.ts';
import type { Image } from './types.ts';

export interface Found {
  readonly image: Image;
  /** Folders, the lowest first. */
  readonly layers: readonly string[];
  /** Their inodes, by which one is known from another of its name. */
  readonly inodes: readonly number[];
}

/** @throws Error if there is none of this name here, or a layer can't be unpacked. */
export async function findImage(name: string): Promise<Found> {
  using store = new Store();
  const image = store.resolve(name);
  const layers = await unpacked(store, image);
  return { image, layers, inodes: layers.map(inodeOf) };
}

/**
 * Whoever has written down that these layers are needed asks this next. A prune that looked before that is over then; from now
 * on none takes one. A lock all the while would do as well, but every start would pay for it: 20 ms (libc.ts).
 *
 * @throws Error if one of them has gone since they were found: what was read of the image may be half of it.
 */
export function stillThere({ image, layers, inodes }: Found): void {
  const store = new Store();
  const partial = existsSync(signOf(store)) ? open(store.partial) : undefined;
  if (partial !== undefined) {
    lock(partial, 'shared');
    closeSync(partial);
  }
  if (layers.every((layer, i) => inodeOf(layer) === inodes[i])) return;
  throw new Error(
    `image ${image.name ?? image.descriptor.digest}: it was removed while the container was made; try again`,
  );
}

const inodeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.ino ?? 0;

/** Layers are made whole or not at all, so that a look is enough for those that are there. */
async function unpacked(store: Store, image: Image): Promise<readonly string[]> {
  const folders = image.config.rootfs.diff_ids.map((id) => {
    const { algorithm, hex } = parseDigest(id);
    return join(store.layers, algorithm, hex);
  });
  if (folders.every((folder) => existsSync(folder))) return folders;
  const { ensureLayers } = await import('./layer/unpack.ts');
  return await ensureLayers(store, image, { note: (text) => console.error(`tslab: note: ${text}`) });
}
