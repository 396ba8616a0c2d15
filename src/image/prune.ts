/** Takes away what nothing needs any more. While a process has the store's shared lock, nobody prunes: what it has written has no name yet. */
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { allStates } from '../runtime/state.ts';
import { lock, tryLock } from '../sys/flock.ts';
import { readIndex } from './layout.ts';
import { asOwnRoot } from './own-root.ts';
import { asImageConfig, asIndex, asManifest } from './shapes.ts';
import type { Store } from './store.ts';
import { type Descriptor, isIndex, isManifest } from './types.ts';

export interface Pruned {
  /** Digests. */
  blobs: string[];
  /** diff_ids. */
  layers: string[];
  /** Bytes of blobs; what layers took on the disk is not counted. */
  bytes: number;
}

export interface PruneOptions {
  /** Leaves downloads that were broken off, so that they can be gone on with. */
  keepPartials?: boolean;
}

export async function prune(store: Store, { keepPartials }: PruneOptions = {}): Promise<Pruned> {
  if (!existsSync(store.partial)) return { blobs: [], layers: [], bytes: 0 };
  store.close();
  const held = openSync(store.partial, 'r');
  const names = openSync(store.folder, 'r');
  try {
    if (!tryLock(held, 'exclusive'))
      throw new Error(`${store.folder}: another tslab is writing images here; try again when it is done`);
    lock(names, 'exclusive');
    const needed = neededBy(store);
    const { blobs, bytes } = pruneBlobs(store, needed.blobs);
    if (!keepPartials) prunePartials(store.partial);
    return { blobs, bytes, layers: await pruneLayers(store, needed.layers) };
  } finally {
    closeSync(names);
    closeSync(held);
  }
}

/** Also what an entry without a name needs: other programs may have written it. */
function neededBy(store: Store): { blobs: Set<string>; layers: Set<string> } {
  const blobs = new Set<string>();
  const layers = new Set(layersOfContainers(store));
  const need = (descriptor: Descriptor): void => {
    blobs.add(descriptor.digest);
    // An index may list platforms whose blobs were never fetched.
    if (!store.has(descriptor.digest)) return;
    if (isIndex(descriptor)) for (const one of asIndex(store.json(descriptor)).manifests) need(one);
    if (!isManifest(descriptor)) return;
    const manifest = asManifest(store.json(descriptor));
    for (const { digest } of [manifest.config, ...manifest.layers]) blobs.add(digest);
    if (store.has(manifest.config.digest))
      for (const id of asImageConfig(store.json(manifest.config)).rootfs.diff_ids) layers.add(id);
  };
  for (const descriptor of readIndex(store.folder).manifests) need(descriptor);
  return { blobs, layers };
}

/** Its annotation, in the config that its folder keeps and in that of its state: whichever is there yet, or still. */
function layersOfContainers(store: Store): string[] {
  const folder = join(dirname(store.folder), 'containers');
  const records = namesIn(folder).map((id) => textOf(join(folder, id, 'container.json')));
  const states = allStates().map(({ spec }) => JSON.stringify(spec));
  return [...records, ...states]
    .filter((text) => text.includes('org.tslab.overlay.'))
    .flatMap((text) => [...text.matchAll(/\/layers\/(sha256|sha512)\/([0-9a-f]+)/g)])
    .map(([, algorithm, hex]) => `${algorithm}:${hex}`);
}

function pruneBlobs(store: Store, needed: Set<string>): { blobs: string[]; bytes: number } {
  const blobs = digestsIn(join(store.folder, 'blobs')).filter((digest) => !needed.has(digest));
  let bytes = 0;
  for (const digest of blobs) {
    bytes += lstatSync(store.blobPath(digest)).size;
    unlinkSync(store.blobPath(digest));
  }
  return { blobs, bytes };
}

function prunePartials(folder: string): void {
  for (const name of namesIn(folder)) rmSync(join(folder, name), { recursive: true, force: true });
}

/** Renamed first: a layer goes as it came, all at once. */
async function pruneLayers(store: Store, needed: Set<string>): Promise<string[]> {
  const partial = join(store.layers, 'partial');
  const layers = digestsIn(store.layers, 'partial').filter((digest) => !needed.has(digest));
  for (const digest of layers) {
    mkdirSync(partial, { recursive: true, mode: 0o700 });
    renameSync(
      join(store.layers, digest.replace(':', '/')),
      join(partial, `${digest.replace(':', '-')}.gone`),
    );
  }
  if (namesIn(partial).length > 0) await asOwnRoot('remove', { partial } satisfies Order);
  return layers;
}

interface Order {
  partial: string;
}

/** But for what somebody is at work on. */
export async function removeHere({ partial }: Order): Promise<void> {
  for (const name of namesIn(partial)) {
    const path = join(partial, name);
    const fd = openSync(path, 'r');
    try {
      if (tryLock(fd, 'exclusive')) rmSync(path, { recursive: true, force: true });
    } finally {
      closeSync(fd);
    }
  }
}

const digestsIn = (folder: string, except = ''): string[] =>
  namesIn(folder)
    .filter((algorithm) => algorithm !== except)
    .flatMap((algorithm) => namesIn(join(folder, algorithm)).map((hex) => `${algorithm}:${hex}`));

const namesIn = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : []);

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // it is being made, or was removed this moment
  }
}
