/** What came from a registry, before anything of it is believed: documents, platforms, and what its layers would cost. */
import { statfsSync } from 'node:fs';
import { ownPlatform } from '../platform.ts';
import { Hasher } from '../store/digest.ts';
import { asManifest } from '../store/shapes.ts';
import type { Store } from '../store/store.ts';
import { type Descriptor, isIndex, isManifest, type Manifest, mediaTypes, type Platform } from '../types.ts';
import { type Document, parse, type Repository } from './client.ts';
import { quoted, RegistryError } from './error.ts';
import type { Listener } from './progress.ts';

const configs: readonly string[] = [mediaTypes.config, mediaTypes.dockerConfig];

/**
 * What kind of document it is. The header, the field and the shape must not say different things, or two readers of the same
 * bytes could see two images (image-spec 1.0.1 added the field for that).
 */
export function typeOf(value: unknown, header: string, repository: Repository): string {
  const { mediaType, manifests, layers, schemaVersion } = (value ?? {}) as Record<string, unknown>;
  if (schemaVersion === 1)
    throw new RegistryError(
      `${repository}: a manifest of schema 1, which says too little about its layers: push it anew with a newer tool`,
    );
  const byShape = manifests === undefined ? mediaTypes.manifest : mediaTypes.index;
  const said = typeof mediaType === 'string' ? mediaType : isKnown(header) ? header : byShape;
  const clear = manifests === undefined || layers === undefined;
  const agree = isIndex({ mediaType: said }) === isIndex({ mediaType: byShape });
  const headerAgrees = !isKnown(header) || isIndex({ mediaType: header }) === isIndex({ mediaType: said });
  if (isKnown(said) && clear && agree && headerAgrees) return said;
  throw new RegistryError(
    `${repository}: a document of type ${quoted(said)} (Content-Type ${quoted(header)}), which is no image`,
  );
}

const isKnown = (mediaType: string): boolean => isIndex({ mediaType }) || isManifest({ mediaType });

export function readManifest({ bytes }: Document, repository: Repository): Manifest {
  const manifest = asManifest(parse(bytes, `${repository}: its manifest`));
  const { mediaType } = manifest.config;
  if (configs.includes(mediaType)) return manifest;
  throw new RegistryError(
    `${repository}: no image of a container, but something of the kind ${quoted(mediaType)}`,
  );
}

const nameOf = ({ os, architecture, variant }: Platform) =>
  [os, architecture, variant].filter(Boolean).join('/');

/** Without an index nobody chose: what was asked for is insisted on, what was not is only told. */
export function checkPlatform(
  config: Platform,
  { platform, note }: { platform?: Platform | undefined } & Listener,
  repository: Repository,
): void {
  const wanted = platform ?? ownPlatform;
  if (config.os === wanted.os && config.architecture === wanted.architecture) return;
  const text = `${repository}: the image is for ${quoted(nameOf(config))}, not for ${nameOf(wanted)}`;
  if (platform) throw new RegistryError(text);
  note?.(text);
}

export function verify(bytes: Buffer, descriptor: Descriptor, repository: Repository): void {
  const hasher = new Hasher(descriptor.digest);
  hasher.update(bytes);
  const digest = hasher.digest();
  if (bytes.length !== descriptor.size || digest !== descriptor.digest)
    throw new RegistryError(
      `${repository}: the config ${descriptor.digest} came as ${digest}, ${bytes.length} bytes`,
    );
}

/** A descriptor may name other places for a layer that may not be passed on. Nobody is asked there: not by a manifest's order. */
export function refuseForeign(layers: readonly Descriptor[], repository: Repository): void {
  const foreign = layers.find(({ mediaType }) => /foreign|nondistributable/.test(mediaType));
  if (foreign)
    throw new RegistryError(
      `${repository}: the layer ${foreign.digest} is to be had elsewhere only (${foreign.mediaType}), and tslab asks nobody else`,
    );
}

/** @param most bytes of a layer. Compressed it may be larger than unpacked, but hardly ever is. */
export function refuseTooMuch(
  layers: readonly Descriptor[],
  store: Store,
  most = Number.POSITIVE_INFINITY,
): void {
  const large = layers.find(({ size }) => size > most);
  if (large) throw new Error(`layer ${large.digest}: ${large.size} bytes, and --max-size is ${most}`);
  const needed = layers.reduce((sum, { digest, size }) => sum + (store.has(digest) ? 0 : size), 0);
  const { bavail, bsize } = statfsSync(store.folder);
  if (needed > bavail * bsize)
    throw new Error(
      `${store.folder}: the layers take ${needed} bytes, and ${bavail * bsize} are free; tslab image prune makes room`,
    );
}
