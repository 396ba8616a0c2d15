/** Files in a folder where somebody else may write, too: what they put there is never followed, waited for or believed. */
import { closeSync, constants, fchownSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';

const MAX = 64 * 1024;

/** @throws EEXIST if the name is taken, also by a symlink that leads nowhere (open(2), O_EXCL). */
export function writeNew(file: string, text: string, owner: number): void {
  const fd = openSync(file, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o644);
  try {
    writeSync(fd, text);
    fchownSync(fd, owner, owner);
  } finally {
    closeSync(fd);
  }
}

/** The first 64 KiB. Undefined if it is not there or no regular file: a FIFO would keep us waiting, a symlink lead us away. */
export function readPlain(file: string): string | undefined {
  let fd: number;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    if (!fstatSync(fd).isFile()) return undefined;
    const bytes = Buffer.alloc(MAX);
    return bytes.toString('utf8', 0, readSync(fd, bytes, 0, MAX, 0));
  } finally {
    closeSync(fd);
  }
}
