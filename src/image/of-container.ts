/** A container of an image, as layers: what it lies on, and what it has changed. */

import {
  IMAGE_ANNOTATION,
  INIT_LAYER_ANNOTATION,
  LOWER_ANNOTATION,
  UPPER_ANNOTATION,
} from '../oci/annotations.ts';
import type { Spec } from '../oci/spec.ts';
import { layerFolder } from './layer/unpack.ts';
import type { Store } from './store/store.ts';
import type { Image } from './types.ts';

export interface Layered {
  /** The image's layers, lowest first. */
  lower: string[];
  /** Where what it has changed lies. */
  upper: string;
}

/** @throws Error if it is not of an image. */
export function layered(id: string, spec: Spec): Layered {
  const {
    [LOWER_ANNOTATION]: lower,
    [UPPER_ANNOTATION]: upper,
    [INIT_LAYER_ANNOTATION]: init,
  } = spec.annotations ?? {};
  if (lower === undefined || upper === undefined)
    throw new Error(`container ${id}: it has no layers: it is not of an image, or has a copy of one`);
  return { lower: (JSON.parse(lower) as string[]).filter((folder) => folder !== init), upper };
}

/** @throws Error if the store has no image of these layers any more. */
export function imageOf(store: Store, id: string, spec: Spec): Image {
  const wanted = layered(id, spec).lower.join('\n');
  const has = (image: Image) =>
    image.config.rootfs.diff_ids.map((diffId) => layerFolder(store, diffId)).join('\n') === wanted;
  const name = spec.annotations?.[IMAGE_ANNOTATION];
  const images = store.images().map((one) => store.image(one.manifest, one.name));
  const found = images.find((image) => image.name === name && has(image)) ?? images.find(has);
  if (found) return found;
  throw new Error(
    `container ${id}: its image ${name ?? ''} is not in ${store.folder} any more; pull it again`,
  );
}
