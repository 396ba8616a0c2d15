/** Reads a tree that may be hostile, and may change meanwhile: directory by directory, by descriptors, following nothing. */
import { type BigIntStats, lstatSync, constants as of, readdirSync, readlinkSync } from 'node:fs';
import { type Bytes, close, openBeneath, shown } from '../sys/at.ts';

export interface Found {
  /** From the tree's root, without a slash at the ends; '' is the root. */
  path: Bytes;
  /** A descriptor of the directory it is in, and its name there: good until the next one is asked for. */
  dir: number;
  name: Bytes;
  stat: BigIntStats;
}

export const isWhiteout = ({ stat }: Found): boolean => stat.isCharacterDevice() && stat.rdev === 0n;

/**
 * All there is, sorted by bytes: a directory's entries, then what is in its directories.
 *
 * @param enter whether to go into a directory.
 */
export function* walk(root: number, enter: (found: Found) => boolean = () => true): Generator<Found> {
  const top: Found = { path: '', dir: root, name: '.', stat: statAt(root, '.') };
  yield top;
  const stack: Bytes[] = enter(top) ? [''] : [];
  for (let path = stack.pop(); path !== undefined; path = stack.pop()) {
    const below: Bytes[] = [];
    for (const found of list(root, path)) {
      yield found;
      if (found.stat.isDirectory() && enter(found)) below.push(found.path);
    }
    stack.push(...below.reverse());
  }
}

function* list(root: number, path: Bytes): Generator<Found> {
  const dir = openBeneath(root, path === '' ? '.' : path, of.O_RDONLY | of.O_DIRECTORY);
  try {
    const names = readdirSync(`/proc/self/fd/${dir}`, { encoding: 'latin1' }).sort();
    for (const name of names) {
      const stat = statAt(dir, name);
      yield { path: path === '' ? name : `${path}/${name}`, dir, name, stat };
    }
  } finally {
    close(dir);
  }
}

const at = (dir: number, name: Bytes): Buffer => Buffer.from(`/proc/self/fd/${dir}/${name}`, 'latin1');

function statAt(dir: number, name: Bytes): BigIntStats {
  const stat = lstatSync(at(dir, name), { bigint: true, throwIfNoEntry: false });
  if (!stat) throw new Error(`${shown(name)}: it went while the tree was read`);
  return stat;
}

export const linkOf = ({ dir, name }: Found): Bytes => readlinkSync(at(dir, name), { encoding: 'latin1' });
