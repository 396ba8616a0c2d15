/** Maps of containers whose ids are nobody's on the host: root's to give. */
import type { IdRange } from '../facts/facts.ts';
import { rangesFor } from '../facts/ids.ts';
import { isMappedHere, spareIds } from '../facts/userns.ts';
import type { IdMapping } from '../oci/spec.ts';

/** Names in /etc/subuid that are there for containers and no person; the first that has a range gives it. */
const owners = ['tslab', 'containers'];

/** @throws Error where we are in a user namespace that has one id and no other. */
export function spareMaps(): { uidMappings: IdMapping[]; gidMappings: IdMapping[] } {
  return { uidMappings: spare('uid'), gidMappings: spare('gid') };
}

function spare(sort: 'uid' | 'gid'): IdMapping[] {
  const given = owners.map((owner) => rangesFor(`/etc/sub${sort}`, undefined, owner)[0]);
  // In a user namespace, that file still speaks of the numbers outside.
  const ours = given.find((range) => range && isMappedHere(range.first, sort)) ?? spareIds(sort);
  if (!ours) throw new Error(`--userns auto: /proc/self/${sort}_map has one id: there is none to spare`);
  return inOrder([ours]);
}

/** Inside, one range follows the other from 0. */
export function inOrder(ranges: readonly IdRange[]): IdMapping[] {
  let containerID = 0;
  return ranges.map(({ first, count }) => {
    const mapping = { containerID, hostID: first, size: count };
    containerID += count;
    return mapping;
  });
}
