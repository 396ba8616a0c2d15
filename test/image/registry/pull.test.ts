/** Pulling from a real registry what skopeo put there. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { parsePlatform } from '../../../src/image/platform.ts';
import { parseReference } from '../../../src/image/reference.ts';
import { pull } from '../../../src/image/registry/pull.ts';
import { Store } from '../../../src/image/store/store.ts';
import {
  blobsOf,
  hasRegistry,
  hasSkopeo,
  json,
  makeSample,
  type RealRegistry,
  type Sample,
  sendTo,
  skopeo,
  startRegistry,
  temporaryFolder,
} from '../../support/registry.ts';

const folder = temporaryFolder();
let registry: RealRegistry;
let sample: Sample;
let count = 0;
const newStore = () => new Store(join(folder.path, `store-${++count}/images`));

beforeAll(async () => {
  if (!hasRegistry || !hasSkopeo) return;
  registry = await startRegistry(join(folder.path, 'registry'));
  sample = makeSample(join(folder.path, 'sample'), [100_000, 3_000_000, 10]);
  await sendTo(registry.host, 'some/app:1', sample);
});
beforeEach((ctx) => {
  ctx.skip(!hasRegistry, 'needs docker-registry');
  ctx.skip(!hasSkopeo, 'needs skopeo');
});
afterAll(async () => {
  await registry?.[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

test('an image by its tag: every blob under its digest, and the manifest byte for byte', async () => {
  using store = newStore();
  const descriptor = await pull(parseReference(`${registry.host}/some/app:1`), store);
  expect(descriptor.digest).toBe(sample.digest);
  expect(store.read(descriptor.digest)).toEqual(sample.manifest);
  const blobs = blobsOf(store.folder);
  for (const { digest } of sample.layers) expect(blobs.get(digest)).toBe(digest);
  for (const [name, is] of blobs) expect(is).toBe(name);
  expect(store.images()).toEqual([{ name: `${registry.host}/some/app:1`, manifest: descriptor }]);
  expect(readdirSync(store.partial)).toEqual([]);
});

test('a layer that is larger than it may be is not fetched, and an image that is refused gets no name', async () => {
  using store = newStore();
  const reference = parseReference(`${registry.host}/some/app:1`);
  await expect(pull(reference, store, { maxSize: 1_000_000 })).rejects.toThrow(
    /^layer sha256:.* and --max-size is 1000000$/,
  );
  const fetched = [...blobsOf(store.folder).keys()];
  expect(sample.layers.filter(({ digest }) => fetched.includes(digest))).toEqual([]);
  const judge = async () => {
    throw new Error('no');
  };
  await expect(pull(reference, store, { judge })).rejects.toThrow('no');
  expect(store.images()).toEqual([]);
});

test('skopeo reads the store as the OCI layout that it is', async () => {
  using store = newStore();
  await pull(parseReference(`${registry.host}/some/app:1`), store);
  const said = JSON.parse(await skopeo('inspect', `oci:${store.folder}:${registry.host}/some/app:1`));
  expect(said.Digest).toBe(sample.digest);
  expect(said.Layers).toEqual(sample.layers.map(({ digest }) => digest));
});

test('docker’s own media types', async () => {
  const to = `docker://${registry.host}/some/app:docker`;
  await skopeo(
    'copy',
    '-q',
    '--format',
    'v2s2',
    '--dest-tls-verify=false',
    `oci:${sample.layout}:latest`,
    to,
  );
  using store = newStore();
  const { digest, mediaType } = await pull(parseReference(`${registry.host}/some/app:docker`), store);
  expect(mediaType).toBe('application/vnd.docker.distribution.manifest.v2+json');
  const said = await skopeo('inspect', '--tls-verify=false', to);
  expect(digest).toBe(JSON.parse(said).Digest);
  expect(store.resolve(digest).manifest.layers.map((layer) => layer.digest)).toEqual(
    sample.layers.map((layer) => layer.digest),
  );
});

/** An index of one image each, in the registry. */
async function putIndex(tag: string, platforms: [string, string?][]): Promise<string[]> {
  const manifests = await Promise.all(
    platforms.map(async ([architecture, variant], i) => {
      const one = makeSample(join(folder.path, `${tag}-${i}`), [1000], architecture);
      await sendTo(registry.host, `some/many:${tag}-${i}`, one);
      const platform = { os: 'linux', architecture, ...(variant && { variant }) };
      const mediaType = 'application/vnd.oci.image.manifest.v1+json';
      return { mediaType, digest: one.digest, size: one.manifest.length, platform };
    }),
  );
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  const answer = await fetch(`http://${registry.host}/v2/some/many/manifests/${tag}`, {
    method: 'PUT',
    headers: { 'content-type': mediaType },
    body: json({ schemaVersion: 2, mediaType, manifests }),
  });
  expect(answer.status).toBe(201);
  return manifests.map(({ digest }) => digest);
}

test('of an index: the one for this machine, or the one that was asked for', async () => {
  const [intel, arm, older, newer] = await putIndex('1', [
    ['amd64'],
    ['arm64'],
    ['arm', 'v6'],
    ['arm', 'v7'],
  ]);
  const reference = parseReference(`${registry.host}/some/many:1`);
  const wanted: [string | undefined, string | undefined][] = [
    [undefined, process.arch === 'arm64' ? arm : intel],
    ['linux/arm64', arm],
    ['linux/arm/v7', newer],
    ['linux/arm/v6', older],
  ];
  for (const [platform, digest] of wanted) {
    using store = newStore();
    const got = await pull(reference, store, { platform: platform ? parsePlatform(platform) : undefined });
    expect(got.digest).toBe(digest);
  }
  using store = newStore();
  const none = pull(reference, store, { platform: parsePlatform('linux/s390x') });
  await expect(none).rejects.toThrow(
    /not for linux\/s390x, but for linux\/amd64, linux\/arm64, linux\/arm\/v6/,
  );
});

test('an image for one platform alone: another is insisted on when asked for, and told when not', async () => {
  const other = process.arch === 'x64' ? 'arm64' : 'amd64';
  await putIndex('foreign', [[other]]);
  const reference = parseReference(`${registry.host}/some/many:foreign-0`);
  using store = newStore();
  const asked = pull(reference, store, { platform: parsePlatform('linux/s390x') });
  await expect(asked).rejects.toThrow(`for "linux/${other}", not for linux/s390x`);
  const notes: string[] = [];
  await pull(reference, store, { note: (text) => notes.push(text) });
  expect(notes.join()).toContain(`the image is for "linux/${other}"`);
});
