/** Layers unpacked: each once, for all images and containers that have it, under its diff_id (image-spec, config.md, "rootfs"). */
import {
  closeSync,
  createReadStream,
  existsSync,
  fchmodSync,
  mkdirSync,
  constants as of,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isStill, open, tryLock } from '../../sys/flock.ts';
import { syncFileSystem } from '../../sys/sync.ts';
import { Hasher, parseDigest } from '../store/digest.ts';
import { Store } from '../store/store.ts';
import { type Handler, TarReader } from '../tar/reader.ts';
import type { Descriptor, Image } from '../types.ts';
import { decompressorFor, PIECE } from './compressed.ts';
import { checkSize, type Limits, limited, usual } from './limits.ts';
import { asOwnRoot } from './own-root.ts';
import type { Note } from './owned.ts';
import { TreeWriter } from './tree-writer.ts';

export interface UnpackOptions extends Partial<Limits> {
  /** Told what could not be kept. */
  note?: Note;
}

/** Where it lies when it is unpacked; known before, so that a container can write down what it will use. */
export function layerFolder(store: Store, diffId: string): string {
  const { algorithm, hex } = parseDigest(diffId);
  return join(store.layers, algorithm, hex);
}

/**
 * Whoever makes a container of it writes the list of its folders down first (org.tslab.overlay.lower): from then on no prune takes one.
 *
 * @returns the folders of all layers, lowest first; those that were missing have been unpacked.
 */
export async function ensureLayers(
  store: Store,
  image: Image,
  options: UnpackOptions = {},
): Promise<string[]> {
  store.hold();
  const folders: string[] = [];
  for (const [i, descriptor] of image.manifest.layers.entries())
    folders.push(await unpackLayer(store, descriptor, image.config.rootfs.diff_ids[i] ?? '', options));
  return folders;
}

/**
 * Nobody sees the folder before it is whole and its digest right. Two that want the same layer at once: one unpacks, the other waits.
 *
 * @throws Error that names the entry which can't be, or says what the layer's digest is instead.
 */
export async function unpackLayer(
  store: Store,
  descriptor: Descriptor,
  diffId: string,
  options: UnpackOptions = {},
): Promise<string> {
  const to = layerFolder(store, diffId);
  if (existsSync(to)) return to;
  const { note, ...limits } = options;
  await asOwnRoot('unpack', { folder: store.folder, descriptor, diffId, limits } satisfies Order, note);
  return to;
}

interface Order {
  folder: string;
  descriptor: Descriptor;
  diffId: string;
  limits: Partial<Limits>;
}

/** The work, for who is root here. */
export async function unpackHere({ folder, descriptor, diffId, limits }: Order, note: Note): Promise<void> {
  const store = new Store(folder);
  const to = layerFolder(store, diffId);
  const place = await takePlace(store, diffId, to);
  if (!place) return;
  try {
    const source = store.blobPath(descriptor.digest);
    if (!existsSync(source))
      throw new Error(`layer ${descriptor.digest}: it is not in ${folder}; pull the image again`);
    await unpackInto(place.fd, source, diffId, { ...limits, note });
    // A name that outlives a power cut without its files' bytes would be a layer that is believed, and broken. One call for all files:
    // 10 to 200 ms of a 200 MB layer's two seconds on ext4. If the name itself is lost, the layer is unpacked again.
    syncFileSystem(place.fd, place.path);
    mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
    if (!isStill(place.path, place.fd))
      throw new Error(`${place.path}: another folder is in its place now; who puts things there?`);
    renameSync(place.path, to);
  } catch (error) {
    rmSync(place.path, { recursive: true, force: true });
    throw error;
  } finally {
    closeSync(place.fd);
  }
}

/** An empty folder under a lock that ends with us. Undefined once the layer is there. */
async function takePlace(
  store: Store,
  diffId: string,
  to: string,
): Promise<{ fd: number; path: string } | undefined> {
  const { algorithm, hex } = parseDigest(diffId);
  const partial = join(store.layers, 'partial');
  const path = join(partial, `${algorithm}-${hex}`);
  while (!existsSync(to)) {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const fd = open(path, of.O_DIRECTORY | of.O_NOFOLLOW);
    if (fd === undefined) continue;
    if (tryLock(fd, 'exclusive') && isStill(path, fd)) {
      // What one left who was killed; of this very folder, wherever its name may lead by now.
      const inside = `/proc/self/fd/${fd}`;
      for (const name of readdirSync(inside, { encoding: 'buffer' }))
        rmSync(Buffer.concat([Buffer.from(`${inside}/`), name]), { recursive: true, force: true });
      fchmodSync(fd, 0o700);
      return { fd, path };
    }
    closeSync(fd);
    await sleep(20);
  }
  return undefined;
}

/** One pass: the bytes are hashed as they are unpacked. */
async function unpackInto(
  root: number,
  source: string,
  diffId: string,
  options: UnpackOptions,
): Promise<void> {
  using tree = new TreeWriter(root, options.note ?? (() => {}));
  const digest = await readLayer(source, tree, options, diffId);
  if (digest !== diffId) throw new Error(`layer ${diffId}: its bytes are ${digest}`);
  tree.finish();
}

/**
 * Reads a layer's archive to its end.
 *
 * @param source a file: gzip, zstd or neither.
 * @returns the archive's digest, of the same algorithm as `like`.
 */
export async function readLayer(
  source: string,
  handler: Handler,
  options: Partial<Limits> = {},
  like?: string,
): Promise<string> {
  const limits = { ...usual, ...options };
  const hasher = new Hasher(like);
  const reader = new TarReader(limited(handler, limits));
  const raw = createReadStream(source, { highWaterMark: PIECE });
  let size = 0;
  const take = async (pieces: AsyncIterable<Buffer>) => {
    for await (const piece of pieces) {
      size += piece.length;
      checkSize(limits, raw.bytesRead, size);
      hasher.update(piece);
      reader.write(piece);
    }
  };
  const decompressor = await decompressorFor(raw);
  await (decompressor ? pipeline(raw, decompressor, take) : pipeline(raw, take));
  reader.close();
  return hasher.digest();
}
