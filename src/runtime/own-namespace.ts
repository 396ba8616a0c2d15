/**
 * How an ordinary user becomes root of a user namespace of their own: over what they make there, and over the ids of their range in
 * /etc/subuid, they have root's powers (user_namespaces(7)).
 */
import { spawnSync } from 'node:child_process';
import { readIds } from '../facts/ids.ts';
import { programPath } from '../facts/programs.ts';

/** The words before a command, or before more of unshare(1)'s options and a command. Undefined if the host forbids it. */
export function ownNamespace(uid: number): string[] | undefined {
  const unshare = programPath('unshare');
  if (unshare === undefined) return undefined;
  const how = waysIn(uid).find((flags) => works(unshare, flags));
  return how && [unshare, ...how];
}

/** With a range there are other users inside as well, such as nobody; one's own id needs no helper. */
function waysIn(uid: number): string[][] {
  const { subuids, subgids, newuidmap, newgidmap, usernsForbiddenBy } = readIds(uid);
  if (usernsForbiddenBy !== undefined) return [];
  const range =
    newuidmap !== undefined && newgidmap !== undefined && subuids.length > 0 && subgids.length > 0;
  const own = ['--user', '--map-root-user'];
  return range ? [[...own, '--map-auto'], own] : [own];
}

/** Asked of the kernel, since security modules can forbid what all switches allow. unshare(1) knows --map-auto since 2.38. */
const works = (unshare: string, flags: readonly string[]): boolean =>
  spawnSync(unshare, [...flags, '--mount', '--', 'true'], { stdio: 'ignore' }).status === 0;
