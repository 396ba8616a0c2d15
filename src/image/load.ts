/** Reads what `save` wrote, here or in docker: an image layout in an archive, or docker's older form, which lists images in manifest.json. */

import { createReadStream, statfsSync } from 'node:fs';
import { posix } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { shown } from '../sys/at.ts';
import { putImage } from './build.ts';
import { compressionOf, decompressorFor, mediaTypeOf } from './layer/compressed.ts';
import { partsOf } from './layer/names.ts';
import type { Draft } from './store/ingest.ts';
import { REF_NAME } from './store/layout.ts';
import { asImageConfig, asIndex } from './store/shapes.ts';
import { inFull, type Store } from './store/store.ts';
import type { Entry } from './tar/entry.ts';
import { type Handler, TarReader } from './tar/reader.ts';
import { type Descriptor, type Image, mediaTypes } from './types.ts';

/** Names by which others say what an image is called. */
const nameAnnotations = ['io.containerd.image.name', REF_NAME];
const MOST_ENTRIES = 100_000;

/** Throws at an image that is not to have a name. */
type Judge = (image: Image) => Promise<void>;

/** @returns the names that the images have now; a digest for one that came without. */
export async function loadImages(
  store: Store,
  raw: Readable,
  judge: Judge = async () => {},
): Promise<string[]> {
  store.hold();
  const archive = new Archive(store);
  await archive.read(raw);
  return await (archive.has('index.json') ? loadLayout : loadDocker)(store, archive, judge);
}

async function loadLayout(store: Store, archive: Archive, judge: Judge): Promise<string[]> {
  archive.verifyBlobs();
  const loaded: string[] = [];
  for (const { annotations = {}, ...rest } of asIndex(archive.json('index.json')).manifests) {
    const name = nameAnnotations.map((key) => annotations[key]).find((one) => one !== undefined);
    loaded.push(await named(store, name, rest, judge));
  }
  return loaded;
}

/** tag() looks whether all is there. Without a name it can be had by its digest. */
async function named(
  store: Store,
  name: string | undefined,
  manifest: Descriptor,
  judge: Judge,
): Promise<string> {
  const image = store.image(manifest);
  await judge(image);
  const given = name !== undefined ? inFull(name) : `loaded@${image.descriptor.digest}`;
  store.tag(given, manifest);
  return given;
}

async function loadDocker(store: Store, archive: Archive, judge: Judge): Promise<string[]> {
  const loaded: string[] = [];
  for (const { config, layers, names } of dockerEntries(archive.json('manifest.json'))) {
    const bytes = archive.bytes(config);
    asImageConfig(JSON.parse(bytes.toString('utf8')));
    const descriptors: Descriptor[] = [];
    for (const path of layers) descriptors.push(await typed(store, archive.file(path)));
    const manifest = putImage(store, bytes, descriptors);
    for (const name of names.length > 0 ? names : [undefined])
      loaded.push(await named(store, name, manifest, judge));
  }
  return loaded;
}

interface DockerEntry {
  config: string;
  layers: string[];
  names: string[];
}

function dockerEntries(value: unknown): DockerEntry[] {
  const strings = (one: unknown): string[] => {
    if (one === null || one === undefined) return [];
    if (!Array.isArray(one) || one.length > 1000 || !one.every((text) => typeof text === 'string'))
      throw new Error('manifest.json: Layers and RepoTags take lists of strings');
    return one;
  };
  if (!Array.isArray(value)) throw new Error('manifest.json: it takes a list of images');
  return value.map((entry: Record<string, unknown>) => {
    if (typeof entry?.Config !== 'string') throw new Error('manifest.json: Config takes the name of a file');
    return { config: entry.Config, layers: strings(entry.Layers), names: strings(entry.RepoTags) };
  });
}

async function typed(store: Store, { digest, size }: Descriptor): Promise<Descriptor> {
  const raw = createReadStream(store.blobPath(digest));
  const mediaType = mediaTypeOf[await compressionOf(raw)];
  raw.destroy();
  return { mediaType, digest, size };
}

/** What the two forms list their images in; it is kept in memory, and is no blob. */
const LISTS: readonly string[] = ['index.json', 'manifest.json'];
const LIST = 4 << 20;

/** Each file of the archive becomes a blob, but for those two; what no image needs goes with the next prune. */
class Archive implements Handler {
  readonly #store: Store;
  readonly #files = new Map<string, Descriptor>();
  /** docker stored a layer once, and links to it. */
  readonly #links = new Map<string, string>();
  readonly #lists = new Map<string, Buffer>();
  #open: { path: string; draft: Draft } | undefined;
  #openList: string | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  async read(raw: Readable): Promise<void> {
    const reader = new TarReader(this);
    const take = async (pieces: AsyncIterable<Buffer>) => {
      for await (const piece of pieces) reader.write(piece);
    };
    try {
      const decompressor = await decompressorFor(raw);
      await (decompressor ? pipeline(raw, decompressor, take) : pipeline(raw, take));
      reader.close();
    } finally {
      this.#open?.draft.discard();
    }
  }

  entry({ type, path, link, size, sparse }: Entry): void {
    // Its bytes are not those of the archive, and a blob has no holes.
    if (sparse) throw new Error(`archive: ${shown(path)}: a sparse file`);
    const name = partsOf(path).join('/');
    if (this.#files.size + this.#links.size > MOST_ENTRIES)
      throw new Error(`archive: more than ${MOST_ENTRIES} files`);
    const { bavail, bsize } = statfsSync(this.#store.folder);
    if (size > bavail * bsize)
      throw new Error(
        `archive: ${shown(path)}: ${size} bytes, and ${bavail * bsize} are free in ${this.#store.folder}`,
      );
    if (this.has(name)) throw new Error(`archive: ${shown(path)}: a second entry of this name`);
    if (type === 'file' && LISTS.includes(name)) {
      this.#openList = name;
      this.#lists.set(name, Buffer.alloc(0));
    } else if (type === 'file') this.#open = { path: name, draft: this.#store.draft() };
    // Of a symlink it is seen from where it lies. It is a key in a table here, and no path.
    else if (type === 'symlink') this.#links.set(name, posix.join(posix.dirname(name), link));
    else if (type === 'link') this.#links.set(name, posix.normalize(link));
    else if (type !== 'directory') throw new Error(`archive: ${shown(path)}: a ${type}`);
  }

  data(bytes: Buffer): void {
    const before = this.#lists.get(this.#openList ?? '');
    if (before) {
      if (before.length + bytes.length > LIST)
        throw new Error(`archive: ${this.#openList}: more than ${LIST} bytes`);
      this.#lists.set(this.#openList ?? '', Buffer.concat([before, bytes]));
    }
    this.#open?.draft.write(bytes);
  }

  end(): void {
    if (this.#open) this.#files.set(this.#open.path, this.#open.draft.commit(mediaTypes.tar));
    this.#open = undefined;
    this.#openList = undefined;
  }

  has = (path: string): boolean => [this.#files, this.#links, this.#lists].some((map) => map.has(path));

  /** @throws Error if the archive has no such file. */
  file(path: string): Descriptor {
    const name = posix.normalize(path);
    const found = this.#files.get(name) ?? this.#files.get(this.#links.get(name) ?? '');
    if (!found) throw new Error(`archive: it has no ${shown(path)}`);
    return found;
  }

  bytes = (path: string): Buffer => this.#store.read(this.file(path).digest);

  json(path: string): unknown {
    try {
      return JSON.parse((this.#lists.get(path) ?? this.bytes(path)).toString('utf8'));
    } catch (error) {
      throw new Error(`archive: ${shown(path)}: ${(error as Error).message}`);
    }
  }

  /** In a layout, a blob's name is its digest. */
  verifyBlobs(): void {
    for (const [path, { digest }] of this.#files) {
      const [, hex] = /^blobs\/sha256\/(.*)$/.exec(path) ?? [];
      if (hex !== undefined && digest !== `sha256:${hex}`)
        throw new Error(`archive: ${shown(path)}: its bytes are ${digest}`);
    }
  }
}
