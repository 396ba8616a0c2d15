/** An image from a registry into the store. Everything that comes is judged before it is believed; nothing is named before it is whole. */
import { choose } from '../platform.ts';
import { fullName, manifestOf, type Reference } from '../reference.ts';
import { asImageConfig, asIndex } from '../store/shapes.ts';
import type { Store } from '../store/store.ts';
import { type Descriptor, type Image, isIndex, isManifest, type Manifest, type Platform } from '../types.ts';
import { type Document, type Options, parse, Repository } from './client.ts';
import { download } from './download.ts';
import { RegistryError } from './error.ts';
import { checkPlatform, readManifest, refuseForeign, refuseTooMuch, typeOf, verify } from './judge.ts';
import { atOnce, type Listener } from './progress.ts';

export interface PullOptions extends Options, Listener {
  /** As this machine is, if none is given. */
  platform?: Platform | undefined;
  /** Bytes that a layer may have at most. */
  maxSize?: number | undefined;
  /** Throws at an image that is not to have a name. */
  judge?: ((image: Image) => Promise<void>) | undefined;
}

const AT_ONCE = 3;
/** An index may hold indexes; loops can't be made of digests, but long ways can. */
const DEEPEST = 3;

/**
 * @returns the manifest's descriptor; the image bears its full name in the store then.
 * @throws RegistryError; Error for a document that is not as the image-spec has it. Blobs in part stay for a later try.
 */
export async function pull(
  reference: Reference,
  store: Store,
  options: PullOptions = {},
): Promise<Descriptor> {
  const repository = new Repository(reference, 'pull', {
    ...options,
    ...(options.note && { say: options.note }),
  });
  store.hold(); // what is there already shall still be there at the end
  const document = await manifestFor(repository, reference, options);
  const manifest = readManifest(document, repository);
  const config = await pullConfig(repository, store, manifest, options);

  const layers = once(manifest.layers);
  refuseForeign(layers, repository);
  refuseTooMuch(layers, store, options.maxSize);
  await atOnce(AT_ONCE, layers, options.signal, (layer, signal) =>
    download(repository, store, layer, signal, options),
  );

  store.put(config.bytes, manifest.config.mediaType);
  const descriptor = store.put(document.bytes, document.mediaType);
  await options.judge?.(store.image(descriptor));
  store.tag(fullName(reference), descriptor);
  return descriptor;
}

/** @throws RegistryError for a name that is not there, with the tags that are. */
async function manifestFor(
  repository: Repository,
  reference: Reference,
  options: PullOptions,
): Promise<Document> {
  let document: Document;
  try {
    document = await repository.manifest(manifestOf(reference));
  } catch (error) {
    throw error instanceof RegistryError && error.status === 404
      ? await notThere(repository, reference)
      : error;
  }
  for (let depth = 0; ; depth++) {
    const value = parse(document.bytes, `${repository}: its manifest`);
    const mediaType = typeOf(value, document.mediaType, repository);
    if (!isIndex({ mediaType })) return { ...document, mediaType };
    if (depth === DEEPEST)
      throw new RegistryError(`${repository}: an index in an index in an index, and so on`);
    const index = asIndex(value);
    const images = index.manifests.filter((one) => isManifest(one));
    const nested = index.manifests.find((one) => isIndex(one));
    const next =
      images.length > 0 || !nested ? choose({ ...index, manifests: images }, options.platform) : nested;
    document = await repository.manifest(next.digest);
    if (document.bytes.length !== next.size)
      throw new RegistryError(
        `${repository}: ${next.digest} has ${document.bytes.length} bytes; the index says ${next.size}`,
      );
  }
}

/** Small, and asked for first: whatever is wrong with it need not cost a layer. */
async function pullConfig(repository: Repository, store: Store, manifest: Manifest, options: PullOptions) {
  const { digest, size } = manifest.config;
  const bytes = store.has(digest) ? store.read(digest) : await repository.document(digest, size);
  verify(bytes, manifest.config, repository);
  const config = asImageConfig(parse(bytes, `${repository}: its config`));
  const { length } = config.rootfs.diff_ids;
  if (length !== manifest.layers.length)
    throw new RegistryError(
      `${repository}: ${manifest.layers.length} layers, and ${length} diff_ids for them in the config`,
    );
  checkPlatform(config, options, repository);
  return { bytes };
}

const once = (layers: readonly Descriptor[]): Descriptor[] => [
  ...new Map(layers.map((layer) => [layer.digest, layer])).values(),
];

async function notThere(repository: Repository, reference: Reference): Promise<RegistryError> {
  const no = (why: string) =>
    new RegistryError(
      `${repository}: there is no ${reference.digest ? 'manifest' : 'tag'} ${manifestOf(reference)}; ${why}`,
      { status: 404 },
    );
  const tags = await repository.tags().catch(() => undefined);
  if (!tags) return no('nor is there such a repository, or one has to log in for it');
  const some = tags.slice(-20).join(', ');
  return no(`there ${tags.length > 20 ? `are ${tags.length}, among them` : 'are'}: ${some || 'none'}`);
}
