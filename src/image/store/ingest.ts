/** A blob on its way into the store. Nobody sees it under its digest before it is whole, right and on the disk. */
import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  constants as of,
  openSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { isStill, tryLock } from '../../sys/flock.ts';
import type { Descriptor } from '../types.ts';
import { Hasher, parseDigest } from './digest.ts';
import { syncFolder } from './layout.ts';

export interface Ingest {
  /** Bytes that an earlier try left, and that need not come again. */
  readonly offset: number;
  /** @throws Error if more comes than the descriptor says. */
  write(chunk: Uint8Array): void;
  /** @throws Error unless size and digest are the descriptor's; the bytes are gone then. */
  commit(): void;
  /** Leaves what came so far for a later try. */
  keep(): void;
  discard(): void;
}

/** A blob whose digest is known only at its end. */
export interface Draft {
  write(chunk: Uint8Array): void;
  /** @returns its descriptor; from now on the store has it. */
  commit(mediaType: string): Descriptor;
  discard(): void;
}

export function beginDraft(partial: string, pathOf: (digest: string) => string): Draft {
  const { fd, path } = openPartial(partial, `new.${privateName()}`);
  const hasher = new Hasher();
  let size = 0;
  return {
    write(chunk) {
      size += chunk.length;
      hasher.update(chunk);
      writeAll(fd, chunk);
    },
    commit(mediaType) {
      const digest = hasher.digest();
      const to = pathOf(digest);
      fsyncSync(fd);
      renameSync(path, to);
      syncFolder(dirname(to));
      closeSync(fd);
      return { mediaType, digest, size };
    },
    discard() {
      unlinkSync(path);
      closeSync(fd);
    },
  };
}

/** Names of partial files of which there may be several at once. */
let count = 0;
export const privateName = (): string => `${process.pid}-${++count}`;

/**
 * @param partial the folder for what is not whole.
 * @param to the blob's own path.
 */
export function beginIngest(descriptor: Descriptor, partial: string, to: string): Ingest {
  const { algorithm, hex } = parseDigest(descriptor.digest);
  const { fd, path } = openPartial(partial, `${algorithm}-${hex}`);
  const hasher = new Hasher(descriptor.digest);
  const offset = resume(fd, hasher, descriptor.size);
  let size = offset;
  let open = true;
  const end = (last: () => void) => {
    if (!open) return;
    open = false;
    last();
    closeSync(fd);
  };
  const discard = () => end(() => unlinkSync(path));
  return {
    offset,
    write(chunk) {
      size += chunk.length;
      if (size > descriptor.size) {
        discard();
        throw new Error(
          `blob ${descriptor.digest}: more than the ${descriptor.size} bytes of its descriptor`,
        );
      }
      hasher.update(chunk);
      writeAll(fd, chunk);
    },
    commit() {
      const digest = hasher.digest();
      if (size !== descriptor.size || digest !== descriptor.digest) {
        discard();
        const got = size === descriptor.size ? digest : `${size} bytes of ${descriptor.size}`;
        throw new Error(`blob ${descriptor.digest}: what came is ${got}`);
      }
      end(() => {
        fsyncSync(fd);
        renameSync(path, to);
        syncFolder(dirname(to));
      });
    },
    keep: () => end(() => {}),
    discard,
  };
}

/** The lock says that somebody is at work on it. Who comes second works on a file of their own rather than wait for a network. */
export function openPartial(folder: string, name: string): { fd: number; path: string } {
  for (const path of [join(folder, name), join(folder, `${name}.${privateName()}`)]) {
    const fd = openSync(path, of.O_RDWR | of.O_CREAT | of.O_APPEND | of.O_NOFOLLOW, 0o600);
    // The one who had it may have renamed it between our open and our lock.
    if (tryLock(fd, 'exclusive') && isStill(path, fd)) return { fd, path };
    closeSync(fd);
  }
  return openPartial(folder, name);
}

/** Hashes what is there already. More than the whole is none of ours. */
function resume(fd: number, hasher: Hasher, size: number): number {
  const { size: there } = fstatSync(fd);
  if (there > size) {
    ftruncateSync(fd);
    return 0;
  }
  const buffer = Buffer.allocUnsafe(Math.min(there, 1 << 20));
  let offset = 0;
  while (offset < there) {
    const read = readSync(fd, buffer, 0, buffer.length, offset);
    hasher.update(buffer.subarray(0, read));
    offset += read;
  }
  return offset;
}

/** write(2) may take less than it was given. @param at where in the file; else behind what was written last. */
export function writeAll(fd: number, bytes: Uint8Array, at?: number): void {
  for (let done = 0; done < bytes.length; )
    done += writeSync(fd, bytes, done, undefined, at === undefined ? undefined : at + done);
}
