/** The images of this user: blobs by digest in an OCI image layout, beside it the layers unpacked (unpack.ts). */
import { closeSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { dataFolder } from '../../runtime/folders.ts';
import { lockFolder } from '../../sys/flock.ts';
import { choose } from '../platform.ts';
import { fullName, parseReference } from '../reference.ts';
import { type Descriptor, type Image, type ImageConfig, isIndex, type Manifest } from '../types.ts';
import { digestOf, Hasher, parseDigest } from './digest.ts';
import { beginDraft, beginIngest, type Draft, type Ingest } from './ingest.ts';
import { makeLayout, REF_NAME, readIndex, writeIndex } from './layout.ts';
import { type Pruned, type PruneOptions, prune } from './prune.ts';
import { asImageConfig, asIndex, asManifest } from './shapes.ts';

/** Documents are read into memory; registries bound manifests likewise (distribution-spec, "Pushing Manifests"). */
const DOCUMENT = 4 << 20;

export interface Named {
  name: string;
  manifest: Descriptor;
}

export class NoSuchImage extends Error {
  constructor(wanted: string) {
    super(`image ${wanted}: there is none; tslab image ls lists them`);
  }
}

export class Store {
  readonly folder: string;
  /** A shared lock that keeps what this process has written, and not named yet, from another's prune. */
  #held: number | undefined;

  constructor(folder: string = join(dataFolder, 'images')) {
    this.folder = folder;
  }

  /** Where the layers lie that were unpacked: sha256/HEX, and partial/ for those that are not whole. */
  get layers(): string {
    return join(dirname(this.folder), 'layers');
  }

  get partial(): string {
    return join(this.folder, 'partial');
  }

  /** Whether there is such a blob, whole. */
  has(digest: string): boolean {
    return existsSync(this.blobPath(digest));
  }

  /** @throws Error if that is no digest. */
  blobPath(digest: string): string {
    const { algorithm, hex } = parseDigest(digest);
    return join(this.folder, 'blobs', algorithm, hex);
  }

  /** @throws Error unless it is there, and as large as the manifest says: whoever writes it elsewhere says that size first (save.ts). */
  check({ digest, size }: Descriptor): void {
    const there = statSync(this.blobPath(digest), { throwIfNoEntry: false })?.size;
    if (there === undefined) throw new Error(`blob ${digest}: it is not in ${this.folder}`);
    if (there !== size) throw new Error(`blob ${digest}: it has ${there} bytes; the manifest says ${size}`);
  }

  /** A small blob, verified. @throws Error if it is not there, is not what its name says, or has more than 4 MiB. */
  read(digest: string): Buffer {
    const path = this.blobPath(digest);
    const size = statSync(path, { throwIfNoEntry: false })?.size;
    if (size === undefined)
      throw new Error(`blob ${digest}: it is not in ${this.folder}; pull the image again`);
    if (size > DOCUMENT) throw new Error(`blob ${digest}: ${size} bytes; a document has at most ${DOCUMENT}`);
    const bytes = readFileSync(path);
    if (!isBlob(bytes, digest))
      throw new Error(`${path}: its bytes are not those of its name; remove it and pull the image again`);
    return bytes;
  }

  /** A document, whose shape is still to be judged. */
  json<T>(descriptor: Pick<Descriptor, 'digest'>): T {
    const text = this.read(descriptor.digest).toString('utf8');
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new Error(`blob ${descriptor.digest}: ${(error as Error).message}`);
    }
  }

  put(bytes: Uint8Array, mediaType: string): Descriptor {
    const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length };
    if (this.has(descriptor.digest)) return descriptor;
    const ingest = this.ingest(descriptor);
    if (ingest.offset < bytes.length) ingest.write(bytes.subarray(ingest.offset));
    ingest.commit();
    return descriptor;
  }

  /** Begins a blob, or goes on with one that an earlier process left. */
  ingest(descriptor: Descriptor): Ingest {
    const to = this.blobPath(descriptor.digest);
    this.hold();
    mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
    return beginIngest(descriptor, this.partial, to);
  }

  /** Begins a blob that is still being made. */
  draft(): Draft {
    this.hold();
    return beginDraft(this.partial, (digest) => this.blobPath(digest));
  }

  /** A blob out of a stream whose digest is known only at its end. */
  async drain(raw: AsyncIterable<Uint8Array>, mediaType: string): Promise<Descriptor> {
    const draft = this.draft();
    try {
      for await (const piece of raw) draft.write(piece);
      return draft.commit(mediaType);
    } catch (error) {
      draft.discard();
      throw error;
    }
  }

  images(): Named[] {
    return readIndex(this.folder).manifests.flatMap((descriptor) => {
      const { [REF_NAME]: name, ...annotations } = descriptor.annotations ?? {};
      if (name === undefined) return [];
      const { annotations: _, ...rest } = descriptor;
      return { name, manifest: Object.keys(annotations).length > 0 ? { ...rest, annotations } : rest };
    });
  }

  /**
   * @param wanted a name, a digest of a manifest or a config, or the beginning of one (6 digits or more).
   * @throws NoSuchImage; Error if there is more than one.
   */
  resolve(wanted: string): Image {
    const all = this.images();
    // A name may look like a digest, and somebody else's archive may bring one: it never stands for what has that digest.
    const byName = isDigest(wanted)
      ? undefined
      : (all.find(({ name }) => name === wanted) ?? all.find(({ name }) => name === inFull(wanted)));
    if (byName) return this.image(byName.manifest, byName.name);
    const found = new Map(
      this.#begins(all, wanted).map((image) => [image.descriptor.digest, image] as const),
    );
    const [first, second] = found.values();
    if (first && !second) return first;
    if (!first) throw new NoSuchImage(wanted);
    throw new Error(`image ${wanted}: more than one digest begins so`);
  }

  /** @param descriptor of a manifest, or of an index that has one for this machine. */
  image(descriptor: Descriptor, name?: string): Image {
    if (isIndex(descriptor)) return this.image(choose(asIndex(this.json(descriptor))), name);
    const manifest = asManifest(this.json<Manifest>(descriptor));
    const config = asImageConfig(this.json<ImageConfig>(manifest.config));
    if (config.rootfs.diff_ids.length !== manifest.layers.length)
      throw new Error(
        `image ${name ?? descriptor.digest}: ${manifest.layers.length} layers, and ${config.rootfs.diff_ids.length} diff_ids`,
      );
    return { ...(name === undefined ? {} : { name }), descriptor, manifest, config };
  }

  /** The name is this image's from now on. @throws Error if a blob of it is not there. */
  tag(name: string, descriptor: Descriptor): void {
    if (!isRefName(name))
      throw new Error(`image name ${JSON.stringify(name)}: letters and digits, parted by . _ - : @ / +`);
    const { manifest } = this.image(descriptor, name);
    for (const one of [manifest.config, ...manifest.layers]) this.check(one);
    const { annotations, ...rest } = descriptor;
    const entry = { ...rest, annotations: { ...annotations, [REF_NAME]: name } };
    this.#changeIndex((manifests) => [...manifests.filter((one) => nameOf(one) !== name), entry]);
  }

  /** @returns whether there was such a name. What it named goes with the next prune. */
  untag(name: string): boolean {
    let found = false;
    this.#changeIndex((manifests) => {
      found = manifests.some((one) => nameOf(one) === name);
      return manifests.filter((one) => nameOf(one) !== name);
    });
    return found;
  }

  /**
   * From now on no other process prunes, until this one ends or calls close(). Whoever decides by has() that a blob need not
   * come again says this first.
   */
  hold(): void {
    this.#held ??= lockFolder(this.partial, 'shared', () => makeLayout(this.folder));
  }

  /**
   * Takes away what nothing needs any more: blobs of no named image, layers of none and of no container, what was never finished.
   *
   * @throws Error while another process writes here.
   */
  prune(options: PruneOptions = {}): Promise<Pruned> {
    return prune(this, options);
  }

  close(): void {
    if (this.#held !== undefined) closeSync(this.#held);
    this.#held = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #begins(all: readonly Named[], wanted: string): Image[] {
    const hex = wanted.replace(/^sha256:/, '');
    if (!/^[0-9a-f]{6,64}$/.test(hex)) return [];
    const begins = (digest: string) => digest.startsWith(`sha256:${hex}`);
    return all.flatMap(({ name, manifest }) => {
      const image = this.image(manifest, name);
      const names = [manifest.digest, image.descriptor.digest, image.manifest.config.digest];
      return names.some(begins) ? image : [];
    });
  }

  /** A name is looked up and changed under one lock. */
  #changeIndex(change: (manifests: Descriptor[]) => Descriptor[]): void {
    const fd = lockFolder(this.folder, 'exclusive', () => makeLayout(this.folder));
    try {
      writeIndex(this.folder, change(readIndex(this.folder).manifests));
    } finally {
      closeSync(fd);
    }
  }
}

const nameOf = (descriptor: Descriptor) => descriptor.annotations?.[REF_NAME];

const isDigest = (wanted: string) => /^(sha256:[0-9a-f]{6,64}|[0-9a-f]{64})$/.test(wanted);

/** image-spec, annotations.md: the grammar of org.opencontainers.image.ref.name. */
const isRefName = (name: string) =>
  isFullName(name) ||
  (name.length <= 255 &&
    /^[A-Za-z0-9]+(?:(?:[-._:@+]|--)[A-Za-z0-9]+)*(?:\/[A-Za-z0-9]+(?:(?:[-._:@+]|--)[A-Za-z0-9]+)*)*$/.test(
      name,
    ));

/** Registries allow a little more than that grammar: a__b, a---b, [::1]:5000. */
function isFullName(name: string): boolean {
  try {
    return fullName(parseReference(name)) === name;
  } catch {
    return false;
  }
}

/** What people type, as names stand in the store; those that another program has written there are taken as they are. */
export function inFull(name: string): string {
  try {
    return fullName(parseReference(name));
  } catch {
    return name;
  }
}

const isBlob = (bytes: Uint8Array, digest: string): boolean => {
  const hasher = new Hasher(digest);
  hasher.update(bytes);
  return hasher.digest() === digest;
};
