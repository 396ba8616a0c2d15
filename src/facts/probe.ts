/** Reads the host's facts. The only place where planning looks at the host. */
import { accessSync, constants, readdirSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import type { Spec } from '../oci/spec.ts';
import { capabilities } from '../plan/flags.ts';
import type { CgroupFacts, Facts } from './facts.ts';

/** OCI's words for the names in /proc/self/ns. */
const namespaceWords: Readonly<Record<string, string>> = { mnt: 'mount', net: 'network' };

export function probe(_spec?: Spec): Facts {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').trimEnd().split('\n');
  return {
    kernel: release(),
    uid: process.geteuid?.() ?? 0,
    gid: process.getegid?.() ?? 0,
    capabilities: ownCapabilities(),
    namespaces: readdirSync('/proc/self/ns')
      .filter((name) => !name.endsWith('_for_children'))
      .map((name) => namespaceWords[name] ?? name),
    lastCapability: Number(read('/proc/sys/kernel/cap_last_cap') ?? capabilities.length - 1),
    labels: [
      ...(read('/sys/module/apparmor/parameters/enabled')?.startsWith('Y') ? ['apparmor'] : []),
      ...(read('/sys/fs/selinux/enforce') === undefined ? [] : ['selinux']),
    ],
    seccomp: read('/proc/sys/kernel/seccomp/actions_avail')?.trim().split(' ') ?? [],
    cgroup: cgroups(mounts),
    rootShared: mounts.some((line) => line.split(' ')[4] === '/' && line.includes(' shared:')),
  };
}

/** Effective capabilities of this process, by name. */
export function ownCapabilities(): string[] {
  const mask = BigInt(`0x${/^CapEff:\s*(\w+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'}`);
  return capabilities.filter((_, bit) => (mask >> BigInt(bit)) & 1n);
}

/** From mountinfo (proc_pid_mountinfo(5)): fields 5 mount point; after " - " type, source, superblock options. */
function cgroups(mounts: readonly string[]): CgroupFacts {
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
  const v1 = Object.keys(controllers).length > 0;
  const tops = [...Object.values(controllers), ...(unified === undefined ? [] : [unified])];
  return {
    layout: v1 ? (unified === undefined ? 'v1' : 'hybrid') : unified === undefined ? 'none' : 'v2',
    ...(unified === undefined ? {} : { unified }),
    controllers,
    writable: tops.length > 0 && tops.every(writable),
  };
}

/** Undefined for what is not there. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
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
