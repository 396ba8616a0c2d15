/** Reads a tree that may be hostile, and may change meanwhile: directory by directory, by descriptors, following nothing. */
import { type BigIntStats, lstatSync, constants as of, readdirSync, readlinkSync } from 'node:fs';
import { type Bytes, close, openBeneath, shown } from '../../sys/at.ts';

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
 * All there is, sorted by bytes, what is in a directory right behind it: GNU tar gives a directory its time when it comes to
 * something outside of it.
 *
 * @param enter whether to go into a directory.
 */
export function* walk(root: number, enter: (found: Found) => boolean = () => true): Generator<Found> {
  const top: Found = { path: '', dir: root, name: '.', stat: statAt(root, '.') };
  yield top;
  const stack = enter(top) ? [levelOf(root, '')] : [];
  try {
    for (let level = stack.at(-1); level; level = stack.at(-1)) {
      const name = level.names.pop();
      if (name === undefined) {
        leave(stack.pop());
        continue;
      }
      // However deep it goes, only one of them is open.
      level.fd ??= openDirectory(root, level.path);
      const path = level.path === '' ? name : `${level.path}/${name}`;
      const found = { path, dir: level.fd, name, stat: statAt(level.fd, name) };
      yield found;
      if (!found.stat.isDirectory() || !enter(found)) continue;
      leave(level);
      stack.push(levelOf(root, path));
    }
  } finally {
    for (const level of stack) leave(level);
  }
}

interface Level {
  path: Bytes;
  /** Those still to come, the next one last. */
  names: Bytes[];
  fd: number | undefined;
}

function levelOf(root: number, path: Bytes): Level {
  const fd = openDirectory(root, path);
  const names = readdirSync(`/proc/self/fd/${fd}`, { encoding: 'latin1' });
  return { path, names: names.sort().reverse(), fd };
}

function leave(level: Level | undefined): void {
  if (level?.fd !== undefined) close(level.fd);
  if (level) level.fd = undefined;
}

const openDirectory = (root: number, path: Bytes): number =>
  openBeneath(root, path === '' ? '.' : path, of.O_RDONLY | of.O_DIRECTORY);

const at = (dir: number, name: Bytes): Buffer => Buffer.from(`/proc/self/fd/${dir}/${name}`, 'latin1');

function statAt(dir: number, name: Bytes): BigIntStats {
  const stat = lstatSync(at(dir, name), { bigint: true, throwIfNoEntry: false });
  if (!stat) throw new Error(`${shown(name)}: it went while the tree was read`);
  return stat;
}

export const linkOf = ({ dir, name }: Found): Bytes => readlinkSync(at(dir, name), { encoding: 'latin1' });
