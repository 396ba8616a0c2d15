/**
 * Images as one file: an image layout in a tar archive (what skopeo calls oci-archive), and in the same archive the list that `docker load`
 * looks for (docker-archive).
 */
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { REF_NAME } from './store/layout.ts';
import type { Store } from './store/store.ts';
import { END, headerOf, padding } from './tar/writer.ts';
import { type Descriptor, type Image, mediaTypes } from './types.ts';

/** @param to is ended. */
export async function saveImages(store: Store, images: readonly Image[], to: Writable): Promise<void> {
  store.hold();
  const write = async (bytes: Uint8Array): Promise<void> => {
    if (!to.write(bytes)) await once(to, 'drain');
  };
  const document = async (path: string, value: unknown): Promise<void> => {
    const bytes = Buffer.from(JSON.stringify(value));
    for (const piece of [headerFor(path, bytes.length), bytes, padding(bytes.length)]) await write(piece);
  };
  await document('oci-layout', { imageLayoutVersion: '1.0.0' });
  for (const blob of blobsOf(images)) {
    const { digest, size } = blob;
    // With a wrong size its bytes would be read as entries of the archive.
    store.check(blob);
    await write(headerFor(pathOf(digest), size));
    for await (const piece of createReadStream(store.blobPath(digest))) await write(piece as Buffer);
    await write(padding(size));
  }
  await document('index.json', {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: images.map(entryOf),
  });
  await document('manifest.json', images.map(dockerEntryOf));
  await write(END);
  to.end();
  await once(to, 'finish');
}

const pathOf = (digest: string): string => `blobs/${digest.replace(':', '/')}`;

/** Each once. */
const blobsOf = (images: readonly Image[]): Descriptor[] => [
  ...new Map(
    images
      .flatMap(({ descriptor, manifest }) => [descriptor, manifest.config, ...manifest.layers])
      .map((one) => [one.digest, one] as const),
  ).values(),
];

const entryOf = ({ descriptor, name }: Image): Descriptor =>
  name === undefined
    ? descriptor
    : { ...descriptor, annotations: { ...descriptor.annotations, [REF_NAME]: name } };

const dockerEntryOf = ({ name, manifest }: Image) => ({
  Config: pathOf(manifest.config.digest),
  RepoTags: name === undefined || name.includes('@') ? [] : [name],
  Layers: manifest.layers.map(({ digest }) => pathOf(digest)),
});

const headerFor = (path: string, size: number): Buffer =>
  headerOf({
    type: 'file',
    path,
    link: '',
    mode: 0o644,
    uid: 0,
    gid: 0,
    size,
    mtime: { sec: 0, nsec: 0 },
    major: 0,
    minor: 0,
    xattrs: [],
  });
