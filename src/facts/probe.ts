/** Reads the host's facts. The only place where planning looks at the host. */
import { readdirSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import type { Spec } from '../oci/spec.ts';
import { capabilities } from '../plan/flags.ts';
import { cgroupFacts } from './cgroup.ts';
import type { Facts } from './facts.ts';
import { readIds } from './ids.ts';
import { networkFor } from './network.ts';
import { overlayFor } from './overlay.ts';
import { systemdFor } from './systemd.ts';
import { inUserNamespace } from './userns.ts';

/** OCI's words for the names in /proc/self/ns. */
const namespaceWords: Readonly<Record<string, string>> = { mnt: 'mount', net: 'network' };

export function probe(spec?: Spec): Facts {
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
    cgroup: cgroupFacts(mounts, spec),
    rootShared: mounts.some((line) => line.split(' ')[4] === '/' && line.includes(' shared:')),
    ...networkFor(spec),
    ...overlayFor(spec),
    ...systemdFor(spec),
    ...((process.geteuid?.() ?? 0) === 0 ? {} : { ids: readIds(process.geteuid?.() ?? 0) }),
  };
}

/** In a user namespace one can hold these, and the kernel still asks for them in the first one (capabilities(7)). */
const onlyTheHosts = ['CAP_MKNOD', 'CAP_SYS_RESOURCE', 'CAP_SYS_TIME', 'CAP_SYS_MODULE', 'CAP_SYS_BOOT'];

/** Effective capabilities of this process, by name. */
export function ownCapabilities(): string[] {
  const mask = BigInt(`0x${/^CapEff:\s*(\w+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'}`);
  const held = capabilities.filter((_, bit) => (mask >> BigInt(bit)) & 1n);
  return inUserNamespace() ? held.filter((name) => !onlyTheHosts.includes(name)) : held;
}

/** Undefined for what is not there. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
