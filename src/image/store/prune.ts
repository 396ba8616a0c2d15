/** Takes away what nothing needs any more. While a process has the store's shared lock, nobody prunes: what it has written has no name yet. */
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { allStates } from '../../runtime/state.ts';
import { open, tryLock } from '../../sys/flock.ts';
import { asOwnRoot } from '../layer/own-root.ts';
import { type Descriptor, isIndex, isManifest } from '../types.ts';
import { readIndex } from './layout.ts';
import { asImageConfig, asIndex, asManifest } from './shapes.ts';
import type { Store } from './store.ts';

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
  store.close();
  using opened = new DisposableStack();
  for (const folder of [store.partial, store.folder]) {
    const fd = open(folder);
    if (fd === undefined) return { blobs: [], layers: [], bytes: 0 };
    opened.defer(() => closeSync(fd));
    if (!tryLock(fd, 'exclusive'))
      throw new Error(`${store.folder}: another tslab is writing images here; try again when it is done`);
  }
  // First the sign, then the look at who needs what: whoever writes down what it needs, and then sees no sign, was seen (find.ts).
  writeFileSync(signOf(store), '');
  const needed = neededBy(store);
  const { blobs, bytes } = pruneBlobs(store, needed.blobs);
  if (!keepPartials) prunePartials(store.partial);
  const layers = await pruneLayers(store, needed.layers);
  unlinkSync(signOf(store));
  if (readIndex(store.folder).manifests.length === 0) removeEmpty(store);
  return { blobs, bytes, layers };
}

/** Says that a prune is at work, or was killed: its locks tell which. */
export const signOf = ({ partial }: Store): string => join(partial, SIGN);
const SIGN = 'pruning';

/** What is left of folders where nothing is. Who wants one now makes it again (lockFolder). */
function removeEmpty({ folder, layers, partial }: Store): void {
  for (const parent of [layers, join(folder, 'blobs')])
    for (const name of namesIn(parent)) removeIfEmpty(join(parent, name));
  removeIfEmpty(layers);
  // Those that a container still uses wait for a later prune, which begins with the locks of what goes below.
  if (existsSync(layers)) return;
  for (const one of [join(folder, 'blobs'), partial]) removeIfEmpty(one);
  if (existsSync(partial) || existsSync(join(folder, 'blobs'))) return;
  for (const name of ['index.json', 'oci-layout']) rmSync(join(folder, name), { force: true });
  removeIfEmpty(folder);
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // not empty, or not there
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
  for (const name of namesIn(folder).filter((one) => one !== SIGN))
    rmSync(join(folder, name), { recursive: true, force: true });
}

async function pruneLayers(store: Store, needed: Set<string>): Promise<string[]> {
  const layers = digestsIn(store.layers, 'partial').filter((digest) => !needed.has(digest));
  const order: Order = { folder: store.layers, layers };
  if (layers.length > 0 || namesIn(join(store.layers, 'partial')).length > 0)
    await asOwnRoot('remove', order);
  return layers;
}

interface Order {
  folder: string;
  layers: string[];
}

/** Renamed first, so that a layer goes as it came, all at once. What somebody is at work on stays. */
export async function removeHere({ folder, layers }: Order): Promise<void> {
  const partial = join(folder, 'partial');
  mkdirSync(partial, { recursive: true, mode: 0o700 });
  for (const digest of layers)
    renameSync(join(folder, digest.replace(':', '/')), join(partial, `${digest.replace(':', '-')}.gone`));
  for (const name of namesIn(partial)) {
    const path = join(partial, name);
    const fd = open(path);
    if (fd === undefined) continue;
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
