/** What this kernel's overlay file system can do, for a config whose root is made of layers. */
import { release } from 'node:os';
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
