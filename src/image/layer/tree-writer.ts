/**
 * Makes what a layer's archive lists, in the form that overlayfs takes for a lower directory (kernel, Documentation/filesystems/
 * overlayfs.rst): a whiteout is a character device 0:0, a directory that hides the one below has an xattr.
 *
 * The archive is hostile. All is done to descriptors of directories that were made for it; nothing is ever replaced, so what was
 * looked at stays what it was; and the folder is nobody's but ours meanwhile.
 */
import { fchmodSync, fchownSync, ftruncateSync, constants as of } from 'node:fs';
import {
  type Bytes,
  chmodAt,
  chownAt,
  close,
  linkAt,
  mknodAt,
  openAt,
  setTimesAt,
  setTimesOf,
  setXattrAt,
  setXattrOf,
  shown,
  symlinkAt,
  unlinkAt,
} from '../../sys/at.ts';
import { writeAll } from '../store/ingest.ts';
import type { Entry, EntryType } from '../tar/entry.ts';
import type { Handler } from '../tar/reader.ts';
import { Directories } from './directories.ts';
import { isAufs, isAufsLink, partsOf, type Whiteout, whiteoutOf } from './names.ts';
import { type Note, type Owner, Rights } from './owned.ts';

/** inode(7) */
const S_ISUID = 0o4000;
const S_ISGID = 0o2000;

type Maker = (entry: Entry, parts: readonly Bytes[], name: Bytes) => void;

export class TreeWriter implements Handler {
  readonly #rights: Rights;
  readonly #directories: Directories;
  readonly #umask = process.umask();
  #file: { fd: number; entry: Entry } | undefined;
  /** A folder and a name in it each. */
  readonly #aufs: [Bytes, Bytes][] = [];

  /** @param root a descriptor of the layer's empty folder; it stays the caller's. */
  constructor(root: number, note: Note) {
    this.#rights = new Rights(note);
    this.#directories = new Directories(root, this.#rights);
  }

  /** @throws Error that names the entry; so does end(). */
  entry(entry: Entry): void {
    named(entry, () => {
      const parts = partsOf(entry.path);
      const name = parts.at(-1);
      if (isAufs(parts)) {
        this.#takeAufs(entry, parts);
        return;
      }
      if (name === undefined && entry.type !== 'directory') throw new Error(`a ${entry.type} for the root`);
      const whiteout = whiteoutOf(name ?? '');
      if (whiteout) this.#takeAway(entry, parts.slice(0, -1), whiteout);
      else this.#makers[entry.type](entry, parts, name ?? '');
    });
  }

  data(bytes: Buffer, at: number): void {
    const file = this.#file;
    if (file) named(file.entry, () => writeAll(file.fd, bytes, at));
  }

  end(): void {
    const file = this.#file;
    this.#file = undefined;
    if (!file) return;
    try {
      named(file.entry, () => this.#finishFile(file.fd, file.entry));
    } finally {
      close(file.fd);
    }
  }

  /** After the last entry: the directories' own facts. */
  finish(): void {
    this.#dropAufs();
    this.#directories.finish();
  }

  [Symbol.dispose](): void {
    if (this.#file) close(this.#file.fd);
    this.#file = undefined;
    this.#directories.close();
  }

  readonly #makers: Readonly<Record<EntryType, Maker>> = {
    directory: (entry, parts) => this.#directories.make(parts, entry),
    file: (entry, parts, name) => {
      const mode = entry.mode & 0o777;
      const fd = openAt(this.#place(parts), name, of.O_WRONLY | of.O_CREAT | of.O_EXCL, mode);
      this.#file = { fd, entry };
      // What is not written to later stays a hole (ftruncate(2)).
      if (entry.sparse) ftruncateSync(fd, entry.size);
    },
    link: (entry, parts, name) => {
      const target = partsOf(entry.link);
      const there = target.slice(0, -1);
      const old = target.at(-1);
      if (
        old === undefined ||
        !this.#directories.has(there) ||
        this.#directories.whiteouts.has(target.join('/'))
      )
        throw new Error(`a hard link to ${shown(entry.link)}, which is not in this layer`);
      const dir = this.#place(parts);
      linkAt(this.#directories.need(there), old, dir, name);
    },
    symlink: (entry, parts, name) => {
      const dir = this.#place(parts);
      symlinkAt(entry.link, dir, name);
      this.#finishAt(dir, name, entry);
    },
    char: (entry, parts, name) => this.#device(entry, parts, name, of.S_IFCHR),
    block: (entry, parts, name) => this.#device(entry, parts, name, of.S_IFBLK),
    fifo: (entry, parts, name) => this.#node(entry, parts, name, of.S_IFIFO, 0),
  };

  #device(entry: Entry, parts: readonly Bytes[], name: Bytes, type: number): void {
    const { major, minor } = entry;
    if (this.#rights.ordinary)
      throw new Error(`a device node (${major}:${minor}): making one takes the host's root`);
    if (major === 0 && minor === 0)
      throw new Error("the device 0:0, which is overlayfs's sign of a whiteout");
    // The kernel has 12 bits for the one and 20 for the other.
    if (major < 0 || major > 0xfff || minor < 0 || minor > 0xfffff)
      throw new Error(`the device ${major}:${minor}`);
    this.#node(entry, parts, name, type, makedev(major, minor));
  }

  #node(entry: Entry, parts: readonly Bytes[], name: Bytes, type: number, dev: number): void {
    const dir = this.#place(parts);
    mknodAt(dir, name, type | 0o600, dev);
    this.#finishAt(dir, name, entry);
  }

  /** The directory for a name that is new. */
  #place(parts: readonly Bytes[]): number {
    const dir = this.#directories.need(parts.slice(0, -1));
    if (this.#directories.whiteouts.delete(parts.join('/'))) unlinkAt(dir, parts.at(-1) ?? '');
    return dir;
  }

  /** None of it is the image's. But a file of many names has to be there, until the last of them is made. */
  #takeAufs(entry: Entry, parts: readonly Bytes[]): void {
    const [folder = '', name = ''] = parts;
    if (entry.type !== 'file' || !isAufsLink(parts)) return;
    this.#makers.file(entry, parts, name);
    this.#aufs.push([folder, name]);
  }

  #dropAufs(): void {
    for (const [folder, name] of this.#aufs) unlinkAt(this.#directories.need([folder]), name);
    for (const folder of new Set(this.#aufs.map(([folder]) => folder))) this.#directories.drop(folder);
  }

  #takeAway(entry: Entry, parent: readonly Bytes[], whiteout: Whiteout): void {
    if (entry.type !== 'file') throw new Error(`a whiteout that is a ${entry.type}`);
    if ('opaque' in whiteout) {
      this.#directories.hide(parent);
      return;
    }
    const parts = [...parent, whiteout.hides];
    // It is about lower layers alone (layer.md): of what this one has under that name, it hides what is below.
    if (this.#directories.has(parts)) {
      this.#directories.hide(parts);
      return;
    }
    try {
      mknodAt(this.#directories.need(parent), whiteout.hides, of.S_IFCHR);
      this.#directories.takeAway(parts.join('/'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }

  #finishFile(fd: number, entry: Entry): void {
    const owner = this.#rights.ownerOf(entry);
    // chown(2) takes the bits for setuid away, and a capability with them; so it comes first.
    if (!this.#rights.isOurs(owner)) fchownSync(fd, owner.uid, owner.gid);
    const mode = modeFor(entry, owner);
    if ((mode & 0o777 & ~this.#umask) !== entry.mode) fchmodSync(fd, mode);
    for (const [name, value] of this.#rights.xattrsOf(entry.xattrs)) setXattrOf(fd, name, value);
    setTimesOf(fd, entry.mtime);
  }

  #finishAt(dir: number, name: Bytes, entry: Entry): void {
    const owner = this.#rights.ownerOf(entry);
    chownAt(dir, name, owner.uid, owner.gid);
    if (entry.type !== 'symlink') chmodAt(dir, name, entry.mode);
    for (const [xattr, value] of this.#rights.xattrsOf(entry.xattrs)) setXattrAt(dir, name, xattr, value);
    setTimesAt(dir, name, entry.mtime);
  }
}

/** Who runs a set-user-ID program becomes its owner: not root, because its own owner is nobody here. */
const modeFor = ({ mode, uid, gid }: Entry, owner: Owner): number =>
  mode & ~(owner.uid === uid ? 0 : S_ISUID) & ~(owner.gid === gid ? 0 : S_ISGID);

/** glibc's makedev(3), for numbers that the kernel has room for. */
const makedev = (major: number, minor: number): number =>
  major * 0x100 + (minor & 0xff) + (minor >>> 8) * 0x100000;

function named(entry: Entry, act: () => void): void {
  try {
    act();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'EEXIST' ? 'a second entry of this name' : message;
    throw new Error(`layer: ${shown(entry.path)}: ${why}`);
  }
}
