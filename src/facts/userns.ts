/** What may keep an ordinary user from making a user namespace, although the kernel has them. */
import { readFileSync } from 'node:fs';
import type { IdRange } from './facts.ts';

/** Each is a file in /proc/sys; `forbids` says whether its value does. */
const switches = [
  { name: 'user.max_user_namespaces', forbids: (value: string) => value === '0', remedy: '15000' },
  // Debian's and older Ubuntu's own switch.
  { name: 'kernel.unprivileged_userns_clone', forbids: (value: string) => value === '0', remedy: '1' },
  // Ubuntu 23.10 and later: a program without an AppArmor profile gets a namespace in which it may do nothing.
  {
    name: 'kernel.apparmor_restrict_unprivileged_userns',
    forbids: (value: string) => value === '1',
    remedy: '0',
  },
];

/** The first switch that is off, as the line to type: `sudo sysctl NAME=VALUE`. */
export function usernsForbiddenBy(read: (path: string) => string = readOrNothing): string | undefined {
  const off = switches.find(({ name, forbids }) => forbids(read(`/proc/sys/${name.replaceAll('.', '/')}`)));
  return off && `${off.name}=${off.remedy}`;
}

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return ''; // this kernel has no such switch
  }
}

/** Whether root here is somebody else outside (proc_pid_uid_map(5)): then many of root's powers end at what the namespace owns. */
export function inUserNamespace(): boolean {
  return readOrNothing('/proc/self/uid_map').replace(/\s+/g, ' ') !== '0 0 4294967295';
}

/** Whether this id means anybody in the namespace that we are in. */
export function isMappedHere(id: number, sort: 'uid' | 'gid' = 'uid'): boolean {
  return rangesHere(sort).some((range) => holds(range, id));
}

const holds = ({ first, count }: IdRange, id: number) => id >= first && id < first + count;

/** The ids that mean somebody here, line by line: a line of a map below us may not go across two of ours (user_namespaces(7)). */
function rangesHere(sort: 'uid' | 'gid', read = readOrNothing): IdRange[] {
  return read(`/proc/self/${sort}_map`)
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .map(([first = 0, , count = 0]) => ({ first, count }));
}

/** Above all that distributions give to people, and systemd to its own containers (systemd.io/UIDS-GIDS). */
const nobodys: IdRange = { first: 0x70000000, count: 65536 };

/**
 * Ids for containers to be, that belong to nobody here. A user namespace has few: there it is the upper half of the
 * longest range, where no user is either. Undefined where there is one id and no more.
 */
export function spareIds(sort: 'uid' | 'gid', read = readOrNothing): IdRange | undefined {
  const ranges = rangesHere(sort, read).sort((a, b) => b.count - a.count);
  if (ranges.some((range) => holds(range, nobodys.first))) return nobodys;
  const { first = 0, count = 0 } = ranges[0] ?? {};
  if (count < 2) return undefined;
  const half = Math.floor(count / 2);
  return { first: first + count - half, count: half };
}
