/** flock(2): a lock that ends with its holder, however that ends, and leaves nothing behind. */
import { closeSync, constants, fstatSync, openSync, statSync } from 'node:fs';
import { errno, libcFunction, systemError } from './libc.ts';

const flock = libcFunction('int flock(int fd, int operation)');
const SHARED = 1;
const EXCLUSIVE = 2;
const AT_ONCE = 4;
const EWOULDBLOCK = 11;

export type Mode = 'shared' | 'exclusive';

const operation = { shared: SHARED, exclusive: EXCLUSIVE } as const;

/** Waits; only for locks that are held for moments. Another descriptor of the same process counts as another holder. */
export function lock(fd: number, mode: Mode): void {
  const EINTR = 4;
  for (;;) {
    if (flock(fd, operation[mode]) === 0) return;
    const number = errno();
    if (number !== EINTR) throw systemError('flock', `fd ${fd}`, number);
  }
}

/** @returns whether it is ours now. A lock that is held already changes to this mode. */
export function tryLock(fd: number, mode: Mode): boolean {
  if (flock(fd, operation[mode] | AT_ONCE) === 0) return true;
  const number = errno();
  if (number === EWOULDBLOCK) return false;
  throw systemError('flock', `fd ${fd}`, number);
}

/** Whether the path still leads to what was opened: whoever had the lock before may have renamed or removed it. */
export function isStill(path: string, fd: number): boolean {
  const [here, there] = [fstatSync(fd), statSync(path, { throwIfNoEntry: false })];
  return there !== undefined && here.ino === there.ino && here.dev === there.dev;
}

/**
 * A lock on a folder itself, so that there is no file for it.
 *
 * @param make what makes the folder; it may go again at any moment before it is locked.
 * @returns a descriptor; closing it unlocks.
 */
export function lockFolder(path: string, mode: Mode, make: () => void): number {
  for (;;) {
    unlessGone(make);
    const fd = open(path);
    if (fd === undefined) continue;
    lock(fd, mode);
    if (isStill(path, fd)) return fd;
    closeSync(fd);
  }
}

/** Undefined if there is none. */
export const open = (path: string, flags = 0): number | undefined =>
  unlessGone(() => openSync(path, constants.O_RDONLY | flags));

function unlessGone<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
