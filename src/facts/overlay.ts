/** What this kernel's overlay file system can do, for a config whose root is made of layers. */
import { existsSync, statfsSync } from 'node:fs';
import { release } from 'node:os';
import { dirname } from 'node:path';
import { LOWER_ANNOTATION } from '../oci/annotations.ts';
import type { Spec } from '../oci/spec.ts';
import type { Facts, OverlayFacts } from './facts.ts';
import { isAtLeast } from './kernel.ts';
import { inUserNamespace } from './userns.ts';

/** A plain start doesn't pay for it. */
export function overlayFor(spec: Spec | undefined): Pick<Facts, 'overlay'> {
  return spec?.annotations?.[LOWER_ANNOTATION] === undefined ? {} : { overlay: overlayFacts() };
}

/**
 * By version: nothing short of a mount would tell more. `lowerdir+` takes descriptors since 6.13, also of paths alone;
 * folders of detached mounts, the only ones that are id-mapped and seen by nobody, since 6.15.
 */
export const overlayFacts = (): OverlayFacts => ({
  byDescriptor: isAtLeast(release(), 6, 13),
  mapsLayers: isAtLeast(release(), 6, 15),
  ownRoot: inUserNamespace(),
});

/** File systems that can't hold an upper layer (overlayfs.rst, "Upper and Lower"; statfs(2)). */
const noUpper: ReadonlyMap<number, string> = new Map([
  [0x794c7630, 'overlay'],
  [0x6969, 'NFS'],
  [0x01021997, '9p'],
]);

/** The type of the file system of a folder, if it takes no upper layer. */
export const takesNoUpper = (folder: string): string | undefined => noUpper.get(statfsSync(folder).type);

const TMPFS = 0x01021994;

/**
 * Whether an overlay's changes can be kept below a folder, which need not be there yet. Layers marked by attributes of
 * the name space `user`, the only ones in a user namespace, come with 5.11; a tmpfs has room for these since 6.6 (xattr(7)).
 */
export function holdsUpper(folder: string): boolean {
  let there = folder;
  while (!existsSync(there)) there = dirname(there);
  if (!isAtLeast(release(), 5, 11) || takesNoUpper(there) !== undefined) return false;
  return !inUserNamespace() || statfsSync(there).type !== TMPFS || isAtLeast(release(), 6, 6);
}
