/** The image that a name means, and its layers, unpacked. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseDigest } from './store/digest.ts';
import { Store } from './store/store.ts';
import type { Image } from './types.ts';

export interface Found {
  readonly image: Image;
  /** Folders, the lowest first. */
  readonly layers: readonly string[];
}

/** @throws Error if there is none of this name here, or a layer can't be unpacked. */
export async function findImage(name: string): Promise<Found> {
  using store = new Store();
  const image = store.resolve(name);
  return { image, layers: await unpacked(store, image) };
}

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
