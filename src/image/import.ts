/** A tree or an archive of one becomes an image of one layer. */
import { createReadStream, realpathSync, statSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { imageOfOne, type Layer, type Words } from './build.ts';
import { compressionOf, mediaTypeOf, PIECE } from './layer/compressed.ts';
import type { Limits } from './layer/limits.ts';
import { partsOf } from './layer/names.ts';
import { packIntoStore } from './layer/pack.ts';
import { readLayer } from './layer/unpack.ts';
import type { Store } from './store/store.ts';
import type { ContainerConfig, Descriptor } from './types.ts';

/** @param from a folder, a file, or a stream. @returns the manifest's descriptor, which has no name yet. */
export async function importImage(
  store: Store,
  from: string | Readable,
  words: Words,
  config: ContainerConfig,
  limits: Partial<Limits> = {},
): Promise<Descriptor> {
  store.hold();
  const isFolder = typeof from === 'string' && statSync(from).isDirectory();
  const layer = isFolder
    ? await packIntoStore(store, realpathSync(from))
    : await layerFrom(
        store,
        typeof from === 'string' ? createReadStream(from, { highWaterMark: PIECE }) : from,
        limits,
      );
  return imageOfOne(store, layer, words, config);
}

/** Kept as it is, byte for byte. Read once more to its end, as an archive: what is none becomes no layer. */
async function layerFrom(store: Store, raw: Readable, limits: Partial<Limits>): Promise<Layer> {
  const mediaType = mediaTypeOf[await compressionOf(raw)];
  const descriptor = await store.drain(raw, mediaType);
  const look = { entry: ({ path }: { path: string }) => void partsOf(path), data: () => {}, end: () => {} };
  return { descriptor, diffId: await readLayer(store.blobPath(descriptor.digest), look, limits) };
}
