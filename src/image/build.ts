/** New images: a manifest and a config are written for layers that are in the store. */
import { ownPlatform } from './platform.ts';
import type { Store } from './store/store.ts';
import {
  type ContainerConfig,
  type Descriptor,
  type Image,
  type ImageConfig,
  type Manifest,
  mediaTypes,
} from './types.ts';

export interface Layer {
  descriptor: Descriptor;
  diffId: string;
}

export interface Words {
  author?: string;
  comment?: string;
  createdBy?: string;
}

/** SOURCE_DATE_EPOCH (reproducible-builds.org): then the same layers give the same image. */
export const now = (): string => {
  const epoch = process.env.SOURCE_DATE_EPOCH;
  return new Date(epoch === undefined ? Date.now() : Number(epoch) * 1000).toISOString();
};

/** One layer, and nothing said about containers of it but what is given. */
export function imageOfOne(store: Store, layer: Layer, words: Words, config: ContainerConfig): Descriptor {
  const base = { ...ownPlatform, config: {}, rootfs: { type: 'layers' as const, diff_ids: [] } };
  return build(store, base, [], layer, words, config);
}

/** The same image with one more layer on top. */
export const imageOnTop = (
  store: Store,
  { manifest, config }: Image,
  layer: Layer,
  words: Words,
  changed: ContainerConfig,
): Descriptor => build(store, config, manifest.layers, layer, words, changed);

function build(
  store: Store,
  base: ImageConfig,
  layers: readonly Descriptor[],
  { descriptor, diffId }: Layer,
  { author, comment, createdBy }: Words,
  changed: ContainerConfig,
): Descriptor {
  const created = now();
  const history = {
    created,
    ...(author === undefined ? {} : { author }),
    ...(createdBy === undefined ? {} : { created_by: createdBy }),
    ...(comment === undefined ? {} : { comment }),
  };
  const config: ImageConfig = {
    ...base,
    created,
    ...(author === undefined ? {} : { author }),
    config: { ...base.config, ...changed },
    rootfs: { type: 'layers', diff_ids: [...base.rootfs.diff_ids, diffId] },
    history: [...(base.history ?? []), history],
  };
  return putImage(store, config, [...layers, descriptor]);
}

/** @returns the manifest's descriptor. */
export function putImage(store: Store, config: ImageConfig | Uint8Array, layers: Descriptor[]): Descriptor {
  const bytes = config instanceof Uint8Array ? config : Buffer.from(JSON.stringify(config));
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: store.put(bytes, mediaTypes.config),
    layers,
  };
  return store.put(Buffer.from(JSON.stringify(manifest)), mediaTypes.manifest);
}
