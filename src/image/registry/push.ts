/** An image from the store to a registry: blobs first, the manifest last, since a registry refuses one whose blobs it hasn't. */
import { fullName, manifestOf, parseReference, type Reference } from '../reference.ts';
import { asManifest } from '../store/shapes.ts';
import type { Store } from '../store/store.ts';
import { type Descriptor, type Image, isManifest } from '../types.ts';
import { type Options, Repository } from './client.ts';
import { RegistryError } from './error.ts';
import { atOnce, type Listener } from './progress.ts';
import { retrying } from './retry.ts';
import { upload } from './upload.ts';

const AT_ONCE = 3;

/** @throws RegistryError; Error if a blob of the image is not in the store. */
export async function push(
  image: Image,
  store: Store,
  reference: Reference,
  options: Options & Listener = {},
): Promise<Descriptor> {
  const { descriptor, manifest } = image;
  if (reference.digest && reference.digest !== descriptor.digest)
    throw new Error(`${fullName(reference)}: the image has the digest ${descriptor.digest}`);
  const blobs = [...new Map([...manifest.layers, manifest.config].map((one) => [one.digest, one])).values()];
  const missing = blobs.find(({ digest }) => !store.has(digest));
  if (missing) throw new Error(`blob ${missing.digest}: it is not in ${store.folder}; pull the image again`);

  const repository = new Repository(reference, 'pull,push', {
    ...options,
    ...(options.note && { say: options.note }),
  });
  const neighbours = findNeighbours(store, reference);
  await atOnce(AT_ONCE, blobs, options.signal, (blob, signal) =>
    upload(repository, store, blob, neighbours.get(blob.digest) ?? [], signal, options),
  );
  await putManifest(repository, reference, descriptor, store.read(descriptor.digest));
  return descriptor;
}

async function putManifest(
  repository: Repository,
  reference: Reference,
  descriptor: Descriptor,
  bytes: Buffer,
) {
  const body = async function* () {
    yield bytes;
  };
  const request = {
    method: 'PUT',
    headers: { 'content-type': descriptor.mediaType },
    body,
    length: bytes.length,
  } as const;
  await retrying(async () => {
    const answer = await repository.ask(`manifests/${manifestOf(reference)}`, request);
    await answer.drop();
    const said = answer.headers.get('docker-content-digest') ?? descriptor.digest;
    if (said !== descriptor.digest)
      throw new RegistryError(`${repository}: it took the manifest ${descriptor.digest} for ${said}`);
  }, repository.retries);
}

/** Which other repositories of that registry may have a blob: those that an image with it was pulled from or pushed to. */
function findNeighbours(store: Store, { registry, repository }: Reference): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { name, manifest } of store.images()) {
    const other = attempt(() => parseReference(name));
    if (!other || other.registry !== registry || other.repository === repository || !isManifest(manifest))
      continue;
    const { config, layers } = attempt(() => asManifest(store.json(manifest))) ?? {
      config: undefined,
      layers: [],
    };
    for (const { digest } of config ? [config, ...layers] : []) {
      const names = found.get(digest) ?? [];
      // A few are enough: each is a question.
      if (!names.includes(other.repository) && names.length < 3)
        found.set(digest, [...names, other.repository]);
    }
  }
  return found;
}

/** An image that is spoilt is no neighbour, and no reason not to push another. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
