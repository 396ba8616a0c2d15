/** --userns: whose ids the container's are. */

import { statSync } from 'node:fs';
import type { IdRange } from '../facts/facts.ts';
import { readIds } from '../facts/ids.ts';
import { MAP_ROOTFS_ANNOTATION } from '../oci/annotations.ts';
import type { IdMapping, Spec } from '../oci/spec.ts';
import { inOrder, spareMaps } from '../runtime/spare-ids.ts';
import type { SpecFlags } from './spec-flags.ts';

/** @throws Error naming the flag and what it takes. */
export function setUserns(spec: Spec, flags: SpecFlags): void {
  const ordinary = process.geteuid?.() !== 0;
  // As of an early lesson it has the one id that needs no helper.
  if (flags.userns === undefined && (!ordinary || flags.lesson !== undefined)) return;
  const set = modes[flags.userns ?? 'auto'];
  if (!set) throw new Error(`--userns ${flags.userns}: it takes host, auto or keep-id`);
  set(spec, ordinary, flags);
}

const modes: Readonly<Record<string, (spec: Spec, ordinary: boolean, flags: SpecFlags) => void>> = {
  host(_spec, ordinary) {
    if (ordinary)
      throw new Error(
        '--userns host: only root can do without a user namespace; leave the flag out, or use sudo',
      );
  },
  auto(spec, ordinary, flags) {
    if (!ordinary) return remap(spec, flags);
    const own = ownRanges();
    map(spec, ...own.map(({ id, ranges }) => inOrder([{ first: id, count: 1 }, ...ranges])));
  },
  'keep-id'(spec, ordinary) {
    if (!ordinary) throw new Error('--userns keep-id: is for ordinary users; root uses auto');
    map(spec, ...ownRanges().map(({ id, ranges }) => around(id, ranges)));
    const [uid, gid] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0];
    if (spec.process) spec.process.user ??= { uid, gid };
  },
};

function map(spec: Spec, uidMappings: IdMapping[] = [], gidMappings: IdMapping[] = []): void {
  const namespaces = spec.linux?.namespaces ?? [];
  const others = namespaces.filter(({ type }) => type !== 'user');
  spec.linux = { ...spec.linux, namespaces: [...others, { type: 'user' }], uidMappings, gidMappings };
}

/** A private rootfs is given to these ids (runtime/owners.ts); one that somebody named stays whose it is. */
function remap(spec: Spec, flags: SpecFlags): void {
  const { uidMappings, gidMappings } = spareMaps();
  map(spec, uidMappings, gidMappings);
  if (flags.rootfs === undefined || ownerOf(spec.root?.path) === uidMappings[0]?.hostID) return;
  spec.annotations = { ...spec.annotations, [MAP_ROOTFS_ANNOTATION]: 'true' };
}

/** One that is theirs already needs no other owners, and shows the host whose it is. */
const ownerOf = (rootfs = '/') => statSync(rootfs, { throwIfNoEntry: false })?.uid;

/** Without the helper that may map them, no ranges. */
function ownRanges(): { id: number; ranges: readonly IdRange[] }[] {
  const [uid, gid] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0];
  const { subuids, subgids, newuidmap, newgidmap } = readIds(uid);
  const able = newuidmap !== undefined && newgidmap !== undefined && subuids.length > 0 && subgids.length > 0;
  return [
    { id: uid, ranges: able ? subuids : [] },
    { id: gid, ranges: able ? subgids : [] },
  ];
}

/** The id itself stays what it is; the ranges fill what is below and above it. */
function around(id: number, ranges: readonly IdRange[]): IdMapping[] {
  const below: IdMapping[] = [];
  const above: IdMapping[] = [];
  let containerID = 0;
  for (const { first, count } of ranges) {
    const fits = Math.max(0, Math.min(count, id - containerID));
    if (fits > 0) below.push({ containerID, hostID: first, size: fits });
    containerID += fits;
    if (containerID === id) containerID++;
    if (count > fits) above.push({ containerID, hostID: first + fits, size: count - fits });
    containerID += count - fits;
  }
  return [...below, { containerID: id, hostID: id, size: 1 }, ...above];
}
