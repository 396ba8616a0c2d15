/** The directories of a layer that is being made: their descriptors while it is, and their own facts at its end. */
import { fchmodSync, fchownSync, constants as of } from 'node:fs';
import {
  AT_REMOVEDIR,
  type Bytes,
  close,
  mkdirAt,
  O_PATH,
  openBeneath,
  setTimesOf,
  setXattrOf,
  shown,
  type Time,
  unlinkAt,
} from '../../sys/at.ts';
import type { Owner, Rights } from './owned.ts';

/** What a directory is given at the end: until then it is written into, which changes its time. */
export interface Facts extends Owner {
  mode: number;
  mtime: Time;
  xattrs: readonly (readonly [Bytes, Buffer])[];
}

/** For those that the archive fills without listing them. */
const unlisted: Facts = { mode: 0o755, uid: 0, gid: 0, mtime: { sec: 0, nsec: 0 }, xattrs: [] };

/** Names and xattrs are kept in memory until the end. A large image has some MiB of them; an archive of a few MiB could have all there is. */
const MOST_KEPT = 128 << 20;

/** Of an object of ours, about. */
const OVERHEAD = 100;

/** Archives go from one directory to the next, and back to its parents. */
const KEPT_OPEN = 64;

export class Directories {
  readonly #root: number;
  readonly #rights: Rights;
  readonly #facts = new Map<Bytes, Facts>([['', unlisted]]);
  readonly #opaque = new Set<Bytes>();
  readonly #open = new Map<Bytes, number>();
  #kept = 0;
  /** Names that a whiteout has taken. */
  readonly whiteouts = new Set<Bytes>();

  /** @param root a descriptor of the layer's empty folder; it stays the caller's. */
  constructor(root: number, rights: Rights) {
    this.#root = root;
    this.#rights = rights;
  }

  has(parts: readonly Bytes[]): boolean {
    return this.#facts.has(parts.join('/'));
  }

  /** A descriptor that is good until the next call; missing ones are made. @throws Error if something else is in the way. */
  need(parts: readonly Bytes[]): number {
    const path = parts.join('/');
    if (!this.#facts.has(path)) this.make(parts);
    return this.#descriptor(path);
  }

  /** Makes it, unless it is there, and remembers what it shall be. */
  make(parts: readonly Bytes[], facts?: Facts): void {
    const path = parts.join('/');
    if (!this.#facts.has(path)) {
      const parent = this.need(parts.slice(0, -1));
      const name = parts.at(-1) ?? '';
      // What was there below is gone; what comes now is new.
      if (this.whiteouts.delete(path)) {
        unlinkAt(parent, name);
        this.#opaque.add(path);
      }
      makeOne(parent, name, path);
      this.#keep(path.length + OVERHEAD);
      this.#facts.set(path, unlisted);
    }
    if (!facts) return;
    // Copies: a piece of a buffer keeps all of it.
    const xattrs = facts.xattrs.map(([name, value]) => [name, Buffer.from(value)] as const);
    this.#keep(xattrs.reduce((sum, [name, value]) => sum + name.length + value.length + OVERHEAD, 0));
    const { mode, uid, gid, mtime } = facts;
    this.#facts.set(path, { mode, uid, gid, mtime, xattrs });
  }

  /** A name that a whiteout has taken. */
  takeAway(path: Bytes): void {
    this.#keep(path.length + OVERHEAD);
    this.whiteouts.add(path);
  }

  #keep(bytes: number): void {
    this.#kept += bytes;
    if (this.#kept > MOST_KEPT)
      throw new Error(`with it, the names and xattrs of directories take more than ${MOST_KEPT} bytes`);
  }

  /** It hides what is below it in lower layers. */
  hide(parts: readonly Bytes[]): void {
    if (parts.length === 0) throw new Error('it hides all that is below the layer, which overlayfs can not');
    this.need(parts);
    this.#opaque.add(parts.join('/'));
  }

  /** One at the root that is empty, and was never meant to be there. */
  drop(name: Bytes): void {
    const fd = this.#open.get(name);
    if (fd !== undefined) close(fd);
    this.#open.delete(name);
    this.#facts.delete(name);
    unlinkAt(this.#root, name, AT_REMOVEDIR);
  }

  finish(): void {
    for (const [path, facts] of this.#facts) {
      const fd = path === '' ? this.#root : openBeneath(this.#root, path, of.O_RDONLY | of.O_DIRECTORY);
      try {
        this.#finish(fd, path, facts);
      } catch (error) {
        throw new Error(`layer: ${shown(path)}/: ${(error as Error).message}`);
      } finally {
        if (fd !== this.#root) close(fd);
      }
    }
  }

  #finish(fd: number, path: Bytes, facts: Facts): void {
    const owner = this.#rights.ownerOf(facts);
    fchownSync(fd, owner.uid, owner.gid);
    fchmodSync(fd, facts.mode);
    for (const [name, value] of this.#rights.xattrsOf(facts.xattrs)) setXattrOf(fd, name, value);
    if (this.#opaque.has(path)) setXattrOf(fd, this.#rights.opaque, Buffer.from('y'));
    setTimesOf(fd, facts.mtime);
  }

  /** Closes what is kept open, whatever came of it. */
  close(): void {
    for (const fd of this.#open.values()) close(fd);
    this.#open.clear();
  }

  #descriptor(path: Bytes): number {
    if (path === '') return this.#root;
    const known = this.#open.get(path);
    // Behind all others now: it is the last that would be closed.
    this.#open.delete(path);
    const fd = known ?? openBeneath(this.#root, path, O_PATH | of.O_DIRECTORY);
    this.#open.set(path, fd);
    if (this.#open.size > KEPT_OPEN) {
      const [[oldest, its] = ['', -1]] = this.#open;
      close(its);
      this.#open.delete(oldest);
    }
    return fd;
  }
}

function makeOne(parent: number, name: Bytes, path: Bytes): void {
  try {
    mkdirAt(parent, name, 0o700);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new Error(`${shown(path)} is no directory in this layer`);
  }
}
