/** A container's upper directory back as a layer: the same tree always gives the same bytes. */
import { once } from 'node:events';
import { closeSync, constants as of, openSync, readSync } from 'node:fs';
import { Writable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { type Bytes, getXattrAt, listXattrsAt, openAt, shown } from '../../sys/at.ts';
import { Hasher } from '../store/digest.ts';
import { Store } from '../store/store.ts';
import type { Entry, EntryType } from '../tar/entry.ts';
import { END, headerOf, padding } from '../tar/writer.ts';
import { type Descriptor, mediaTypes } from '../types.ts';
import { isReserved, opaqueName, whiteoutName } from './names.ts';
import { asOwnRoot } from './own-root.ts';
import { type Found, isWhiteout, linkOf, walk } from './tree-reader.ts';

export interface Packed {
  /** Of what was written: the archive, compressed. */
  digest: string;
  size: number;
  /** Of the archive itself. */
  diffId: string;
}

/** Packs an upper directory into a blob of the store. */
export async function packIntoStore(
  store: Store,
  upper: string,
): Promise<{ descriptor: Descriptor; diffId: string }> {
  store.hold();
  return await asOwnRoot('pack', { folder: store.folder, upper } satisfies Order);
}

interface Order {
  folder: string;
  upper: string;
}

export async function packHere({
  folder,
  upper,
}: Order): Promise<{ descriptor: Descriptor; diffId: string }> {
  using store = new Store(folder);
  const draft = store.draft();
  try {
    const { diffId } = await packLayer(
      upper,
      writableTo((chunk) => draft.write(chunk)),
    );
    return { descriptor: draft.commit(mediaTypes.tarGzip), diffId };
  } catch (error) {
    draft.discard();
    throw error;
  }
}

const writableTo = (take: (chunk: Buffer) => void): Writable =>
  new Writable({
    write(chunk: Buffer, _, done) {
      take(chunk);
      done();
    },
  });

/**
 * @param write takes the layer, compressed; it is ended.
 * @throws Error at what no layer can hold.
 */
export async function packLayer(upper: string, write: Writable): Promise<Packed> {
  const gzip = createGzip();
  const hasher = new Hasher();
  let size = 0;
  const taken = (async () => {
    for await (const chunk of gzip) {
      hasher.update(chunk as Buffer);
      size += (chunk as Buffer).length;
      if (!write.write(chunk)) await once(write, 'drain');
    }
    write.end();
  })();
  const [diffId] = await Promise.all([writeLayer(upper, gzip), taken]);
  return { digest: hasher.digest(), size, diffId };
}

/** The archive, uncompressed. @returns its digest. */
export async function writeLayer(upper: string, to: Writable): Promise<string> {
  const hasher = new Hasher();
  const failed = new Promise<never>((_, reject) => to.once('error', reject));
  const write = async (bytes: Buffer): Promise<void> => {
    if (bytes.length === 0) return;
    hasher.update(bytes);
    if (!to.write(bytes)) await Promise.race([once(to, 'drain'), failed]);
  };
  failed.catch(() => {});
  const root = openSync(upper, of.O_RDONLY | of.O_DIRECTORY | of.O_NOFOLLOW);
  try {
    const links = new Map<string, Bytes>();
    for (const found of walk(root)) await writeFound(found, links, write);
  } catch (error) {
    to.destroy(error as Error);
    throw error;
  } finally {
    closeSync(root);
  }
  await write(END);
  to.end();
  return hasher.digest();
}

async function writeFound(
  found: Found,
  links: Map<string, Bytes>,
  write: (bytes: Buffer) => Promise<void>,
): Promise<void> {
  const { path, stat } = found;
  if (isReserved(found.name)) throw new Error(`${shown(path)}: no file of a layer can have such a name`);
  // A socket is of use to those alone who have it open.
  if (stat.isSocket()) return;
  if (isWhiteout(found)) {
    await write(headerOf({ ...nothing, path: beside(path, whiteoutName(found.name)) }));
    return;
  }
  const entry = entryOf(found);
  const same = `${stat.dev}:${stat.ino}`;
  const first = stat.isDirectory() ? undefined : links.get(same);
  if (first !== undefined) {
    await write(headerOf({ ...entry, type: 'link', link: first, size: 0, xattrs: [] }));
    return;
  }
  if (stat.nlink > 1n && !stat.isDirectory()) links.set(same, path);
  // The file may change: its header says what the open one has.
  await write(headerOf(entry));
  if (entry.type === 'file') await writeContents(found, entry.size, write);
  if (isOpaque(found))
    await write(headerOf({ ...nothing, path: path === '' ? opaqueName : `${path}/${opaqueName}` }));
}

const beside = (path: Bytes, name: Bytes): Bytes => path.slice(0, path.lastIndexOf('/') + 1) + name;

const nothing: Entry = {
  type: 'file',
  path: '',
  link: '',
  mode: 0,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: { sec: 0, nsec: 0 },
  major: 0,
  minor: 0,
  xattrs: [],
};

export function entryOf(found: Found): Entry {
  const { path, stat } = found;
  const type = typeOf(found);
  const device = type === 'char' || type === 'block';
  const name = path === '' ? '.' : path;
  const sec = Number(stat.mtimeNs / 1_000_000_000n);
  const nsec = Number(stat.mtimeNs % 1_000_000_000n);
  return {
    type,
    path: type === 'directory' ? `${name}/` : name,
    link: type === 'symlink' ? linkOf(found) : '',
    mode: Number(stat.mode & 0o7777n),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    size: type === 'file' ? Number(stat.size) : 0,
    mtime: nsec < 0 ? { sec: sec - 1, nsec: nsec + 1e9 } : { sec, nsec },
    major: device ? Number((stat.rdev >> 8n) & 0xfffn) : 0,
    minor: device ? Number((stat.rdev & 0xffn) | ((stat.rdev >> 12n) & 0xfff00n)) : 0,
    xattrs: xattrsOf(found),
  };
}

const kinds: readonly (readonly [number, EntryType])[] = [
  [of.S_IFREG, 'file'],
  [of.S_IFDIR, 'directory'],
  [of.S_IFLNK, 'symlink'],
  [of.S_IFCHR, 'char'],
  [of.S_IFBLK, 'block'],
  [of.S_IFIFO, 'fifo'],
];

function typeOf({ path, stat }: Found): EntryType {
  const format = Number(stat.mode) & of.S_IFMT;
  const [, type] = kinds.find(([kind]) => kind === format) ?? [];
  if (type === undefined) throw new Error(`${shown(path)}: a file of type 0o${format.toString(8)}`);
  return type;
}

const overlays = /^(?:trusted|user)\.overlay\.(.*)$/;

/** Without overlayfs's own, which say how the upper directory lies over others; of those, two would be needed to understand the rest. */
function xattrsOf({ dir, name, path }: Found): [Bytes, Buffer][] {
  return listXattrsAt(dir, name).flatMap((xattr): [Bytes, Buffer][] => {
    const [, own] = overlays.exec(xattr) ?? [];
    if (own === 'redirect' || own === 'metacopy')
      throw new Error(
        `${shown(path)}: overlayfs keeps a part of it elsewhere (${xattr}); mount with redirect_dir=off,metacopy=off`,
      );
    const value = own === undefined ? getXattrAt(dir, name, xattr) : undefined;
    return value === undefined ? [] : [[xattr, value]];
  });
}

export const isOpaque = ({ dir, name, stat }: Found): boolean =>
  stat.isDirectory() &&
  ['trusted', 'user'].some((space) => getXattrAt(dir, name, `${space}.overlay.opaque`)?.toString() === 'y');

async function writeContents(
  { dir, name, path }: Found,
  size: number,
  write: (bytes: Buffer) => Promise<void>,
): Promise<void> {
  const fd = openAt(dir, name, of.O_RDONLY | of.O_NONBLOCK);
  try {
    for (let done = 0; done < size; ) {
      // A new buffer each time: the stream keeps it until it has written it.
      const buffer = Buffer.allocUnsafe(Math.min(1 << 18, size - done));
      const read = readSync(fd, buffer, 0, buffer.length, done);
      if (read === 0) throw new Error(`${shown(path)}: it became shorter while it was read`);
      await write(buffer.subarray(0, read));
      done += read;
    }
  } finally {
    closeSync(fd);
  }
  await write(padding(size));
}
