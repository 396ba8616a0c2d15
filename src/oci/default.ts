/** The config that `tslab run` starts from: what an engine would give a plain container, as far as the chosen lesson goes. */
import { keptCapabilities } from './default-capabilities.ts';
import { plainSeccomp } from './default-seccomp.ts';
import type { Mount, NamespaceType, Spec } from './spec.ts';

export interface DefaultOptions {
  args: string[];
  /** Absolute path. */
  rootfs: string;
  /** The runtime as of that lesson; without it, all of it. */
  lesson?: string;
  env?: string[];
  cwd?: string;
}

/** Which lesson brings which namespace; the curriculum's order. */
const order = [
  'process',
  'chroot',
  'mount',
  'pid',
  'uts',
  'ipc',
  'net',
  'user',
  'time',
  'cgroup',
  'overlay',
  'harden',
];
const namespaceLesson: readonly (readonly [NamespaceType, string])[] = [
  ['mount', 'mount'],
  ['pid', 'pid'],
  ['uts', 'uts'],
  ['ipc', 'ipc'],
  ['network', 'net'],
  ['cgroup', 'cgroup'],
];

/** config-linux.md, "Default Filesystems", with the options that engines give them. */
const fileSystems: readonly Mount[] = [
  { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
  {
    destination: '/dev',
    type: 'tmpfs',
    source: 'tmpfs',
    options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
  },
  {
    destination: '/dev/pts',
    type: 'devpts',
    source: 'devpts',
    options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620'],
  },
  {
    destination: '/dev/shm',
    type: 'tmpfs',
    source: 'shm',
    options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'],
  },
];
const mqueue: Mount = {
  destination: '/dev/mqueue',
  type: 'mqueue',
  source: 'mqueue',
  options: ['nosuid', 'noexec', 'nodev'],
};
/** A sysfs shows the network namespace of its mounter, and can only be mounted by its owner. */
const sysfs: Mount = {
  destination: '/sys',
  type: 'sysfs',
  source: 'sysfs',
  options: ['nosuid', 'noexec', 'nodev', 'ro'],
};

/** Its own cgroup as the top of what it sees, to read: limits that it could write would be none. */
const cgroups: Mount = {
  destination: '/sys/fs/cgroup',
  type: 'cgroup',
  source: 'cgroup',
  options: ['nosuid', 'noexec', 'nodev', 'relatime', 'ro'],
};

const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export function defaultSpec({ args, rootfs, lesson, env, cwd }: DefaultOptions): Spec {
  // A lesson that is not among these, an instructor's own, comes after them all.
  const upTo = lesson === undefined ? -1 : order.indexOf(lesson);
  const has = (id: string) => upTo === -1 || upTo >= order.indexOf(id);
  const ordinary = process.geteuid?.() !== 0;
  const kept = [...keptCapabilities];
  return {
    ociVersion: '1.3.0',
    ...(has('chroot') ? { root: { path: rootfs } } : {}),
    process: {
      args,
      cwd: cwd ?? '/',
      env: env ?? [PATH, 'TERM=xterm', 'HOME=/root'],
      ...(has('harden')
        ? { capabilities: { bounding: kept, effective: kept, permitted: kept }, noNewPrivileges: true }
        : {}),
    },
    ...(has('uts') ? { hostname: 'tslab' } : {}),
    ...(has('mount')
      ? {
          mounts: [
            ...fileSystems,
            ...(has('ipc') ? [mqueue] : []),
            ...(has('net') ? [sysfs] : []),
            ...(has('cgroup') ? [cgroups] : []),
          ],
        }
      : {}),
    linux: {
      namespaces: [
        ...namespaceLesson.filter(([, id]) => has(id)).map(([type]) => ({ type })),
        ...(ordinary && has('chroot') ? [{ type: 'user' as const }] : []),
      ],
      ...(ordinary && has('chroot') ? ownIds() : {}),
      ...(has('harden') && has('mount')
        ? {
            maskedPaths: ['/proc/acpi', '/proc/kcore', '/proc/keys', '/proc/timer_list', '/sys/firmware'],
            readonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
          }
        : {}),
      ...(has('harden') ? { seccomp: plainSeccomp() } : {}),
    },
  };
}

/** An ordinary user may map one id without help: their own (user_namespaces(7)). */
function ownIds() {
  const map = (hostID: number) => [{ containerID: 0, hostID, size: 1 }];
  return { uidMappings: map(process.geteuid?.() ?? 0), gidMappings: map(process.getegid?.() ?? 0) };
}
