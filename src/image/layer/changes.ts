/** Which paths differ between two stacks of layers, as overlayfs would show them. */
import { closeSync, constants as of, openSync, readSync } from 'node:fs';
import { type Bytes, openBeneath, shown } from '../../sys/at.ts';
import type { Entry } from '../tar/entry.ts';
import { asOwnRoot } from './own-root.ts';
import { entryOf, isOpaque } from './pack.ts';
import { isWhiteout, walk } from './tree-reader.ts';

export interface Change {
  /** Added, changed, deleted. */
  kind: 'A' | 'C' | 'D';
  /** Absolute, for people. */
  path: string;
}

/** @param before,after folders of layers, lowest first; the upper directory of a container may be the last. */
export async function changes(before: readonly string[], after: readonly string[]): Promise<Change[]> {
  return await asOwnRoot('changes', { before, after } satisfies Order);
}

interface Order {
  before: readonly string[];
  after: readonly string[];
}

interface Seen {
  folder: string;
  entry: Entry;
}

export async function changesHere({ before, after }: Order): Promise<Change[]> {
  const [old, now] = [merged(before), merged(after)];
  const all = [...new Set([...old.keys(), ...now.keys()])].sort();
  return all.flatMap((path) => {
    const [from, to] = [old.get(path), now.get(path)];
    const kind = !from ? 'A' : !to ? 'D' : isSame(from, to) ? undefined : 'C';
    return kind === undefined ? [] : [{ kind, path: `/${shown(path)}` }];
  });
}

/** From the top down: the first that has a name has it, and decides what is seen below it. */
function merged(folders: readonly string[]): Map<Bytes, Seen> {
  const seen = new Map<Bytes, Seen>();
  // Names under which nothing of the layers further down is seen; in the same layer everything is.
  const closed = new Set<Bytes>();
  for (const folder of folders.toReversed()) {
    const closedHere: Bytes[] = [];
    const root = openSync(folder, of.O_RDONLY | of.O_DIRECTORY);
    try {
      for (const found of walk(root, ({ path }) => !closed.has(path))) {
        const { path, stat } = found;
        if (closed.has(path)) continue;
        if (isWhiteout(found) || !stat.isDirectory() || isOpaque(found)) closedHere.push(path);
        if (!isWhiteout(found) && !seen.has(path)) seen.set(path, { folder, entry: entryOf(found) });
      }
    } finally {
      closeSync(root);
    }
    for (const path of closedHere) closed.add(path);
  }
  seen.delete('');
  return seen;
}

function isSame(a: Seen, b: Seen): boolean {
  if (a.folder === b.folder) return true;
  const text = ({ entry }: Seen) =>
    JSON.stringify({ ...entry, xattrs: entry.xattrs.map(([name, value]) => [name, value.toString('hex')]) });
  return text(a) === text(b) && (a.entry.type !== 'file' || contents(a, b));
}

function contents(...files: readonly [Seen, Seen]): boolean {
  const fds: number[] = [];
  const buffers = [Buffer.alloc(1 << 16), Buffer.alloc(1 << 16)] as const;
  try {
    for (const { folder, entry } of files) {
      const root = openSync(folder, of.O_RDONLY | of.O_DIRECTORY);
      fds.push(root, openBeneath(root, entry.path, of.O_RDONLY | of.O_NONBLOCK));
    }
    for (;;) {
      const sizes = buffers.map((buffer, i) => readSync(fds[2 * i + 1] ?? -1, buffer));
      if (sizes[0] !== sizes[1] || !buffers[0].subarray(0, sizes[0]).equals(buffers[1].subarray(0, sizes[0])))
        return false;
      if (sizes[0] === 0) return true;
    }
  } finally {
    for (const fd of fds) closeSync(fd);
  }
}
