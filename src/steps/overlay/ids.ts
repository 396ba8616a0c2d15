/** Whose ids the folders of an overlay have, when a container sees them as its own. */
import type { IdMapping } from '../../oci/spec.ts';

/**
 * What the kernel makes in upper and work for itself is made by whoever mounted the overlay (overlayfs.rst, "Permission
 * model"): the host's root, who is nobody in the container's map, and so could make nothing (EOVERFLOW). On disk they
 * get the first number above the container's.
 */
export function withMounter(maps: readonly IdMapping[]): readonly IdMapping[] {
  if (maps.some(({ hostID }) => hostID === 0)) return maps;
  const free = Math.max(0, ...maps.map(({ containerID, size }) => containerID + size));
  return [...maps, { containerID: free, hostID: 0, size: 1 }];
}
