/** flock(2): a lock that ends with its holder, however that ends, and leaves nothing behind. */
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
