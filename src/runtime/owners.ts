/** The owners of a private rootfs, as its user namespace numbers them. Needs root: chown(2). */
import { lchownSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type IdMapping, namespace, type Spec } from '../oci/spec.ts';

/**
 * What belongs to 0 in the tree will belong to whoever is 0 inside, and so on; ids that are not mapped stay.
 * config-linux.md leaves the files of a config alone, so this is only for copies that are the container's own.
 */
export function giveToNamespace(rootfs: string, spec: Spec): void {
  const maps = mapsOf(spec);
  if (process.geteuid?.() !== 0 || maps.uid.length === 0) return;
  const give = (path: string): void => {
    const { uid, gid } = lstatSync(path);
    lchownSync(path, toHost(maps.uid, uid), toHost(maps.gid, gid));
  };
  // The tree is our own copy, and nobody else is in it yet.
  give(rootfs);
  for (const entry of readdirSync(rootfs, { recursive: true, encoding: 'utf8' })) give(join(rootfs, entry));
}

function mapsOf(spec: Spec): { uid: readonly IdMapping[]; gid: readonly IdMapping[] } {
  const path = namespace(spec, 'user')?.path;
  if (path === undefined) return { uid: spec.linux?.uidMappings ?? [], gid: spec.linux?.gidMappings ?? [] };
  const of = (file: string) => parseMap(readFileSync(join(dirname(dirname(path)), file), 'utf8'));
  return /^\/proc\/\d+\/ns\/user$/.test(path)
    ? { uid: of('uid_map'), gid: of('gid_map') }
    : { uid: [], gid: [] };
}

/** proc_pid_uid_map(5): id inside, id outside, how many. */
export function parseMap(text: string): IdMapping[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .map(([containerID = 0, hostID = 0, size = 0]) => ({ containerID, hostID, size }));
}

function toHost(maps: readonly IdMapping[], id: number): number {
  const map = maps.find(({ containerID, size }) => id >= containerID && id < containerID + size);
  return map ? map.hostID + id - map.containerID : id;
}
