/**
 * The calls that take a directory's descriptor and a name in it. A path that others may have a hand in is never resolved as a
 * string: its directory is opened once, by a call that follows nothing, and what is done there is done to that descriptor.
 */
import { closeSync, constants as of } from 'node:fs';
import { errno, libcFunction, systemError } from './libc.ts';

/**
 * A name or path as the kernel has it: bytes, one a character (Node's encoding `latin1`). They are not always UTF-8, and nothing is
 * lost so.
 */
export type Bytes = string;

/** Linux's own numbers, the same on all machines that Node runs on, but for O_DIRECTORY and O_NOFOLLOW, which Node knows. */
export const O_PATH = 0o10000000;
export const O_CLOEXEC = 0o2000000;
const AT_SYMLINK_NOFOLLOW = 0x100;
export const AT_REMOVEDIR = 0x200;
const SYS_OPENAT2 = 437;
const ENODATA = 61;

const calls = {
  // glibc has no function for it: openat2(2).
  openat2: libcFunction('long syscall(long number, int dir, const char *path, const void *how, size_t size)'),
  openat: libcFunction('int openat(int dir, const char *path, int flags, unsigned int mode)'),
  mkdirat: libcFunction('int mkdirat(int dir, const char *path, unsigned int mode)'),
  mknodat: libcFunction('int mknodat(int dir, const char *path, unsigned int mode, unsigned long dev)'),
  symlinkat: libcFunction('int symlinkat(const char *target, int dir, const char *path)'),
  linkat: libcFunction(
    'int linkat(int from, const char *old, int dir, const char *path, unsigned int flags)',
  ),
  unlinkat: libcFunction('int unlinkat(int dir, const char *path, int flags)'),
  fchownat: libcFunction(
    'int fchownat(int dir, const char *path, unsigned int uid, unsigned int gid, int flags)',
  ),
  fchmodat: libcFunction('int fchmodat(int dir, const char *path, unsigned int mode, int flags)'),
  utimensat: libcFunction('int utimensat(int dir, const char *path, const void *times, int flags)'),
  futimens: libcFunction('int futimens(int fd, const void *times)'),
  fsetxattr: libcFunction(
    'int fsetxattr(int fd, const char *name, const void *value, size_t size, int flags)',
  ),
  lsetxattr: libcFunction(
    'int lsetxattr(const char *path, const char *name, const void *value, size_t size, int flags)',
  ),
  lgetxattr: libcFunction('long lgetxattr(const char *path, const char *name, void *value, size_t size)'),
  llistxattr: libcFunction('long llistxattr(const char *path, void *list, size_t size)'),
};

/** koffi writes strings as UTF-8, so only plain ones may go as they are. */
const native = (bytes: Bytes): string | Buffer =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly ASCII
  /^[\x01-\x7f]*$/.test(bytes) ? bytes : Buffer.from(`${bytes}\0`, 'latin1');

/** For people: as UTF-8, without what a terminal obeys, and not without end. */
export function shown(bytes: Bytes): string {
  const [begin, cut] = bytes.length > 300 ? [bytes.slice(0, 300), '…'] : [bytes, ''];
  const text = JSON.stringify(Buffer.from(begin, 'latin1').toString('utf8')).slice(1, -1);
  return text.replace(/[\x7f-\x9f]/g, '?') + cut;
}

function done(result: number, syscall: string, path: Bytes): number {
  if (result < 0) {
    const number = errno();
    throw systemError(syscall, shown(path), number);
  }
  return result;
}

const how = Buffer.alloc(24);
const RESOLVE_NO_XDEV = 0x01n;
const RESOLVE_NO_MAGICLINKS = 0x02n;
const RESOLVE_NO_SYMLINKS = 0x04n;
const RESOLVE_BENEATH = 0x08n;

/** openat2(2), for several components. Never leaves the directory, follows nothing: ELOOP at a symlink, EXDEV at what climbs or is mounted. */
export function openBeneath(dir: number, path: Bytes, flags: number, mode = 0): number {
  how.writeBigUInt64LE(BigInt(flags | O_CLOEXEC), 0);
  how.writeBigUInt64LE(BigInt(mode), 8);
  how.writeBigUInt64LE(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV, 16);
  return done(calls.openat2(SYS_OPENAT2, dir, native(path), how, how.length), 'openat2', path);
}

/** Here and below, `name` is one component. */
export const openAt = (dir: number, name: Bytes, flags: number, mode = 0): number =>
  done(calls.openat(dir, native(name), flags | of.O_NOFOLLOW | O_CLOEXEC, mode), 'openat', name);

export const mkdirAt = (dir: number, name: Bytes, mode: number) =>
  done(calls.mkdirat(dir, native(name), mode), 'mkdirat', name);

/** @param mode with the type: S_IFCHR and so on. */
export const mknodAt = (dir: number, name: Bytes, mode: number, dev = 0) =>
  done(calls.mknodat(dir, native(name), mode, dev), 'mknodat', name);

export const symlinkAt = (target: Bytes, dir: number, name: Bytes) =>
  done(calls.symlinkat(native(target), dir, native(name)), 'symlinkat', name);

/** A symlink is linked itself, not what it points to. */
export const linkAt = (from: number, old: Bytes, dir: number, name: Bytes) =>
  done(calls.linkat(from, native(old), dir, native(name), 0), 'linkat', name);

export const unlinkAt = (dir: number, name: Bytes, flags = 0) =>
  done(calls.unlinkat(dir, native(name), flags), 'unlinkat', name);

export const chownAt = (dir: number, name: Bytes, uid: number, gid: number) =>
  done(calls.fchownat(dir, native(name), uid, gid, AT_SYMLINK_NOFOLLOW), 'fchownat', name);

/** Follows a symlink, as Linux has no other (fchmodat(2)): only for what was just made and is none. */
export const chmodAt = (dir: number, name: Bytes, mode: number) =>
  done(calls.fchmodat(dir, native(name), mode, 0), 'fchmodat', name);

export interface Time {
  /** Since 1970; may be negative. */
  sec: number;
  /** 0 to 999999999. */
  nsec: number;
}

const times = Buffer.alloc(32);

/** Access time and modification time alike. */
function setTimes({ sec, nsec }: Time): Buffer {
  for (const at of [0, 16]) {
    times.writeInt32LE(sec | 0, at);
    times.writeInt32LE(Math.floor(sec / 2 ** 32), at + 4);
    times.writeInt32LE(nsec, at + 8);
    times.writeInt32LE(0, at + 12);
  }
  return times;
}

export const setTimesAt = (dir: number, name: Bytes, time: Time) =>
  done(calls.utimensat(dir, native(name), setTimes(time), AT_SYMLINK_NOFOLLOW), 'utimensat', name);

export const setTimesOf = (fd: number, time: Time) =>
  done(calls.futimens(fd, setTimes(time)), 'futimens', `fd ${fd}`);

export const setXattrOf = (fd: number, name: string, value: Uint8Array) =>
  done(calls.fsetxattr(fd, native(name), value, value.length, 0), 'fsetxattr', name);

/** xattr(7) has no calls with a directory; the link in /proc is to the very directory, and only the name's own end is not followed. */
const inside = (dir: number, name: Bytes): Bytes => `/proc/self/fd/${dir}/${name}`;

export const setXattrAt = (dir: number, name: Bytes, xattr: string, value: Uint8Array) =>
  done(calls.lsetxattr(native(inside(dir, name)), native(xattr), value, value.length, 0), 'lsetxattr', name);

/** Names are bytes as well; the order is the file system's. */
export function listXattrsAt(dir: number, name: Bytes): Bytes[] {
  const path = native(inside(dir, name));
  const list = whole((into) => calls.llistxattr(path, into, into.length), 'llistxattr', name);
  return list.length === 0 ? [] : list.toString('latin1').replace(/\0$/, '').split('\0');
}

/** Undefined if there is none of that name. */
export function getXattrAt(dir: number, name: Bytes, xattr: Bytes): Buffer | undefined {
  const path = native(inside(dir, name));
  try {
    return whole((into) => calls.lgetxattr(path, native(xattr), into, into.length), 'lgetxattr', name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).errno === -ENODATA) return undefined;
    throw error;
  }
}

/** An xattr and a list of them have at most 64 KiB each (xattr(7)). */
const room = Buffer.alloc(65_536);

function whole(read: (into: Buffer) => number, syscall: string, path: Bytes): Buffer {
  const size = done(read(room), syscall, path);
  return Buffer.from(room.subarray(0, size));
}

export const close = closeSync;
