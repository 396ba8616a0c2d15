/** Which cgroup trees this host has mounted, what they have to give, and where this user may make cgroups. */
import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Spec } from '../oci/spec.ts';
import type { CgroupFacts } from './facts.ts';
import { managerOf } from './systemd.ts';

/** @param mounts lines of /proc/self/mountinfo. */
export function cgroupFacts(mounts: readonly string[], spec?: Spec): CgroupFacts {
  const manager = managerOf(spec);
  const { controllers, unified } = manager === 'user' ? withoutControllers(trees(mounts)) : trees(mounts);
  const v1 = Object.keys(controllers).length > 0;
  const base = unified === undefined ? '/' : manager ? givenBySystemd(spec) : baseOf(unified);
  const tops = [...Object.values(controllers), ...(unified === undefined ? [] : [join(unified, base)])];
  return {
    layout: v1 ? (unified === undefined ? 'v1' : 'hybrid') : unified === undefined ? 'none' : 'v2',
    ...(unified === undefined ? {} : { unified, unifiedControllers: offered(join(unified, base)) }),
    controllers,
    writable: manager !== undefined || (tops.length > 0 && tops.every(writable)),
    base,
    ...(controllers.cpuset === undefined
      ? {}
      : { cpuset: cpusetBelow(controllers.cpuset, spec?.linux?.cgroupsPath) }),
    bfq: controllers.blkio === undefined ? schedulers().includes('bfq') : hasBfqFiles(controllers.blkio),
    // The switch is there if the call is (bpf(2), /proc/sys/kernel/unprivileged_bpf_disabled).
    bpf: existsSync('/proc/sys/kernel/unprivileged_bpf_disabled'),
    delegate: words('/sys/kernel/cgroup/delegate') ?? [
      'cgroup.procs',
      'cgroup.subtree_control',
      'cgroup.threads',
    ],
  };
}

/** From mountinfo (proc_pid_mountinfo(5)): field 5 mount point; after " - " type, source, superblock options. */
function trees(mounts: readonly string[]): { controllers: Record<string, string>; unified?: string } {
  const controllers: Record<string, string> = {};
  let unified: string | undefined;
  for (const line of mounts) {
    const [left = '', right = ''] = line.split(' - ');
    const point = left.split(' ')[4] ?? '';
    const [type, , options = ''] = right.split(' ');
    if (type === 'cgroup2') unified ??= point;
    if (type !== 'cgroup') continue;
    for (const option of options.split(','))
      if (!['rw', 'ro', 'xattr', 'clone_children', 'release_agent'].includes(option.split('=')[0] ?? ''))
        controllers[option] ??= point;
  }
  return { controllers, ...(unified === undefined ? {} : { unified }) };
}

/**
 * An ordinary user may make cgroups only in a subtree that was given to them (cgroups(7), "Delegation"). Its top,
 * not our own place in it: a cgroup that holds processes can't hand out controllers.
 */
function baseOf(unified: string): string {
  if (writable(unified)) return '/';
  let base = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1] ?? '/';
  while (base !== '/' && given(join(unified, dirname(base)))) base = dirname(base);
  return base;
}

/** A user's own systemd has what is below its service, wherever that user's processes are themselves. */
function givenBySystemd(spec: Spec | undefined): string {
  return /^.*\/user@\d+\.service(?=\/)/.exec(spec?.linux?.cgroupsPath ?? '')?.[0] ?? '/';
}

/** Of v1 it has nothing but the tree in which it keeps its books (systemd.resource-control(5), "Delegate="). */
function withoutControllers({ controllers, unified }: ReturnType<typeof trees>): ReturnType<typeof trees> {
  const books = Object.entries(controllers).filter(([name]) => name === 'name=systemd');
  return { controllers: Object.fromEntries(books), ...(unified === undefined ? {} : { unified }) };
}

/** To enter a cgroup, its user also needs the right to write to the cgroup.procs above both places. */
const given = (path: string) => writable(path) && writable(join(path, 'cgroup.procs'));

function offered(path: string): string[] {
  return words(join(path, 'cgroup.controllers')) ?? [];
}

/** A new cpuset is empty, and nobody can join it (cpuset(7)); it may get what the one above it has. */
function cpusetBelow(top: string, path = '/'): { at: string; cpus: string; mems: string } {
  let nearest = join(top, path);
  while (nearest.startsWith(`${top}/`) && !existsSync(nearest)) nearest = dirname(nearest);
  if (!nearest.startsWith(top)) nearest = top;
  const read = (what: string) => words(join(nearest, `cpuset.${what}`))?.join(' ') ?? '';
  return { at: nearest, cpus: read('cpus'), mems: read('mems') };
}

/** BFQ's own counters stand in the root cgroup, its weights only below. */
function hasBfqFiles(top: string): boolean {
  return existsSync(join(top, 'blkio.bfq.io_serviced'));
}

/** v2 has no such file in its root; what the devices may be scheduled by says the same. */
function schedulers(): string[] {
  if (!existsSync('/sys/block')) return [];
  const all = readdirSync('/sys/block').flatMap((name) => words(`/sys/block/${name}/queue/scheduler`) ?? []);
  return [...new Set(all.map((name) => name.replace(/[[\]]/g, '')))];
}

/** Undefined for what is not there; a cgroup can go between any two looks at it. */
function words(path: string): string[] | undefined {
  try {
    return readFileSync(path, 'utf8')
      .split(/\s+/)
      .filter((word) => word !== '');
  } catch {
    return undefined;
  }
}

function writable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
