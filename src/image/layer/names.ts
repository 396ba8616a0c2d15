/** The names that entries of a layer bear: which are none, and which take something away (image-spec, layer.md, "Whiteouts"). */
import { type Bytes, shown } from '../../sys/at.ts';

/** Linux: limits.h. The layer's own folder is in front of it when it is looked at, so not all of PATH_MAX is to be had. */
const PATH = 3800;
const NAME = 255;

const PREFIX = '.wh.';
const OPAQUE = '.wh..wh..opq';

/**
 * A path's names, from the layer's root down; none for the root itself.
 *
 * @throws Error if it could lead out of the layer, or has a name that can only be the last.
 */
export function partsOf(path: Bytes): Bytes[] {
  if (path.startsWith('/')) throw new Error('an absolute name');
  if (path.length > PATH) throw new Error(`a name of ${path.length} bytes; ${PATH} are the most`);
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  for (const [i, part] of parts.entries()) {
    if (part === '..') throw new Error('a name with .. in it');
    if (part.length > NAME)
      throw new Error(`a name with a part of ${part.length} bytes; ${NAME} are the most`);
    if (part.startsWith(PREFIX) && i < parts.length - 1 && !isAufs(parts))
      throw new Error(`${shown(part)} is a whiteout, and nothing can be below one`);
  }
  return parts;
}

/** Names at a layer's root that aufs had for itself, and that docker left in images when it ran on that. */
const aufs = { links: '.wh..wh.plnk', others: ['.wh..wh.aufs', '.wh..wh.orph'] };

export const isAufs = ([first = '']: readonly Bytes[]): boolean =>
  first === aufs.links || aufs.others.includes(first);

/** Where it kept a file of many names: the layer's hard links may be to names in there. */
export const isAufsLink = (parts: readonly Bytes[]): boolean => parts.length === 2 && parts[0] === aufs.links;

export type Whiteout = { opaque: true } | { hides: Bytes };

/** What an entry of this name takes away; undefined for any other. @throws Error if it is none of those that there are. */
export function whiteoutOf(name: Bytes): Whiteout | undefined {
  if (!name.startsWith(PREFIX)) return undefined;
  if (name === OPAQUE) return { opaque: true };
  const hides = name.slice(PREFIX.length);
  if (['', '.', '..'].includes(hides) || hides.startsWith(PREFIX))
    throw new Error('a whiteout of nothing that could be there');
  return { hides };
}

export const whiteoutName = (name: Bytes): Bytes => PREFIX + name;
export const opaqueName = OPAQUE;
/** A file of such a name can't be in a layer: it would take another away. */
export const isReserved = (name: Bytes): boolean => name.startsWith(PREFIX);
