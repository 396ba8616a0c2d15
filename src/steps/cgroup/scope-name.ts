/** Names of systemd's scopes and slices, and the cgroups that go by them. */
import { basename, dirname, join } from 'node:path';
import type { SystemdFacts } from '../../facts/facts.ts';

/** Our part of a scope: see scope.ts. */
const OWN = 'container';

/**
 * @param path `slice:prefix:name`, as engines write it for a systemd driver; each may be empty.
 * @throws Error for any other.
 */
export function scopeOf(
  path: string | undefined,
  id: string,
  manager: SystemdFacts['manager'],
): { slice: string; unit: string } {
  const [asked, prefix = 'tslab', name, ...more] = (path || undefined)?.split(':') ?? [];
  const slice = asked === '-' ? '-.slice' : asked || (manager === 'system' ? 'system.slice' : 'user.slice');
  const unit = `${[prefix, name || id].filter((part) => part !== '').join('-')}.scope`;
  // systemd.unit(5): the characters of a unit's name, 255 at most with its suffix; systemd.slice(5): dashes part the slices.
  const wellNamed = [slice, unit].every((word) => /^[\w:.\\@-]{1,255}$/.test(word));
  const wellParted = slice === '-.slice' || /^[^-]+(-[^-]+)*\.slice$/.test(slice);
  if (more.length > 0 || (path && name === undefined) || !wellNamed || !wellParted)
    throw new Error(
      `linux.cgroupsPath is ${JSON.stringify(path)}: with systemd it takes slice:prefix:name, such as system.slice:tslab:web`,
    );
  return { slice, unit };
}

/** From the cgroup below which systemd has everything, to the container's. */
export function scopePath(slice: string, unit: string): string {
  const parts = slice === '-.slice' ? [] : slice.slice(0, -'.slice'.length).split('-');
  // `a-b.slice` is in `a.slice` (systemd.slice(5)).
  const slices = parts.map((_, i) => escaped(`${parts.slice(0, i + 1).join('-')}.slice`));
  return join('/', ...slices, escaped(unit), OWN);
}

/** Back from such a path: the scope's name, its slice, its cgroup. */
export function scopeIn(cgroupsPath: string): { unit: string; slice: string; path: string } {
  const path = dirname(cgroupsPath);
  const above = plain(basename(dirname(path)));
  return { unit: plain(basename(path)), slice: above.endsWith('.slice') ? above : '-.slice', path };
}

/** A cgroup's name must not be that of a file of the kernel's in there, so systemd marks those that could be one. */
function escaped(name: string): string {
  const controllers = 'cgroup|cpu|cpuacct|cpuset|io|blkio|memory|devices|pids|bpf-[a-z-]+';
  return new RegExp(`^([_.]|(${controllers})\\.)`).test(name) ? `_${name}` : name;
}

const plain = (name: string) => name.replace(/^_/, '');
