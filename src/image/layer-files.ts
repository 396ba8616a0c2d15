/**
 * Files of an image, found in its layers without mounting them. The layers are the store's own, which nobody changes;
 * what is in them is somebody else's, so each name is looked at before it is believed, and symlinks stay inside.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  readSync,
  type Stats,
} from 'node:fs';
import { join, posix } from 'node:path';

/** As many as the kernel follows (path_resolution(7)). */
const MOST_LINKS = 40;

/**
 * A small text file. An opaque directory is not told from any other here: whatever a layer hides so is found still.
 *
 * @param layers folders, the lowest first.
 * @param most bytes that are read.
 * @returns undefined if there is no such regular file.
 */
export function readInLayers(layers: readonly string[], path: string, most = 1 << 20): string | undefined {
  let rest = names(path);
  let at: string[] = [];
  for (let links = 0; rest.length > 0; ) {
    const [name = '', ...further] = rest;
    rest = further;
    if (name === '..') {
      at = at.slice(0, -1);
      continue;
    }
    const found = topmost(layers, [...at, name].join('/'));
    if (!found) return undefined;
    if (found.stat.isSymbolicLink()) {
      if (++links > MOST_LINKS) return undefined;
      const target = readlinkSync(found.path);
      if (target.startsWith('/')) at = [];
      rest = [...names(target), ...rest];
    } else if (rest.length === 0) return found.stat.isFile() ? readStart(found.path, most) : undefined;
    else if (found.stat.isDirectory()) at = [...at, name];
    else return undefined;
  }
  return undefined;
}

const names = (path: string) => path.split('/').filter((name) => name !== '' && name !== '.');

interface Found {
  readonly path: string;
  readonly stat: Stats;
}

/** @param path relative, of plain names; what leads there is a directory in every layer that counts. */
export function topmost(layers: readonly string[], path: string): Found | undefined {
  for (const layer of layers.toReversed()) {
    const found = reach(layer, path.split('/'));
    if (found === 'hidden') return undefined;
    if (found) return found;
  }
  return undefined;
}

/** A character device 0/0 says that a name is gone (overlayfs.rst); whatever is no directory hides those below it. */
function reach(layer: string, path: readonly string[]): Found | 'hidden' | undefined {
  let at = layer;
  for (const [i, name] of path.entries()) {
    at = join(at, name);
    const stat = lstatSync(at, { throwIfNoEntry: false });
    if (!stat) return undefined;
    if (stat.isCharacterDevice() && stat.rdev === 0) return 'hidden';
    if (i === path.length - 1) return { path: at, stat };
    if (!stat.isDirectory()) return 'hidden';
  }
  return undefined;
}

function readStart(path: string, most: number): string {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const bytes = Buffer.alloc(Math.min(most, fstatSync(fd).size));
    return bytes.toString('utf8', 0, readSync(fd, bytes));
  } finally {
    closeSync(fd);
  }
}

/** An absolute path inside, without `..`. */
export const insidePath = (path: string): string => posix.resolve('/', path);
