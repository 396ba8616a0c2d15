/** syncfs(2): what was written to a file system is on its disk. */
import { errno, libcFunction, systemError } from './libc.ts';

const syncfs = libcFunction('int syncfs(int fd)');

/** @param fd of any file there. @throws Error also of what an earlier write met with (since Linux 5.8). */
export function syncFileSystem(fd: number, path: string): void {
  if (syncfs(fd) === 0) return;
  const number = errno();
  throw systemError('syncfs', path, number);
}
