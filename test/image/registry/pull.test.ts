/** Pulling from a real registry what skopeo put there. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { parseReference } from '../../../src/image/reference.ts';
import { pull } from '../../../src/image/registry/pull.ts';
import { Store } from '../../../src/image/store.ts';
import {
  blobsOf,
  hasRegistry,
  hasSkopeo,
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

test('skopeo reads the store as the OCI layout that it is', async () => {
  using store = newStore();
  await pull(parseReference(`${registry.host}/some/app:1`), store);
  const said = JSON.parse(await skopeo('inspect', `oci:${store.folder}:${registry.host}/some/app:1`));
  expect(said.Digest).toBe(sample.digest);
  expect(said.Layers).toEqual(sample.layers.map(({ digest }) => digest));
});
